//go:build !(linux || darwin) || !(amd64 || arm64)

package opencl

import (
	"fmt"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/challenge/internal/device"
)

func open(Config) (device.Driver, error) { return nil, fmt.Errorf("opencl: %w", gpu.ErrUnsupported) }

func list(string) ([]Info, error) { return nil, fmt.Errorf("opencl: %w", gpu.ErrUnsupported) }
