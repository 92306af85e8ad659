//go:build linux && cgo

package nvml_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	direct "github.com/NVIDIA/go-nvml/pkg/nvml"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/gputest"
)

// ungated asks for a device's name as one would without a gate.
func ungated(path string) {
	lib := direct.New(direct.WithLibraryPath(path))
	if lib.Init() != direct.SUCCESS {
		os.Exit(3)
	}
	d, rc := lib.DeviceGetHandleByIndex(0)
	if rc != direct.SUCCESS {
		os.Exit(4)
	}
	name, _ := d.GetName()
	_, _ = fmt.Fprint(os.Stdout, name)
}

// What the gate is for: the same call, without it, ends the process if the symbol is absent.
func TestUngatedCallEndsTheProcess(t *testing.T) {
	out, err := spawn(t, "ungated:"+gputest.NewFakeNVML(t, hgx(1)).Path())
	require.NoError(t, err)
	require.Equal(t, h100(0).Model, string(out))

	_, err = spawn(t, "ungated:"+gputest.NewFakeNVML(t, hgx(1), "nvmlDeviceGetName").Path())
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 127, exit.ExitCode())
}
