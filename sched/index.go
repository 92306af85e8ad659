package sched

type record struct {
	hour                                 uint32
	standing, free, cpu, ram, disk, bits uint16
}

type nodeRow struct {
	cpu, ram, disk, standing      uint32
	run, supplier, shape, booking int32
	share                         uint16
	assurance, compliance         uint8
}

type nodeFacts struct {
	kind, country, site, supplier, shape             int32
	hour, standing, cpu, ram, disk                   uint32
	cards, tier, connectivity, assurance, compliance uint8
	shares                                           bool
}

type index struct{}

func newIndex(priceBands, standingBands []uint32) *index { panic("stub") }
func (x *index) add(n nodeFacts) int32                   { panic("stub") }
func (x *index) remove(i int32)                          { panic("stub") }
func (x *index) setUp(i int32, up bool)                  { panic("stub") }
func (x *index) change(i int32, hour, standing uint32, tier, connectivity, assurance, compliance uint8) {
	panic("stub")
}
func (x *index) setFree(i int32, free uint16, cpu, ram, disk uint32) { panic("stub") }
func (x *index) setShare(i int32, milli uint16)                      { panic("stub") }
func (x *index) setBooked(i int32, booked bool)                      { panic("stub") }
func (x *index) record(i int32) *record                              { panic("stub") }
func (x *index) row(i int32) *nodeRow                                { panic("stub") }
func (x *index) editRow(i int32) *nodeRow                            { panic("stub") }
func (x *index) isUp(i int32) bool                                   { panic("stub") }
func (x *index) view() *index                                        { panic("stub") }
func (r *record) cards() int                                         { panic("stub") }
func (r *record) tier() uint8                                        { panic("stub") }
func (r *record) connectivity() uint8                                { panic("stub") }
func (r *record) booked() bool                                       { panic("stub") }
func (r *record) shares() bool                                       { panic("stub") }
