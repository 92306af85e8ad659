package openb

import "github.com/idlegrid/idlegrid/internal/trace"

// counted is a kind with the number of times that it occurs.
type counted[T any] struct {
	n    int
	kind T
}

// hostKinds is the hosts of the trace, counted.
func hostKinds() (out []counted[Host]) {
	for h, n := range trace.Hosts() {
		out = append(out, counted[Host]{n, Host{Model: h.Model, GPUs: h.GPUs, CPUMilli: int64(h.CPUMilli), MemoryMiB: int64(h.MemoryMiB)}})
	}
	return out
}

// cpuOnlyKinds is the CPU-only pods of openb_pod_list_default.csv, counted: 1,068 of 1,088; kinds that occur once or twice are left out.
func cpuOnlyKinds() []counted[Spec] {
	return []counted[Spec]{
		{364, Spec{CPUMilli: 12500, MemoryMiB: 57344}},
		{284, Spec{CPUMilli: 32000, MemoryMiB: 49152}},
		{163, Spec{CPUMilli: 8000, MemoryMiB: 30517}},
		{120, Spec{CPUMilli: 15400, MemoryMiB: 51200}},
		{95, Spec{CPUMilli: 16500, MemoryMiB: 51200}},
		{11, Spec{CPUMilli: 8000, MemoryMiB: 15625}},
		{11, Spec{CPUMilli: 11400, MemoryMiB: 57344}},
		{8, Spec{CPUMilli: 16000, MemoryMiB: 31250}},
		{5, Spec{CPUMilli: 8000, MemoryMiB: 31250}},
		{4, Spec{CPUMilli: 12000, MemoryMiB: 24576}},
		{3, Spec{CPUMilli: 32000, MemoryMiB: 62500}},
	}
}

// shareKinds is the pods that ask for a share of a card of openb_pod_list_default.csv, counted: 3,057 of 3,078; kinds that occur once or twice are left out.
func shareKinds() []counted[Spec] {
	return []counted[Spec]{
		{1047, Spec{CPUMilli: 3152, MemoryMiB: 5600, GPUs: 1, Milli: 810}},
		{388, Spec{CPUMilli: 11908, MemoryMiB: 47104, GPUs: 1, Milli: 470}},
		{360, Spec{CPUMilli: 8000, MemoryMiB: 30517, GPUs: 1, Milli: 470}},
		{237, Spec{CPUMilli: 11908, MemoryMiB: 47104, GPUs: 1, Milli: 650}},
		{111, Spec{CPUMilli: 4000, MemoryMiB: 22888, GPUs: 1, Milli: 320}},
		{84, Spec{CPUMilli: 4000, MemoryMiB: 30517, GPUs: 1, Milli: 230}},
		{78, Spec{CPUMilli: 4000, MemoryMiB: 15258, GPUs: 1, Milli: 320}},
		{75, Spec{CPUMilli: 3152, MemoryMiB: 5600, GPUs: 1, Milli: 590}},
		{72, Spec{CPUMilli: 4152, MemoryMiB: 10600, GPUs: 1, Milli: 550}},
		{72, Spec{CPUMilli: 8000, MemoryMiB: 30517, GPUs: 1, Milli: 320}},
		{53, Spec{CPUMilli: 4000, MemoryMiB: 15258, GPUs: 1, Milli: 160}},
		{51, Spec{CPUMilli: 6000, MemoryMiB: 6144, GPUs: 1, Milli: 460}},
		{45, Spec{CPUMilli: 4152, MemoryMiB: 10600, GPUs: 1, Milli: 370}},
		{43, Spec{CPUMilli: 4000, MemoryMiB: 30517, GPUs: 1, Milli: 320}},
		{31, Spec{CPUMilli: 4152, MemoryMiB: 10600, GPUs: 1, Milli: 810}},
		{29, Spec{CPUMilli: 6000, MemoryMiB: 12288, GPUs: 1, Milli: 460}},
		{26, Spec{CPUMilli: 4000, MemoryMiB: 22888, GPUs: 1, Milli: 230}},
		{24, Spec{CPUMilli: 4000, MemoryMiB: 15258, GPUs: 1, Milli: 220}},
		{22, Spec{CPUMilli: 1000, MemoryMiB: 2048, GPUs: 1, Milli: 320}},
		{20, Spec{CPUMilli: 6000, MemoryMiB: 22888, GPUs: 1, Milli: 160}},
		{19, Spec{CPUMilli: 8000, MemoryMiB: 30517, GPUs: 1, Milli: 220}},
		{18, Spec{CPUMilli: 4000, MemoryMiB: 22888, GPUs: 1, Milli: 480}},
		{18, Spec{CPUMilli: 6000, MemoryMiB: 18432, GPUs: 1, Milli: 460}},
		{18, Spec{CPUMilli: 8000, MemoryMiB: 30517, GPUs: 1, Milli: 230}},
		{12, Spec{CPUMilli: 4000, MemoryMiB: 15258, GPUs: 1, Milli: 230}},
		{12, Spec{CPUMilli: 8000, MemoryMiB: 30517, GPUs: 1, Milli: 650}},
		{11, Spec{CPUMilli: 4000, MemoryMiB: 22888, GPUs: 1, Milli: 220}},
		{9, Spec{CPUMilli: 4000, MemoryMiB: 22888, GPUs: 1, Milli: 110}},
		{9, Spec{CPUMilli: 6000, MemoryMiB: 8192, GPUs: 1, Milli: 460}},
		{8, Spec{CPUMilli: 4000, MemoryMiB: 15258, GPUs: 1, Milli: 110}},
		{8, Spec{CPUMilli: 4000, MemoryMiB: 30517, GPUs: 1, Milli: 220}},
		{7, Spec{CPUMilli: 4000, MemoryMiB: 22888, GPUs: 1, Milli: 330}},
		{7, Spec{CPUMilli: 6000, MemoryMiB: 16384, GPUs: 1, Milli: 460}},
		{6, Spec{CPUMilli: 4000, MemoryMiB: 22888, GPUs: 1, Milli: 350}},
		{6, Spec{CPUMilli: 6000, MemoryMiB: 23552, GPUs: 1, Milli: 460}},
		{6, Spec{CPUMilli: 12000, MemoryMiB: 18432, GPUs: 1, Milli: 460}},
		{4, Spec{CPUMilli: 4152, MemoryMiB: 10600, GPUs: 1, Milli: 270}},
		{4, Spec{CPUMilli: 6000, MemoryMiB: 22888, GPUs: 1, Milli: 50}},
		{4, Spec{CPUMilli: 6000, MemoryMiB: 22888, GPUs: 1, Milli: 110}},
		{3, Spec{CPUMilli: 4000, MemoryMiB: 15258, GPUs: 1, Milli: 50}},
	}
}

// singleKinds is the pods that ask for one whole card of openb_pod_list_default.csv, counted: 3,886 of 3,911; kinds that occur once or twice are left out.
func singleKinds() []counted[Spec] {
	return []counted[Spec]{
		{857, Spec{CPUMilli: 11300, MemoryMiB: 49152, GPUs: 1, Milli: wholeCard}},
		{534, Spec{CPUMilli: 11400, MemoryMiB: 48128, GPUs: 1, Milli: wholeCard}},
		{470, Spec{CPUMilli: 3152, MemoryMiB: 5600, GPUs: 1, Milli: wholeCard}},
		{255, Spec{CPUMilli: 18708, MemoryMiB: 64512, GPUs: 1, Milli: wholeCard}},
		{195, Spec{CPUMilli: 9810, MemoryMiB: 41560, GPUs: 1, Milli: wholeCard}},
		{158, Spec{CPUMilli: 12000, MemoryMiB: 24576, GPUs: 1, Milli: wholeCard}},
		{158, Spec{CPUMilli: 15700, MemoryMiB: 58368, GPUs: 1, Milli: wholeCard}},
		{153, Spec{CPUMilli: 11908, MemoryMiB: 47104, GPUs: 1, Milli: wholeCard}},
		{108, Spec{CPUMilli: 16000, MemoryMiB: 32768, GPUs: 1, Milli: wholeCard}},
		{104, Spec{CPUMilli: 4000, MemoryMiB: 24576, GPUs: 1, Milli: wholeCard}},
		{104, Spec{CPUMilli: 8000, MemoryMiB: 16384, GPUs: 1, Milli: wholeCard}},
		{99, Spec{CPUMilli: 12000, MemoryMiB: 16384, GPUs: 1, Milli: wholeCard}},
		{93, Spec{CPUMilli: 14200, MemoryMiB: 58368, GPUs: 1, Milli: wholeCard}},
		{84, Spec{CPUMilli: 24200, MemoryMiB: 93184, GPUs: 1, Milli: wholeCard}},
		{65, Spec{CPUMilli: 11400, MemoryMiB: 77824, GPUs: 1, Milli: wholeCard}},
		{55, Spec{CPUMilli: 8000, MemoryMiB: 32768, GPUs: 1, Milli: wholeCard}},
		{51, Spec{CPUMilli: 11900, MemoryMiB: 77824, GPUs: 1, Milli: wholeCard}},
		{44, Spec{CPUMilli: 12000, MemoryMiB: 15360, GPUs: 1, Milli: wholeCard}},
		{41, Spec{CPUMilli: 8200, MemoryMiB: 33792, GPUs: 1, Milli: wholeCard}},
		{40, Spec{CPUMilli: 4000, MemoryMiB: 31250, GPUs: 1, Milli: wholeCard}},
		{36, Spec{CPUMilli: 15200, MemoryMiB: 80896, GPUs: 1, Milli: wholeCard}},
		{33, Spec{CPUMilli: 16000, MemoryMiB: 65536, GPUs: 1, Milli: wholeCard}},
		{27, Spec{CPUMilli: 16400, MemoryMiB: 125952, GPUs: 1, Milli: wholeCard}},
		{16, Spec{CPUMilli: 11300, MemoryMiB: 37888, GPUs: 1, Milli: wholeCard}},
		{15, Spec{CPUMilli: 1000, MemoryMiB: 6144, GPUs: 1, Milli: wholeCard}},
		{11, Spec{CPUMilli: 7000, MemoryMiB: 30000, GPUs: 1, Milli: wholeCard}},
		{9, Spec{CPUMilli: 15400, MemoryMiB: 90112, GPUs: 1, Milli: wholeCard}},
		{8, Spec{CPUMilli: 4000, MemoryMiB: 16384, GPUs: 1, Milli: wholeCard}},
		{8, Spec{CPUMilli: 12000, MemoryMiB: 32768, GPUs: 1, Milli: wholeCard}},
		{8, Spec{CPUMilli: 12000, MemoryMiB: 47104, GPUs: 1, Milli: wholeCard}},
		{8, Spec{CPUMilli: 14900, MemoryMiB: 73728, GPUs: 1, Milli: wholeCard}},
		{6, Spec{CPUMilli: 6000, MemoryMiB: 32768, GPUs: 1, Milli: wholeCard}},
		{6, Spec{CPUMilli: 9400, MemoryMiB: 52224, GPUs: 1, Milli: wholeCard}},
		{5, Spec{CPUMilli: 2000, MemoryMiB: 16384, GPUs: 1, Milli: wholeCard}},
		{5, Spec{CPUMilli: 4000, MemoryMiB: 32768, GPUs: 1, Milli: wholeCard}},
		{4, Spec{CPUMilli: 11900, MemoryMiB: 43008, GPUs: 1, Milli: wholeCard}},
		{4, Spec{CPUMilli: 12000, MemoryMiB: 49152, GPUs: 1, Milli: wholeCard}},
		{3, Spec{CPUMilli: 2000, MemoryMiB: 8192, GPUs: 1, Milli: wholeCard}},
		{3, Spec{CPUMilli: 16000, MemoryMiB: 31250, GPUs: 1, Milli: wholeCard}},
		{3, Spec{CPUMilli: 16000, MemoryMiB: 49152, GPUs: 1, Milli: wholeCard}},
	}
}

// multiKinds is the pods that ask for several cards of openb_pod_list_default.csv, counted: 70 of 75; kinds that occur once or twice are left out.
func multiKinds() []counted[Spec] {
	return []counted[Spec]{
		{18, Spec{CPUMilli: 64200, MemoryMiB: 263168, GPUs: 8, Milli: wholeCard}},
		{18, Spec{CPUMilli: 88000, MemoryMiB: 327680, GPUs: 8, Milli: wholeCard}},
		{9, Spec{CPUMilli: 32200, MemoryMiB: 132096, GPUs: 4, Milli: wholeCard}},
		{7, Spec{CPUMilli: 16200, MemoryMiB: 66560, GPUs: 2, Milli: wholeCard}},
		{3, Spec{CPUMilli: 6000, MemoryMiB: 65536, GPUs: 2, Milli: wholeCard}},
		{3, Spec{CPUMilli: 30200, MemoryMiB: 160768, GPUs: 2, Milli: wholeCard}},
		{3, Spec{CPUMilli: 32000, MemoryMiB: 131072, GPUs: 4, Milli: wholeCard}},
		{3, Spec{CPUMilli: 60200, MemoryMiB: 320512, GPUs: 4, Milli: wholeCard}},
		{3, Spec{CPUMilli: 64000, MemoryMiB: 262144, GPUs: 8, Milli: wholeCard}},
		{3, Spec{CPUMilli: 120000, MemoryMiB: 737280, GPUs: 8, Milli: wholeCard}},
	}
}

// modelKinds is the models that the constrained pods of openb_pod_list_gpuspec25.csv name, counted: 1,733 of 1,759; sets that occur
// once or twice, and those that name a model twice, are left out.
func modelKinds() []counted[string] {
	return []counted[string]{
		{906, "T4"},
		{248, "G2"},
		{215, "P100"},
		{126, "V100M16|V100M32"},
		{74, "P100|V100M16|V100M32"},
		{59, "G3"},
		{37, "G2|P100|T4|V100M16|V100M32"},
		{22, "P100|T4|V100M16|V100M32"},
		{17, "A10|G2|T4|V100M16|V100M32"},
		{11, "P100|V100M16"},
		{11, "V100M32"},
		{4, "V100M16"},
		{3, "A10|T4"},
	}
}
