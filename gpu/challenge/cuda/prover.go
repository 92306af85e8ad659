package cuda

import (
	"context"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/gpu/challenge/internal/device"
)

// What errors of this package wrap, besides those of packages gpu and challenge.
var (
	ErrNoDevice = device.ErrNoDevice // the driver has no device, or none of that index or id
	ErrMemory   = device.ErrMemory   // the device has too little free memory
	ErrLost     = device.ErrLost     // the device does not answer any more; only a new Prover can
	ErrKernel   = device.ErrKernel   // Config.Kernel cannot do the task on this device
	ErrOrder    = device.ErrOrder    // Open, Walk or OpenWalk had nothing yet to answer for
)

// Config says which device to open. The zero value is device 0 of the system's driver, with the fastest kernel.
type Config struct {
	Library string       // path of the driver library; empty: libcuda.so.1, as the dynamic linker finds it
	Index   int          // of the device as the driver counts, from 0; CUDA_VISIBLE_DEVICES applies
	ID      gpu.DeviceID // "GPU-" and the UUID of the device, which then counts instead of Index; empty: by Index
	Kernel  string       // for products: "dp4a", "imma" or "hmma"; empty: the fastest that fits the task
}

// Prover proves on one device. It is a challenge.Prover and a challenge.Walker, and like these not safe for concurrent use.
type Prover struct{ prover *device.Prover }

// Open opens a device and has the driver compile the kernels for it. Errors wrap gpu.ErrNoLibrary, gpu.ErrNoDriver,
// gpu.ErrUnsupported, ErrNoDevice, ErrMemory or ErrLost.
func Open(c Config) (*Prover, error) {
	d, err := open(c)
	if err != nil {
		return nil, err
	}
	return &Prover{prover: device.New(d, device.Kernel(c.Kernel))}, nil
}

// Devices returns the newest CUDA version that the driver runs, such as "12.4", and what it says about each device, in its
// order. library is as in Config. No context is made, so no memory of a device is taken. Errors are those of Open.
func Devices(library string) (version string, devices []gpu.CUDADevice, err error) {
	return list(library)
}

// Name is the device's, as the driver says.
func (p *Prover) Name() string { return p.prover.Info().Name }

// Commit computes all rounds of the spec and returns their roots. It needs 6*N*N bytes (8*N*N with kernel hmma), 48 MiB at
// most to hash in, and 4*N*N/Width for each round; the last stays for Open. Errors wrap challenge.ErrInvalid, ErrKernel,
// ErrMemory, ErrLost or the context's.
func (p *Prover) Commit(ctx context.Context, s challenge.Spec) (challenge.Commitment, error) {
	return p.prover.Commit(ctx, s)
}

// Open answers the nonce for the last Commit. Errors wrap ErrOrder, ErrMemory, ErrLost or the context's.
func (p *Prover) Open(ctx context.Context, nonce [32]byte) ([]challenge.Opening, error) {
	return p.prover.Open(ctx, nonce)
}

// Fill makes the table of the spec's Memory on the device. Errors wrap challenge.ErrInvalid, ErrMemory, ErrLost or the
// context's.
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
