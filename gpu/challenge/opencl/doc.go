// Package opencl proves work and memory on any OpenCL device (AMD, Intel, NVIDIA, or a CPU through pocl), over the OpenCL loader
// alone: no headers, no cgo.
//
// # Model
//
// [Devices] lists the devices of all platforms; [Open] gives a [Prover] on one of them: a challenge.Prover and a
// challenge.Walker. The kernels are the same source as those of package cuda, compiled by the device's own driver.
//
// # Rules
//
// Devices are numbered from 0, platform by platform, in the loader's order. The prover takes memory when it is asked for work
// and gives it back on every way out; Close gives back the rest. Functions of the loader are looked up before they are called.
//
// # Example
//
// N = 16384 needs 1.5 GiB, of which the product is one buffer of 1 GiB: a driver that allows buffers of a quarter of its memory
// only does it on a device of 4 GiB. A table of 12 GiB wants a driver that allows buffers of 12 GiB.
//
// # Rounding and errors
//
// Results are exact integers, equal to those of packages cpu and cuda bit for bit. Errors wrap gpu.ErrNoLibrary (no loader),
// gpu.ErrNoDriver (a loader without any platform), gpu.ErrUnsupported, [ErrNoDevice], [ErrMemory], [ErrLost], [ErrKernel],
// [ErrOrder], challenge.ErrInvalid or the context's error. They name the call and OpenCL's own code, and, for a source that
// was not taken, what the compiler said.
//
// # What it does not do
//
// It runs on Linux and macOS on amd64 and arm64; elsewhere Open and Devices answer gpu.ErrUnsupported. OpenCL has no identity
// of a device, so an answer is bound to one only by the verifier's clock. Matrix units are not used: with kernels "imma"
// and "hmma" the instructions of NVIDIA's are imitated, which is for tests. A kernel that hangs cannot be cancelled.
//
// # Sources
//
// OpenCL 1.2 specification and headers, github.com/KhronosGroup/OpenCL-Headers; pocl, portablecl.org.
package opencl
