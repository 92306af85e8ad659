package nvml_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/gputest"
	"github.com/idlegrid/idlegrid/gpu/nvml"
)

// The real driver, where there is one: both bindings find the same devices and miss the same values for the same reasons, and
// the inventory can be reported. It is printed with serial numbers and UUIDs masked, to be kept as a real inventory. A child
// reads it, because go-nvml has bound the fake in this process.
func TestRealDriver(t *testing.T) {
	gputest.Require(t)
	out, err := spawn(t, nvml.DefaultLibrary)
	require.NoError(t, err, "%s", out)
	var all []outcome
	require.NoError(t, json.Unmarshal(out, &all))
	require.Len(t, all, len(nvml.Bindings()))
	for _, o := range all {
		require.Empty(t, o.Err)
		inv := o.Inventory
		inv.Taken = gpuTime()
		require.NoError(t, inv.Validate())
		require.Equal(t, all[0].Inventory.Digest(), inv.Digest())
		require.Equal(t, all[0].Inventory.LibrarySHA, inv.LibrarySHA)
		require.Equal(t, reasons(t, all[0].Inventory), reasons(t, inv))
	}
	t.Log(text(t, masked(all[0].Inventory)))
}

// reasons lists the lines that say why something is missing: they do not change from one probe to the next.
func reasons(t *testing.T, inv gpu.Inventory) []string {
	t.Helper()
	var out []string
	for line := range strings.Lines(text(t, inv)) {
		if strings.Contains(line, `"why"`) {
			out = append(out, line)
		}
	}
	return out
}

func masked(inv gpu.Inventory) gpu.Inventory {
	for i := range inv.Devices {
		d := &inv.Devices[i]
		d.ID, d.Serial = h100(i).ID, strings.Repeat("0", len(d.Serial))
		d.Reading.Processes = gpu.Opt[[]gpu.Process]{}
	}
	return inv
}
