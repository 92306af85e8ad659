package device

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/idlegrid/idlegrid/gpu/challenge"
)

//go:generate sh kernel/generate.sh

//go:embed kernel
var kernels embed.FS

// Kernel is a way to compute a product.
type Kernel string

// The kernels. Any device runs KernelDP4A. KernelIMMA and KernelHMMA need tensor cores and an N that is a multiple of 256;
// KernelHMMA does Fp16Ints only.
const (
	KernelAuto Kernel = ""     // the fastest that fits
	KernelDP4A Kernel = "dp4a" // dot products of four bytes
	KernelIMMA Kernel = "imma" // mma.sync on bytes
	KernelHMMA Kernel = "hmma" // mma.sync on binary16 with binary32 sums
)

// Source returns all kernels as one source in OpenCL C 1.2. Built with -DNO_TENSOR it leaves those on tensor cores out; without,
// it imitates them, which is for tests: slow, and 48 KiB of local memory.
func Source() string {
	names, err := fs.Glob(kernels, "kernel/*.cl")
	if err != nil {
		panic("device: Source: " + err.Error())
	}
	var b strings.Builder
	for _, n := range names { // Glob sorts
		b.WriteString(file(n))
	}
	return b.String()
}

// PlainPTX returns the kernels for compute capability 6.1 and later, without tensor cores.
func PlainPTX() string { return file("kernel/plain.ptx") }

// TensorPTX returns the kernels for compute capability 8.0 and later.
func TensorPTX() string { return file("kernel/tensor.ptx") }

func file(name string) string {
	b, err := kernels.ReadFile(name)
	if err != nil {
		panic("device: " + err.Error())
	}
	return string(b)
}

// Forms of a factor in memory, as the kernel generate takes them.
const (
	formBytes   = 0 // a byte of the stream is an entry
	formNibbles = 1 // four bits of the stream are an entry, kept in a byte
	formHalves  = 2 // four bits of the stream are an entry, kept as binary16
)

// plan is how a task's products are computed.
type plan struct {
	kernel     string
	tall, wide uint64 // rows and columns of a tile
	form       uint32
}

// plan picks the kernel for a task; the error wraps ErrKernel.
func (k Kernel) plan(info Info, s challenge.Spec) (plan, error) {
	tensor := info.Tensor && s.N%256 == 0
	if k == KernelAuto {
		switch {
		case !tensor:
			k = KernelDP4A
		case s.Kind == challenge.Fp16Ints && info.HalfFirst:
			k = KernelHMMA
		default: // bytes have twice the rate of binary16, and four bits fit into them
			k = KernelIMMA
		}
	}
	p := plan{kernel: "product_" + string(k), tall: 128, wide: 256, form: formBytes}
	if s.Kind == challenge.Fp16Ints {
		p.form = formNibbles
	}
	switch k {
	case KernelDP4A:
		p.wide = 128
		return p, nil
	case KernelIMMA:
	case KernelHMMA:
		if s.Kind != challenge.Fp16Ints {
			return plan{}, fmt.Errorf("%w: kernel %q, kind %s, want fp16ints", ErrKernel, k, s.Kind)
		}
		p.form = formHalves
	case KernelAuto:
		fallthrough
	default:
		return plan{}, fmt.Errorf("%w: kernel %q, want dp4a, imma or hmma", ErrKernel, k)
	}
	if !info.Tensor {
		return plan{}, fmt.Errorf("%w: kernel %q, device %q has no tensor cores that it can use", ErrKernel, k, info.Name)
	}
	if !tensor {
		return plan{}, fmt.Errorf("%w: kernel %q, n %d, want a multiple of 256", ErrKernel, k, s.N)
	}
	return p, nil
}

// factorBytes is the size of A and of Bt.
func (p plan) factorBytes(n uint64) uint64 {
	if p.form == formHalves {
		return 2 * n * n
	}
	return n * n
}

// blocks is the number of 16-byte blocks of the stream in a factor.
func (p plan) blocks(n uint64) uint64 {
	if p.form == formBytes {
		return n * n / 16
	}
	return n * n / 32
}
