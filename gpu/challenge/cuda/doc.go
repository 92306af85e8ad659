// Package cuda proves work and memory on NVIDIA GPUs, over the driver library alone: no toolkit, no headers, no cgo.
//
// # Model
//
// [Open] gives a [Prover] on one device: a challenge.Prover and a challenge.Walker. [Devices] is what the driver library says
// about the devices of the host, a witness for the cross-checks of package gpu. The kernels are in the binary as PTX text,
// once for compute capability 6.1 and later and once, with tensor cores, for 8.0 and later; the driver compiles them for its device.
//
// # Rules
//
// Every function of the library is looked up before it is called: a library that lacks one is refused with its name, and never
// ends the process. A CUDA context is current on a thread, so one goroutine, bound to its thread, makes all calls for a device.
// The prover takes memory when it is asked for work and gives it back on every way out; Close gives back the rest.
//
// # Example
//
// N = 65536 and one round are 5.6e14 operations in 24 GiB, and 32 bytes leave the device. An opening costs 16*W entries,
// computed anew from the seed, so that the 16 GiB of the product need not stay. `go test ./gpu/challenge/cuda -run Real -v`
// measures the device at hand.
//
// # Rounding and errors
//
// Results are exact integers, equal to those of package cpu bit for bit. Errors wrap gpu.ErrNoLibrary (no libcuda),
// gpu.ErrNoDriver (a library without its driver), gpu.ErrUnsupported (this platform, or a library too old), [ErrNoDevice],
// [ErrMemory], [ErrLost], [ErrKernel], [ErrOrder], challenge.ErrInvalid or the context's error. They name the call and
// CUDA's own code, and, for PTX that was not taken, what the compiler said.
//
// # What it does not do
//
// It runs on Linux on amd64 and arm64; elsewhere Open and Devices answer gpu.ErrUnsupported. One device a Prover, MIG instances
// as the driver shows them. Tensor cores are used through mma.sync: of Hopper and Blackwell that is a part of the int8 rate, and
// Turing's are not used at all. A kernel that hangs cannot be cancelled. The table is not checked for being in the
// device's own memory: its rate tells.
//
// # Sources
//
// CUDA Driver API and PTX ISA 7.0, docs.nvidia.com/cuda; error codes from cuda.h.
package cuda
