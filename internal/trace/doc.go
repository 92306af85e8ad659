// Package trace makes fleets and requests with the statistics of a production GPU cluster, for tests and examples.
//
// # Model
//
// A [Host] is a kind of machine and a [Pod] a kind of job, with the figures of openb, a trace of 1,213 GPU hosts with 6,212 GPUs.
// [Generate] draws both from committed histograms, gives them what the trace does not have, and returns a [World]:
// nodes, links and requests, ready for package sched. [ReadOpenb] reads the real files into the same kinds, and [Assemble] makes
// a world of them. The same seed and [Config] give the same world on every machine.
//
// From the trace: the number of hosts of each kind, exactly (a fleet of 1,213 hosts is that fleet, in another order); the
// requirements of pods that ask for whole cards, drawn with the frequencies of the default list. Those are 3,986 of its 8,152
// pods; the rest ask for a share of a card, or for none, which package sched does not place. Kinds that occur once or twice, 30
// pods, are left out.
//
// Our choice, since the trace has none of it:
//
//   - Sites, in 20 countries, of unequal size. Delay and bandwidth between them are those measured between ten cloud regions by
//     the authors of DT-FM, with a detour for countries away from a region, an access delay of 0.2 to 3 ms at each site, and the
//     upload rate of the site's connectivity tier as a bound. In one region it is 5 ms and 2 Gb/s.
//   - Suppliers, one to three a site, each with a tier, a standing and a price level; a price per model around it.
//   - Which requests name a model (all by default, since io.net's interface takes one) or a country, and for how long they book: 1
//     to 72 hours. Whole-card pods of the trace last 633 seconds in the median, less than the one hour that can be booked.
//
// # Names of models
//
// T4 is "Tesla T4", P100 "Tesla P100-PCIE-16GB", V100M16 "Tesla V100-SXM2-16GB", V100M32 "Tesla V100-SXM2-32GB" and A10 "NVIDIA
// A10". The trace does not disclose G1 to G3: they stay "undisclosed G2" and so on, and their device memory is our guess.
//
// # Example
//
// Generate(1, Default()) gives 1,213 nodes with 6,212 devices at 96 sites, 4,560 links, and 5,534 requests for
// 5,901 devices, 95 % of what there is. Placed one after the other by sched.IONet they take about 5,750, and in each of the worlds 1 to 5 some
// model is left of which no site has eight free cards, but two sites together have.
//
// # What it does not do
//
// It has no arrivals and no departures, no failures, no shares of a device, and no CPU-only pods. The rows of the trace are not here.
//
// # Sources
//
// hkust-adsl/kubernetes-scheduler-simulator @8f3d641 data/csv (Apache-2.0), of Weng et al., "Beware of Fragmentation", USENIX ATC
// 2023. DS3Lab/DT-FM scheduler/heuristic_evolutionary_solver/config.py (MIT), of arXiv 2206.01288. Upload rates of the tiers:
// github.com/ionet-official/docs.
package trace
