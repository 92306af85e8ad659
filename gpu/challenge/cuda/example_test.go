//go:build linux && (amd64 || arm64)

package cuda_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/gpu/challenge/cuda"
)

// A host without the driver library gets an error that says so. The paths are examples: an empty Library is the system's.
func ExampleOpen() {
	p, err := cuda.Open(cuda.Config{Library: "/nonexistent/libcuda.so.1"})
	if errors.Is(err, gpu.ErrNoLibrary) {
		fmt.Println("no NVIDIA driver here")
		return
	}
	defer func() { _ = p.Close() }()
	fmt.Println(p.Name())
	// Output: no NVIDIA driver here
}

func ExampleDevices() {
	version, devices, err := cuda.Devices("/nonexistent/libcuda.so.1")
	if errors.Is(err, gpu.ErrNoLibrary) {
		fmt.Println("no NVIDIA driver here")
		return
	}
	fmt.Println("CUDA", version)
	for _, d := range devices {
		fmt.Println(d.ID, d.Name, d.MemoryBytes>>20, "MiB", d.BusID, d.SMs, d.ComputeCapability)
	}
	// Output: no NVIDIA driver here
}

// A prover answers one verifier: the table first, then the work, then what the nonces ask for.
func ExampleProver() {
	answer := func(ctx context.Context, p *cuda.Prover, s challenge.Spec, walkNonce, openNonce [32]byte) error {
		if err := p.Fill(ctx, s); err != nil {
			return err
		}
		if _, err := p.Commit(ctx, s); err != nil {
			return err
		}
		if _, err := p.Walk(ctx, walkNonce); err != nil {
			return err
		}
		if _, err := p.Open(ctx, openNonce); err != nil {
			return err
		}
		_, err := p.OpenWalk(ctx, openNonce)
		return err
	}
	p, err := cuda.Open(cuda.Config{Library: "/nonexistent/libcuda.so.1"})
	if err != nil {
		fmt.Println(errors.Is(err, gpu.ErrNoLibrary))
		return
	}
	fmt.Println(answer(context.Background(), p, challenge.Spec{}, [32]byte{1}, [32]byte{2}), p.Close())
	// Output: true
}
