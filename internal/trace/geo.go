package trace

// region is one of the cloud regions between which the authors of DT-FM measured.
type region uint8

const (
	oregon region = iota
	virginia
	ohio
	tokyo
	seoul
	singapore
	sydney
	london
	frankfurt
	ireland
)

// measured is the delay in ms and the bandwidth in Mb/s between two regions.
type measured struct{ ms, mbps uint32 }

// between returns the measurement of two regions. Within one region it is the figure that the authors use there.
func between(a, b region) measured {
	if a == b {
		return measured{5, 2000}
	}
	if a > b {
		a, b = b, a
	}
	// Row by row: from each region to all that follow it.
	rows := [...][]measured{
		{{67, 790}, {49, 1100}, {96, 523}, {124, 460}, {163, 341}, {139, 360}, {136, 420}, {143, 404}, {124, 482}},
		{{11, 1120}, {143, 524}, {172, 500}, {230, 364}, {197, 383}, {76, 1160}, {90, 1020}, {67, 1050}},
		{{130, 694}, {159, 529}, {197, 452}, {185, 484}, {86, 1050}, {99, 799}, {77, 1140}},
		{{34, 1100}, {73, 1010}, {100, 761}, {210, 366}, {223, 360}, {199, 465}},
		{{74, 1140}, {148, 580}, {238, 342}, {235, 358}, {228, 335}},
		{{92, 816}, {169, 500}, {155, 535}, {179, 492}},
		{{262, 326}, {265, 328}, {254, 344}},
		{{14, 1140}, {12, 1090}},
		{{24, 1080}},
	}
	return rows[a][b-a-1]
}

// place is where a site can stand: a country near a region, with the detour to it in ms and a weight for how many sites it has.
type place struct {
	country string
	near    region
	detour  uint32
	weight  int
}

// places lists 22 places in 20 countries; those that come first have sites in small worlds too.
func places() []place {
	return []place{
		{"US", virginia, 0, 12},
		{"DE", frankfurt, 0, 6},
		{"US", oregon, 0, 10},
		{"GB", london, 0, 5},
		{"SG", singapore, 0, 5},
		{"JP", tokyo, 0, 6},
		{"US", ohio, 0, 8},
		{"NL", frankfurt, 5, 4},
		{"FR", frankfurt, 6, 4},
		{"KR", seoul, 0, 5},
		{"CA", ohio, 6, 4},
		{"IN", singapore, 30, 5},
		{"AU", sydney, 0, 3},
		{"IE", ireland, 0, 2},
		{"TW", tokyo, 20, 3},
		{"SE", frankfurt, 12, 2},
		{"FI", frankfurt, 15, 2},
		{"PL", frankfurt, 10, 2},
		{"MY", singapore, 5, 2},
		{"ID", singapore, 9, 2},
		{"BR", virginia, 55, 2},
		{"NZ", sydney, 13, 1},
	}
}

// uploadMbps is the upload rate of a connectivity tier. Its source prints MB/s; megabits are meant in all likelihood, since
// 1,600 MB/s down would need a line of 12.8 Gb/s.
func uploadMbps(tier uint8) uint32 { return [...]uint32{0, 10, 300, 600, 1200}[tier] }

// model is what the trace leaves out about a GPU.
type model struct {
	name      string
	memoryMiB uint64
	hourMicro uint64 // the middle of its price, our choice
}

// modelOf returns the name that a driver reports, the memory and a price for a model of the trace.
func modelOf(name string) model {
	switch name {
	case "T4":
		return model{"Tesla T4", 15360, 150_000}
	case "P100":
		return model{"Tesla P100-PCIE-16GB", 16384, 120_000}
	case "V100M16":
		return model{"Tesla V100-SXM2-16GB", 16384, 260_000}
	case "V100M32":
		return model{"Tesla V100-SXM2-32GB", 32768, 380_000}
	case "A10":
		return model{"NVIDIA A10", 23028, 400_000}
	case "G3":
		return model{"undisclosed G3", 81920, 1_100_000}
	}
	return model{"undisclosed " + name, 32768, 600_000}
}
