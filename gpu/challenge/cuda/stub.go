//go:build !linux || !(amd64 || arm64)

package cuda

import (
	"fmt"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/challenge/internal/device"
)

func open(Config) (device.Driver, error) { return nil, fmt.Errorf("cuda: %w", gpu.ErrUnsupported) }

func list(string) (string, []gpu.CUDADevice, error) {
	return "", nil, fmt.Errorf("cuda: %w", gpu.ErrUnsupported)
}
