//go:build linux && (amd64 || arm64)

package cuda

import (
	"fmt"

	"github.com/idlegrid/idlegrid/gpu"
)

const codeNoDevice = 100

// result is a CUresult of cuda.h that is not 0.
type result int32

// String returns the name in cuda.h, where it is known here, and the number.
func (r result) String() string {
	for _, k := range results() {
		if k.code == r {
			return fmt.Sprintf("%s, %d", k.name, r)
		}
	}
	return fmt.Sprintf("CUDA error %d", int32(r))
}

// kind is the error, of this package or of gpu, that a result stands for, nil if it is none of them.
func (r result) kind() error {
	for _, k := range results() {
		if k.code == r {
			return k.kind
		}
	}
	return nil
}

// known is a result that says something about the world rather than about the call.
type known struct {
	code result
	name string
	kind error
}

// results lists them. After those that mean ErrLost the context is of no use: CUDA answers every later call with the same.
func results() []known {
	return []known{
		{1, "CUDA_ERROR_INVALID_VALUE", nil},
		{2, "CUDA_ERROR_OUT_OF_MEMORY", ErrMemory},
		{3, "CUDA_ERROR_NOT_INITIALIZED", nil},
		{4, "CUDA_ERROR_DEINITIALIZED", ErrLost},
		{34, "CUDA_ERROR_STUB_LIBRARY", nil},
		{46, "CUDA_ERROR_DEVICE_UNAVAILABLE", ErrLost},
		{codeNoDevice, "CUDA_ERROR_NO_DEVICE", ErrNoDevice},
		{101, "CUDA_ERROR_INVALID_DEVICE", ErrNoDevice},
		{201, "CUDA_ERROR_INVALID_CONTEXT", nil},
		{209, "CUDA_ERROR_NO_BINARY_FOR_GPU", gpu.ErrUnsupported},
		{214, "CUDA_ERROR_ECC_UNCORRECTABLE", ErrLost},
		{218, "CUDA_ERROR_INVALID_PTX", nil},
		{220, "CUDA_ERROR_NVLINK_UNCORRECTABLE", ErrLost},
		{222, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION", gpu.ErrUnsupported},
		{500, "CUDA_ERROR_NOT_FOUND", nil},
		{700, "CUDA_ERROR_ILLEGAL_ADDRESS", ErrLost},
		{701, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", nil},
		{702, "CUDA_ERROR_LAUNCH_TIMEOUT", ErrLost},
		{709, "CUDA_ERROR_CONTEXT_IS_DESTROYED", ErrLost},
		{714, "CUDA_ERROR_HARDWARE_STACK_ERROR", ErrLost},
		{715, "CUDA_ERROR_ILLEGAL_INSTRUCTION", ErrLost},
		{716, "CUDA_ERROR_MISALIGNED_ADDRESS", ErrLost},
		{717, "CUDA_ERROR_INVALID_ADDRESS_SPACE", ErrLost},
		{718, "CUDA_ERROR_INVALID_PC", ErrLost},
		{719, "CUDA_ERROR_LAUNCH_FAILED", ErrLost},
		{802, "CUDA_ERROR_SYSTEM_NOT_READY", nil},
		{803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", nil},
		{999, "CUDA_ERROR_UNKNOWN", nil},
	}
}
