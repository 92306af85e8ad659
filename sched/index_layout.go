package sched

type layout struct {
	parts  [][2]int32 // kind, country, in order of creation
	growth []int32    // the partition of each extent of nodes, in order
	used   []int32    // positions handed out, by partition
	runs   [][2]int32 // site, partition, in order of creation
}

func (x *index) layout() layout                                        { panic("stub") }
func restoreIndex(priceBands, standingBands []uint32, l layout) *index { panic("stub") }
func (x *index) addAt(i int32, n nodeFacts)                            { panic("stub") }
