package sched

type query struct {
	kinds                                     []int32
	small                                     []int32
	countries                                 []uint64
	gpus                                      int
	share                                     uint16
	hour                                      uint32
	standing, cpu, ram, disk                  uint32
	tier, connectivity, assurance, compliance uint8
	anyFree                                   bool
	rotate                                    uint32
	band                                      int
}

type cursor struct{}

func (x *index) start(q *query, c *cursor)         { panic("stub") }
func (x *index) startCheapest(q *query, c *cursor) { panic("stub") }
func (x *index) next(q *query, c *cursor) int32    { panic("stub") }
