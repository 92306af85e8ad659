package gpu_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/internal/script"
)

// TestMonitorScripts plays testdata/*.health.txt. Commands: at t=; probe [temp=] [width=] [pending=yes] [energy=] [boot=] [missing=why]
// [bus=driver]; log line=; test [ok=no] [ops=]; clear operator=; tick; show; restart.
func TestMonitorScripts(t *testing.T) {
	script.Run(t, "testdata/*.health.txt", func(t *testing.T) func(script.Command) string {
		m, err := gpu.NewMonitor(gpu.DefaultHealth())
		require.NoError(t, err)
		at := noon
		return func(c script.Command) string {
			switch c.Name {
			case "at":
				at, err = time.Parse(time.RFC3339, c.Str("t"))
				require.NoError(t, err)
				return ""
			case "show":
				var b strings.Builder
				for d := range m.Diagnoses() {
					b.WriteString(d.String() + "\n")
				}
				return b.String()
			case "restart":
				again, err := gpu.RestoreMonitor(gpu.DefaultHealth(), m.Snapshot())
				require.NoError(t, err)
				require.Equal(t, m.Digest(), again.Digest())
				m = again
				return ""
			}
			e, err := monitorEvent(t, c, at)
			if err != nil {
				return err.Error()
			}
			out, err := m.Apply(at, e)
			require.NoError(t, m.Audit())
			if err != nil {
				return err.Error()
			}
			var b strings.Builder
			for _, d := range out {
				b.WriteString(d.String() + "\n")
			}
			return b.String()
		}
	})
}

func monitorEvent(t *testing.T, c script.Command, at time.Time) (gpu.MonitorEvent, error) {
	t.Helper()
	switch c.Name {
	case "probe":
		inv := h100s(1, 1)
		inv.Taken, inv.BootID = at, c.Opt("boot", inv.BootID)
		r := fine()
		inv.Devices[0].Reading = r
		if c.Has("temp") {
			r.TempCelsius.V = int32(c.Uint("temp"))
		}
		if c.Has("width") {
			r.PCIeWidth.V = uint32(c.Uint("width"))
		}
		if c.Has("energy") {
			r.EnergyMillijoules.V = c.Uint("energy")
		}
		r.Rows.V.Pending = c.Opt("pending", "no") == "yes"
		if c.Has("missing") {
			inv.Missing = []gpu.Missing{{ID: inv.Devices[0].ID, Why: c.Str("missing")}}
			inv.Devices = nil
		}
		if c.Has("bus") {
			inv.PCIView = gpu.Some([]gpu.PCIFunction{{BusID: "0000:18:00.0", Driver: c.Str("bus")}})
			inv.Devices = nil
		}
		return gpu.Probed{Inventory: inv}, nil
	case "log":
		n, ok := gpu.ParseKernelLine(c.Str("line"))
		if !ok {
			return nil, errors.New("no notice")
		}
		return gpu.Noticed{Notice: n}, nil
	case "test":
		ops := uint64(1)
		if c.Has("ops") {
			ops = c.Uint("ops")
		}
		return gpu.SelfTested{Device: uuid(1), OK: c.Opt("ok", "yes") == "yes", Ops: ops}, nil
	case "clear":
		return gpu.Cleared{Device: uuid(1), Operator: c.Str("operator")}, nil
	case "tick":
		return gpu.Ticked{}, nil
	}
	t.Fatalf("unknown command %q", c.Name)
	return nil, nil
}
