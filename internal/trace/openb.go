package trace

import "iter"

// Host is a kind of machine of the trace.
type Host struct {
	// Model is the name in the trace: "G2", "T4".
	Model string
	GPUs  int
	// CPUMilli is thousandths of a core, MemoryMiB main memory.
	CPUMilli, MemoryMiB uint64
}

// Pod is what a job of the trace asks for.
type Pod struct {
	GPUs int // whole cards
	// CPUMilli is thousandths of a core, MemoryMiB main memory.
	CPUMilli, MemoryMiB uint64
	// Models are the names in the trace of the models that will do; none means any.
	Models string
}

// counted is a kind with the number of times that it occurs.
type counted[T any] struct {
	n    int
	kind T
}

// Hosts yields each kind of host of openb and how often it occurs, the most frequent first: 1,213 hosts with 6,212 cards.
func Hosts() iter.Seq2[Host, int] {
	return func(yield func(Host, int) bool) {
		for _, c := range hostCounts() {
			if !yield(c.kind, c.n) {
				return
			}
		}
	}
}

// hostCounts is openb_node_list_gpu_node.csv, counted.
func hostCounts() []counted[Host] {
	return []counted[Host]{
		{549, Host{"G2", 8, 96000, 393216}},
		{387, Host{"T4", 2, 104000, 524288}},
		{107, Host{"P100", 2, 16000, 122880}},
		{39, Host{"G3", 8, 128000, 786432}},
		{28, Host{"V100M16", 4, 32000, 131072}},
		{22, Host{"P100", 2, 64000, 262144}},
		{21, Host{"V100M32", 8, 96000, 786432}},
		{19, Host{"V100M16", 1, 8000, 32768}},
		{17, Host{"T4", 4, 96000, 393216}},
		{9, Host{"V100M32", 4, 48000, 376832}},
		{7, Host{"V100M16", 8, 64000, 262144}},
		{3, Host{"P100", 1, 8000, 61440}},
		{2, Host{"A10", 1, 128000, 1048576}},
		{2, Host{"P100", 2, 8000, 61440}},
		{1, Host{"V100M16", 8, 82000, 344064}},
	}
}

// podCounts is the whole-card pods of openb_pod_list_default.csv, counted; kinds that occur once or twice are left out.
func podCounts() []counted[Pod] {
	return []counted[Pod]{
		{857, Pod{GPUs: 1, CPUMilli: 11300, MemoryMiB: 49152}},
		{534, Pod{GPUs: 1, CPUMilli: 11400, MemoryMiB: 48128}},
		{470, Pod{GPUs: 1, CPUMilli: 3152, MemoryMiB: 5600}},
		{255, Pod{GPUs: 1, CPUMilli: 18708, MemoryMiB: 64512}},
		{195, Pod{GPUs: 1, CPUMilli: 9810, MemoryMiB: 41560}},
		{158, Pod{GPUs: 1, CPUMilli: 12000, MemoryMiB: 24576}},
		{158, Pod{GPUs: 1, CPUMilli: 15700, MemoryMiB: 58368}},
		{153, Pod{GPUs: 1, CPUMilli: 11908, MemoryMiB: 47104}},
		{108, Pod{GPUs: 1, CPUMilli: 16000, MemoryMiB: 32768}},
		{104, Pod{GPUs: 1, CPUMilli: 4000, MemoryMiB: 24576}},
		{104, Pod{GPUs: 1, CPUMilli: 8000, MemoryMiB: 16384}},
		{99, Pod{GPUs: 1, CPUMilli: 12000, MemoryMiB: 16384}},
		{93, Pod{GPUs: 1, CPUMilli: 14200, MemoryMiB: 58368}},
		{84, Pod{GPUs: 1, CPUMilli: 24200, MemoryMiB: 93184}},
		{65, Pod{GPUs: 1, CPUMilli: 11400, MemoryMiB: 77824}},
		{55, Pod{GPUs: 1, CPUMilli: 8000, MemoryMiB: 32768}},
		{51, Pod{GPUs: 1, CPUMilli: 11900, MemoryMiB: 77824}},
		{44, Pod{GPUs: 1, CPUMilli: 12000, MemoryMiB: 15360}},
		{41, Pod{GPUs: 1, CPUMilli: 8200, MemoryMiB: 33792}},
		{40, Pod{GPUs: 1, CPUMilli: 4000, MemoryMiB: 31250}},
		{36, Pod{GPUs: 1, CPUMilli: 15200, MemoryMiB: 80896}},
		{33, Pod{GPUs: 1, CPUMilli: 16000, MemoryMiB: 65536}},
		{27, Pod{GPUs: 1, CPUMilli: 16400, MemoryMiB: 125952}},
		{18, Pod{GPUs: 8, CPUMilli: 64200, MemoryMiB: 263168}},
		{18, Pod{GPUs: 8, CPUMilli: 88000, MemoryMiB: 327680}},
		{16, Pod{GPUs: 1, CPUMilli: 11300, MemoryMiB: 37888}},
		{15, Pod{GPUs: 1, CPUMilli: 1000, MemoryMiB: 6144}},
		{11, Pod{GPUs: 1, CPUMilli: 7000, MemoryMiB: 30000}},
		{9, Pod{GPUs: 1, CPUMilli: 15400, MemoryMiB: 90112}},
		{9, Pod{GPUs: 4, CPUMilli: 32200, MemoryMiB: 132096}},
		{8, Pod{GPUs: 1, CPUMilli: 4000, MemoryMiB: 16384}},
		{8, Pod{GPUs: 1, CPUMilli: 12000, MemoryMiB: 32768}},
		{8, Pod{GPUs: 1, CPUMilli: 12000, MemoryMiB: 47104}},
		{8, Pod{GPUs: 1, CPUMilli: 14900, MemoryMiB: 73728}},
		{7, Pod{GPUs: 2, CPUMilli: 16200, MemoryMiB: 66560}},
		{6, Pod{GPUs: 1, CPUMilli: 6000, MemoryMiB: 32768}},
		{6, Pod{GPUs: 1, CPUMilli: 9400, MemoryMiB: 52224}},
		{5, Pod{GPUs: 1, CPUMilli: 2000, MemoryMiB: 16384}},
		{5, Pod{GPUs: 1, CPUMilli: 4000, MemoryMiB: 32768}},
		{4, Pod{GPUs: 1, CPUMilli: 11900, MemoryMiB: 43008}},
		{4, Pod{GPUs: 1, CPUMilli: 12000, MemoryMiB: 49152}},
		{3, Pod{GPUs: 1, CPUMilli: 2000, MemoryMiB: 8192}},
		{3, Pod{GPUs: 2, CPUMilli: 6000, MemoryMiB: 65536}},
		{3, Pod{GPUs: 1, CPUMilli: 16000, MemoryMiB: 31250}},
		{3, Pod{GPUs: 1, CPUMilli: 16000, MemoryMiB: 49152}},
		{3, Pod{GPUs: 2, CPUMilli: 30200, MemoryMiB: 160768}},
		{3, Pod{GPUs: 4, CPUMilli: 32000, MemoryMiB: 131072}},
		{3, Pod{GPUs: 4, CPUMilli: 60200, MemoryMiB: 320512}},
		{3, Pod{GPUs: 8, CPUMilli: 64000, MemoryMiB: 262144}},
		{3, Pod{GPUs: 8, CPUMilli: 120000, MemoryMiB: 737280}},
	}
}
