package gpu_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/internal/script"
)

// TestScripts plays testdata/*.txt. Commands: at t=; enrol key= supplier=; challenge key= nonce=; report key= seq= nonce=
// [sent=] [devices=id,id] [model= pci= mib=] [serial=] [flip=bit]; devices; restart.
func TestScripts(t *testing.T) {
	script.Run(t, "testdata/*.script.txt", func(t *testing.T) func(script.Command) string {
		g := registry(t)
		at := noon
		return func(c script.Command) string {
			switch c.Name {
			case "at":
				var err error
				at, err = time.Parse(time.RFC3339, c.Str("t"))
				require.NoError(t, err)
				return ""
			case "devices":
				var b strings.Builder
				for r := range g.Devices() {
					fmt.Fprintf(&b, "%s %s of %s: %v, present %v, since %s, seen %s\n", r.Device.ID[4:12], r.Device.Model, r.Supplier,
						r.Assurance, r.Present, r.Since.Format(time.TimeOnly), r.Seen.Format(time.TimeOnly))
				}
				return b.String()
			case "restart":
				again, err := gpu.Restore(gpu.Default(), g.Snapshot())
				require.NoError(t, err)
				require.Equal(t, g.Digest(), again.Digest())
				g = again
				return ""
			}
			before := g.Digest()
			out, err := g.Apply(at, event(t, c, at))
			require.NoError(t, g.Audit())
			if err != nil {
				require.Equal(t, before, g.Digest())
				return err.Error()
			}
			return effects(out)
		}
	})
}

func event(t *testing.T, c script.Command, at time.Time) gpu.Event {
	t.Helper()
	_, public := agentKey(c.Str("key"))
	switch c.Name {
	case "enrol":
		return gpu.Enrolled{Key: public, Supplier: c.Str("supplier")}
	case "challenge":
		return gpu.Challenged{Key: public, Nonce: nonce(c.Uint("nonce"))}
	case "report":
		var inv gpu.Inventory
		for i, text := range strings.Split(c.Opt("devices", "1"), ",") {
			n, err := strconv.ParseUint(text, 10, 32)
			require.NoError(t, err)
			one := h100s(n, 1)
			d := &one.Devices[0]
			d.BusID = fmt.Sprintf("00000000:%02X:00.0", i+1)
			if c.Has("model") {
				pci, err := strconv.ParseUint(c.Str("pci"), 16, 16)
				require.NoError(t, err)
				d.Model, d.PCIDeviceID, d.MemoryMiB = c.Str("model"), uint16(pci), c.Uint("mib")
			}
			d.Serial = c.Opt("serial", d.Serial)
			one.Devices = append(inv.Devices, *d)
			inv = one
		}
		if c.Has("sent") {
			d, err := time.ParseDuration(c.Str("sent"))
			require.NoError(t, err)
			at = at.Add(d)
		}
		b := sign(t, c.Str("key"), c.Uint("seq"), at, nonce(c.Uint("nonce")), inv)
		if c.Has("flip") {
			bit := c.Uint("flip")
			b[bit/8] ^= 1 << (bit % 8)
		}
		return gpu.Reported{Signed: b}
	}
	t.Fatalf("unknown command %q", c.Name)
	return nil
}

func effects(out []gpu.Effect) string {
	var b strings.Builder
	for _, e := range out {
		a := e.(gpu.Admitted)
		fmt.Fprintf(&b, "admitted %d devices of %s: %v\n", len(a.Inventory.Devices), a.Supplier, a.Assurance)
		for _, f := range a.Findings {
			fmt.Fprintf(&b, "  %v\n", f)
		}
	}
	return b.String()
}
