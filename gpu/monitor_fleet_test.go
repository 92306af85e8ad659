package gpu_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
)

// A host whose GPUs the kernel's files cannot describe has lost none: an integrated GPU has no memory of its own, and NVIDIA's need
// a library that this source does not use. Lost would need a reboot to end, and no reboot would end it.
func TestSysfsLosesNothing(t *testing.T) {
	tree := nvidiaHost()
	function(tree, "0000:00:02.0", "030000", "8086", "4680", "0c", "i915")
	m, err := gpu.NewMonitor(gpu.DefaultHealth())
	require.NoError(t, err)
	for i := range 3 {
		inv := probe(t, tree)
		_, err := m.Apply(noon.Add(time.Duration(i)*time.Hour), gpu.Probed{Inventory: inv})
		require.NoError(t, err)
	}
	n := 0
	for d := range m.Diagnoses() {
		n++
		require.Equal(t, gpu.Degraded, d.Health, d.String())
		require.Equal(t, gpu.ActionCheckAgent, d.Action)
		require.Equal(t, gpu.ExitListed, d.Exit())
	}
	require.Equal(t, 2, n, "those with an id")
	// A device that fell off the bus reads as nonsense, and is lost as before.
	w := newWard(t)
	w.gone(gpu.WhyUnreadable + ": memory total")
	require.Equal(t, gpu.Lost, w.probe().Health)
}

// Who takes out an NVLink bridge for good says so once. Neither a reset nor a reboot lets the device forget that it had a link.
func TestBridgeTakenOut(t *testing.T) {
	w := newWard(t)
	w.reading().NVLinks = gpu.Some([]gpu.NVLink{{Index: 0}, {Index: 1}})
	require.Equal(t, []gpu.HealthRule{gpu.RuleNVLink}, held(w.probe()))
	w.reboot()
	w.probe()
	require.Equal(t, []gpu.HealthRule{gpu.RuleNVLink}, held(w.test(true)), "a link that does not come up is a fault")
	w.apply(gpu.Cleared{Device: uuid(1), Operator: "ann", Note: "bridge is out"})
	require.Empty(t, held(w.wait(time.Hour).probe()))
	w.reading().NVLinks = gpu.Some([]gpu.NVLink{{Index: 0, Up: true}, {Index: 1}})
	require.Empty(t, held(w.wait(time.Hour).probe()))
	w.reading().NVLinks = gpu.Some([]gpu.NVLink{{Index: 0}, {Index: 1}})
	require.Equal(t, []gpu.HealthRule{gpu.RuleNVLink}, held(w.wait(time.Hour).probe()))
}

// A device that is lent to a virtual machine and comes back needs no reboot, whether or not the source remembers that it was there.
func TestLentAndBack(t *testing.T) {
	for name, why := range map[string]string{"not mentioned": "", "taken for lost": gpu.WhyLost} {
		w := newWard(t)
		w.lose()
		w.inv.PCIView.V[0].Driver = "vfio-pci"
		if why != "" {
			w.inv.Missing = []gpu.Missing{{ID: uuid(1), BusID: "0000:18:00.0", Why: why}}
		}
		d := w.probe()
		require.Equal(t, []gpu.HealthRule{gpu.RuleAbsent}, held(d), name)
		require.Equal(t, gpu.Lost, d.Health)
		w.back()
		w.wait(time.Hour).probe()
		require.Equal(t, gpu.Healthy, w.test(true).Health, name)
	}
	w := newWard(t)
	w.lose()
	w.inv.Missing = []gpu.Missing{{ID: uuid(1), BusID: "0000:18:00.0", Why: gpu.WhyLost}}
	require.Equal(t, []gpu.HealthRule{gpu.RuleLost}, held(w.probe()))
}
