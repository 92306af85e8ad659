// Package device is the prover of package challenge on a GPU, written once for CUDA and OpenCL: it plans buffers and launches,
// and leaves the talking to a [Driver].
//
// # Model
//
// A [Driver] is one device of one driver library: it allocates, copies and launches. A [Prover] commits to products, opens
// leaves, fills a table and walks it; it is a challenge.Prover and a challenge.Walker. A [Kernel] is the way a product is
// computed; results do not depend on it. Source is the kernels in OpenCL C, PlainPTX and TensorPTX are the same as PTX.
//
// # Rules
//
// No product is kept. A round needs A, Bt and C, 6*N*N bytes (8 with the hmma kernel, whose factors are binary16), and
// up to 48 MiB to hash in; these are given back when Commit returns. Of each tree the levels from the 4th on stay, 4*N*N/W bytes a
// round. An opening computes the 16 leaves below its node anew, from the seed, on the device. Whatever the way out of a
// method, an error or the end of the context, what it allocated is given back or belongs to the prover until Close.
//
// The context is looked at between launches. A launch is cut so that a current GPU is done with it in a fraction of a second:
// products after 2^43 multiplications, fills after 2^34 Philox calls. A kernel that hangs cannot be cancelled.
//
// # Example
//
// N = 16384, W = 32, T = 4: A and Bt 256 MiB each, C 1 GiB, trees 32 MiB a round. 8388608 leaves are hashed in 8
// pieces of 2^20, each in 5 launches: leaves to nodes of the 4th level. 128 openings recompute 65536 entries, 2 GiB of random
// bytes, in one launch, and read back 128 leaves, 2048 hashes and 128 x 19 nodes.
//
// # Rounding and errors
//
// All arithmetic is exact. ErrMemory and ErrLost are what a driver wraps for want of memory and for a device that is gone;
// ErrOrder tells that a method was called before the one it answers for, ErrKernel that a kernel does not fit the task.
//
// # What it does not do
//
// It uses one device, one stream and one buffer for the table, and holds the tensor cores of Ampere and later only: no wgmma
// (Hopper), no tcgen05 (Blackwell), no mma of Turing, no matrix units of AMD or Intel.
//
// # Sources
//
// PTX ISA 7.0 (fragment layouts, cp.async, ldmatrix, mma), FIPS 180-4, Random123.
package device
