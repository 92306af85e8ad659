// Package gputest is the test rig of gpu: nodes that are data, sources that read them and fail on demand, and the conformance
// test of gpu.Source.
//
// # Model
//
// A [Board] is what a model's driver reports, a [Profile] a node with so many of them: how they are joined and divided, how
// busy they are over time, and which [Fault] befalls them when. [ParseProfile] makes one of a name, such as "h100x8". A
// [Source] is a gpu.Source that reads a profile: what it says follows from the profile, the times that its clock gives and
// the number of probes, and from nothing else. [Exercise] holds any gpu.Source to the rules of the interface, and [Require]
// skips what needs a real GPU.
//
// Rules. The witnesses of a node (management library, PCI tree, /proc/driver/nvidia, CUDA) agree; gpu.Check finds nothing
// above Info. Power is constant within a second, and the energy counter is its exact integral since the driver was loaded. A
// temperature follows the mean power of the last minute. An idle device has low clocks, and a busy one shares its limit
// between power and clocks. A fault of the hardware shows as the driver would show it; a lie changes only what the
// management library says. A fault begins at a probe, and its notices reach whoever watches then.
//
// # Example
//
// An H100 SXM that is idle draws 70 W, give or take 2.8 W of noise that cancels out over 64 seconds; at 96 % load it draws
// 70 + (679-70) x 0.96 = 654.6 W, where 679 W is 97 % of its limit. After a minute of that it has (87-12-26) x 654.6/700 + 26
// = 71 degrees.
//
// # Rounding and errors
//
// All is whole numbers, rounded down: milliwatts, millijoules, MiB, degrees. NewSource refuses a profile that cannot be; a
// probe that a fault ends answers with an error of gpu, as a real source would.
//
// # What it does not do
//
// It does not run a driver library: the C fakes do that. It knows nothing of time but the clock it is given, except that a
// probe of a device that hangs waits for its deadline, or 5 seconds without one. The telemetry is plausible, not measured:
// nothing about a model's real power or temperature follows from it.
//
// # Sources
//
// Names, ids and memory: gpu's catalogue. Clocks, power limits and links: NVIDIA's and AMD's product pages. Xids of faults:
// NVIDIA's catalogue of Xid errors. Slots: an HGX board of eight.
package gputest
