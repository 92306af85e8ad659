package gpu

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Every invariant that Audit names is found broken when it is.
func TestAuditFinds(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for want, spoil := range map[string]func(g *Registry){
		"1 keys for 2 of agents":       func(g *Registry) { delete(g.byKey, [32]byte{9}) },
		"1 ids for 2 devices":          func(g *Registry) { delete(g.byID, "GPU-0") },
		"found as agent 1, is 0":       func(g *Registry) { g.byKey[[32]byte{8}] = 1 },
		"found as device 1, is 0":      func(g *Registry) { g.byID["GPU-0"] = 1 },
		"supplier is empty":            func(g *Registry) { g.agents[1].supplier = "" },
		"of small order":               func(g *Registry) { g.agents[1].key = [32]byte{1}; g.byKey = map[[32]byte]int32{{8}: 0, {1}: 1} },
		"challenge without a nonce":    func(g *Registry) { g.agents[1].open = true },
		"devices without a report":     func(g *Registry) { g.agents[0].seq = 0 },
		"device 1 belongs to agent 1":  func(g *Registry) { g.records[1].agent = 1 },
		"keys have 1 devices of 2":     func(g *Registry) { g.agents[0].records = g.agents[0].records[:1] },
		"since":                        func(g *Registry) { g.records[0].since = at.Add(1) },
		"seen":                         func(g *Registry) { g.records[0].seen = at.Add(1) },
		"assurance proven of an":       func(g *Registry) { g.records[0].assurance = Proven },
		"proved":                       func(g *Registry) { g.records[0].proved = at.Add(1) },
		"1 chips for 0":                func(g *Registry) { g.byChip["c"] = 0 },
		"chip \"c\" found on device 1": func(g *Registry) { g.records[0].chip = "c"; g.byChip["c"] = 1 },
		"replaced key":                 func(g *Registry) { g.agents[0].old = [][32]byte{{7}}; g.byKey[[32]byte{7}] = 1 },
		"revoked with an open":         func(g *Registry) { g.agents[1].open, g.agents[1].revoked = true, "stolen" },
		"devices lists \"x\" twice":    func(g *Registry) { g.agents[0].only = []DeviceID{"x", "x"} },
		"memory_mib 0 is not in":       func(g *Registry) { g.records[0].device.MemoryMiB = 0 },
	} {
		g, err := NewRegistry(Default())
		require.NoError(t, err)
		for i, name := range []string{"ann", "bob"} {
			_, err := g.Apply(at, Enrolled{Key: [32]byte{byte(8 + i)}, Supplier: name})
			require.NoError(t, err)
		}
		var devices []Device
		for i := range 2 {
			devices = append(devices, Device{
				ID: DeviceID(fmt.Sprint("GPU-", i)), Model: "m", Vendor: NVIDIA, PCIDeviceID: 1, MemoryMiB: 1, BusID: fmt.Sprintf("0000:%02d:00.0", i),
			})
		}
		g.agents[0].seq = 1
		g.admit(at, verdict{inv: Inventory{Devices: devices}, findings: []Finding{{Rule: ruleNameUnknown}}})
		require.NoError(t, g.Audit())
		spoil(g)
		require.ErrorContains(t, g.Audit(), want)
	}
}
