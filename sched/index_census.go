package sched

// charge is one line of a census.
type charge struct {
	nodes, cards int32
	have         uint32 // best value of a charged node where the filter is ordered
}

// field names a filter, in the order in which a census charges.
type field uint8

const (
	fieldDown field = iota
	fieldModel
	fieldMemory
	fieldCountry
	fieldConnectivity
	fieldCompliance
	fieldAssurance
	fieldTier
	fieldStanding
	fieldPrice
	fieldSize  // the node has fewer cards than asked
	fieldCards // too few of them are free, or no share is large enough
	fieldCPU
	fieldRAM
	fieldDisk
	fieldNone // passes
	fields
)

type census [fields]charge

func (x *index) census(q *query) census                            { panic("stub") }
func (x *index) loosest(q *query, f field) (value uint32, ok bool) { panic("stub") }
