package opencl

import (
	"context"

	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/gpu/challenge/internal/device"
)

// What errors of this package wrap, besides those of packages gpu and challenge.
var (
	ErrNoDevice = device.ErrNoDevice // there is no device of that index
	ErrMemory   = device.ErrMemory   // the device has too little free memory, or its driver no buffers of that size
	ErrLost     = device.ErrLost     // the device does not answer any more; only a new Prover can
	ErrKernel   = device.ErrKernel   // Config.Kernel cannot do the task on this device
	ErrOrder    = device.ErrOrder    // Open, Walk or OpenWalk had nothing yet to answer for
)

// Config says which device to open. The zero value is the first device of the system's loader.
type Config struct {
	Library string // path of the loader; empty: libOpenCL.so.1 (macOS: the OpenCL framework)
	Index   int    // of the device in the list that Devices gives, from 0
	Kernel  string // for products: "dp4a"; "imma" and "hmma" imitate tensor cores, for tests; empty: "dp4a"
}

// Info is what a driver says about a device.
type Info struct {
	Index          int    // for Config
	Platform       string // the driver's name
	Name           string // the device's
	Vendor         string // the device's maker
	Driver         string // version of the driver
	GPU            bool   // of type GPU, rather than CPU or another
	Units          uint32 // compute units
	MemoryBytes    uint64 // global memory
	MaxBufferBytes uint64 // the largest buffer that the driver promises: often a quarter of the memory
}

// Prover proves on one device. It is a challenge.Prover and a challenge.Walker, and like these not safe for concurrent use.
type Prover struct{ prover *device.Prover }

// Open opens a device and has its driver compile the kernels. Errors wrap gpu.ErrNoLibrary, gpu.ErrNoDriver,
// gpu.ErrUnsupported, ErrNoDevice, ErrMemory or ErrLost.
func Open(c Config) (*Prover, error) {
	d, err := open(c)
	if err != nil {
		return nil, err
	}
	k := device.Kernel(c.Kernel)
	if k == device.KernelAuto {
		k = device.KernelDP4A
	}
	return &Prover{prover: device.New(d, k)}, nil
}

// Devices lists the devices of all platforms; library is as in Config. Errors are those of Open.
func Devices(library string) ([]Info, error) { return list(library) }

// Name is the device's, as its driver says.
func (p *Prover) Name() string { return p.prover.Info().Name }

// Commit computes all rounds of the spec and returns their roots. It needs 6*N*N bytes, 48 MiB at most to hash in, and
// 4*N*N/Width for each round; the last stays for Open. Errors wrap challenge.ErrInvalid, ErrKernel, ErrMemory, ErrLost or
// the context's.
func (p *Prover) Commit(ctx context.Context, s challenge.Spec) (challenge.Commitment, error) {
	return p.prover.Commit(ctx, s)
}

// Open answers the nonce for the last Commit. Errors wrap ErrOrder, ErrMemory, ErrLost or the context's.
func (p *Prover) Open(ctx context.Context, nonce [32]byte) ([]challenge.Opening, error) {
	return p.prover.Open(ctx, nonce)
}

// Fill makes the table of the spec's Memory on the device, as one buffer. Errors wrap challenge.ErrInvalid, ErrMemory,
// ErrLost or the context's.
func (p *Prover) Fill(ctx context.Context, s challenge.Spec) error { return p.prover.Fill(ctx, s) }

// Walk makes all lanes' steps from the nonce. It needs 16 bytes for each segment, 4 for its part of the tree, and 48 MiB
// at most. Errors wrap ErrOrder, ErrMemory, ErrLost or the context's.
func (p *Prover) Walk(ctx context.Context, nonce [32]byte) (challenge.WalkCommitment, error) {
	return p.prover.Walk(ctx, nonce)
}

// OpenWalk answers the nonce for the last Walk. Errors wrap ErrOrder, ErrMemory, ErrLost or the context's.
func (p *Prover) OpenWalk(ctx context.Context, nonce [32]byte) ([]challenge.WalkOpening, error) {
	return p.prover.OpenWalk(ctx, nonce)
}

// Close frees what the prover holds on the device. It may be called more than once.
func (p *Prover) Close() error { return p.prover.Close() }
