// Package openb measures how well a policy of placement fills a production GPU cluster with the jobs that it ran.
//
// # Model
//
// A [Host] is a machine with cards of one model, a [Spec] what a pod asks for: cores, memory, and whole cards, or a share of one
// card, or no card. A [Trace] is hosts and a list of pods; [ReadHosts] and [ReadPods] read the files of openb, and [Generate] makes
// a trace with its marginals from a seed, with as many CPU-only, shared, multi-GPU and constrained pods as asked for. A [Placer]
// places pods and takes them back. Two protocols drive it:
//
//   - [Run], the one published with FGD: the list in random order, tuned to 1.3 times the fleet's cards, without departures; what
//     fits nowhere is dropped for good. Its result is a [Curve], the allocation after each per cent of arrived demand.
//   - [Churn], ours: arrivals drawn from the list with departures after an exponential time, at an offered load above one; its
//     result is the mean allocation after a warm-up.
//
// Both draw with math/rand as the published runs did, so that a seed means the same arrivals. A placer is told the order of
// the hosts, in which ties are broken, and the [Typical] pods of the list, but never the arrivals.
//
// [Random], [BestFit], [Packing] and [FGD] are the published policies in their obvious form, in floating point: oracles for tests
// and the baselines of a table. They are not for use in a scheduler.
//
// # Example
//
// FGD on the default list of openb with the seeds 42 to 51 allocates 95.20 % of the cards at 100 % arrivals and 95.38 % at
// 130 %; published are 95.23 and 95.39.
//
// # Rounding
//
// Cards are counted in thousandths. As published, arrived demand in per cent is rounded to the nearest even integer and allocation
// in per cent to two decimals before the mean of a bucket is taken.
//
// # What it does not do
//
// It knows nothing of sites, suppliers, prices or time; package trace does. The rows of openb are not here: tests that compare with
// published results skip without the folder openb in IDLEGRID_DATA.
//
// # Sources
//
// Weng et al., "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation Gradient Descent", USENIX ATC 2023;
// hkust-adsl/kubernetes-scheduler-simulator @8f3d641 (Apache-2.0) for data/csv, the plugins and the published allocation.
package openb
