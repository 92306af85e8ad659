package gpu_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
)

// Levels are climbed one by one and lapse by themselves; each boundary and both its neighbours.
func TestAssuranceOverTime(t *testing.T) {
	g := enrolled(t)
	id := uuid(1)
	_, err := g.Apply(noon, gpu.Proved{Device: id})
	require.ErrorIs(t, err, gpu.ErrUnknownDevice)
	_, known := g.Assurance(id, noon)
	require.False(t, known)
	_, err = turn(t, g, noon, "ann", 2, gpu.InventoryReport, h100s(1, 1))
	require.NoError(t, err)

	day := 24 * time.Hour
	at := noon.Add(time.Hour)
	require.Equal(t, []gpu.Effect{gpu.AssuranceChanged{Device: id, From: gpu.Consistent, To: gpu.Proven, Why: "passed a challenge"}},
		apply(t, g, at, gpu.Proved{Device: id}))
	require.Empty(t, apply(t, g, at, gpu.Proved{Device: id}), "no change, no effect")
	require.Equal(t, []gpu.Effect{gpu.AssuranceChanged{Device: id, From: gpu.Proven, To: gpu.Attested, Why: "attested as chip 41"}},
		apply(t, g, at.Add(time.Hour), gpu.ChipAttested{Device: id, ChipID: "41"}))
	for _, c := range []struct {
		at   time.Time
		want gpu.Assurance
	}{
		{noon.Add(day), gpu.Attested}, {noon.Add(day + 1), gpu.Claimed},
	} {
		level, known := g.Assurance(id, c.at)
		require.True(t, known)
		require.Equal(t, c.want, level, "%v", c.at)
	}
	at = noon.Add(20 * time.Hour) // a new inventory carries Consistent on; then the proof lapses, then the attestation
	_, err = turn(t, g, at, "ann", 3, gpu.InventoryReport, h100s(1, 1))
	require.NoError(t, err)
	for _, c := range []struct {
		after time.Duration // since the proof
		want  gpu.Assurance
	}{{day - 1, gpu.Attested}, {day, gpu.Attested}, {day + 1, gpu.Consistent}} {
		level, _ := g.Assurance(id, noon.Add(time.Hour+c.after))
		require.Equal(t, c.want, level, "%v", c.after)
	}
	apply(t, g, noon.Add(25*time.Hour), gpu.Proved{Device: id})
	for _, c := range []struct {
		after time.Duration // since the attestation
		want  gpu.Assurance
	}{{day - 1, gpu.Attested}, {day, gpu.Attested}, {day + 1, gpu.Proven}} {
		level, _ := g.Assurance(id, noon.Add(2*time.Hour+c.after))
		require.Equal(t, c.want, level, "%v", c.after)
	}
	out := apply(t, g, noon.Add(25*time.Hour), gpu.Disproved{Device: id, Reason: "value"})
	require.Equal(t, []gpu.Effect{gpu.AssuranceChanged{
		Device: id, From: gpu.Attested, To: gpu.Consistent, Why: "failed a challenge: value",
	}}, out)
	_, err = g.Apply(noon.Add(25*time.Hour), gpu.Disproved{Device: id})
	require.ErrorIs(t, err, gpu.ErrInvalid, "without a reason")
}

// What was shown of a card says nothing of the card that came in its place.
func TestProofsGoWithTheCard(t *testing.T) {
	proven := func() *gpu.Registry {
		g := enrolled(t)
		_, err := turn(t, g, noon, "ann", 2, gpu.InventoryReport, h100s(1, 1))
		require.NoError(t, err)
		apply(t, g, noon, gpu.Proved{Device: uuid(1)})
		apply(t, g, noon, gpu.ChipAttested{Device: uuid(1), ChipID: "41"})
		return g
	}
	for name, c := range map[string]struct {
		change func(*gpu.Inventory)
		want   gpu.Assurance
		chip   string
	}{
		"the same":            {func(*gpu.Inventory) {}, gpu.Attested, "41"},
		"another slot":        {func(i *gpu.Inventory) { i.Devices[0].BusID = "00000000:99:00.0" }, gpu.Attested, "41"},
		"another boot":        {func(i *gpu.Inventory) { i.BootID = "b" }, gpu.Attested, "41"},
		"another driver":      {func(i *gpu.Inventory) { i.Driver = "580.65.06" }, gpu.Proven, "41"},
		"another VBIOS":       {func(i *gpu.Inventory) { i.Devices[0].VBIOS = "96.00" }, gpu.Consistent, ""},
		"another serial":      {func(i *gpu.Inventory) { i.Devices[0].Serial = "7" }, gpu.Consistent, ""},
		"gone":                {func(i *gpu.Inventory) { i.Devices[0].ID = uuid(2) }, gpu.Claimed, "41"},
		"a name nobody knows": {func(i *gpu.Inventory) { i.Devices[0].Model = "NVIDIA Tomorrow" }, gpu.Claimed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := proven()
			inv := h100s(1, 1)
			c.change(&inv)
			_, err := turn(t, g, noon, "ann", 3, gpu.InventoryReport, inv)
			require.NoError(t, err)
			r, _ := g.Device(uuid(1))
			require.Equal(t, c.want, r.Assurance)
			require.Equal(t, c.chip, r.ChipID)
		})
	}
}

// A device that nobody knows, such as the processor's own GPU, does not lower the one beside it.
func TestUnknownNeighbour(t *testing.T) {
	g := enrolled(t)
	inv := h100s(1, 3)
	d := &inv.Devices[1]
	d.ID, d.Vendor, d.PCIDeviceID, d.Model, d.MemoryMiB, d.Serial = "SLOT-2", gpu.AMD, 0x164e, "AMD 164e", 512, ""
	_, err := turn(t, g, noon, "ann", 2, gpu.InventoryReport, inv)
	require.NoError(t, err)
	for i, want := range []gpu.Assurance{gpu.Consistent, gpu.Claimed, gpu.Consistent} {
		r, _ := g.Device(inv.Devices[i].ID)
		require.Equal(t, want, r.Assurance, i)
	}
}

// One chip is one device, whoever reports it under whatever UUID.
func TestChipIsUnique(t *testing.T) {
	g := enrolled(t)
	_, err := turn(t, g, noon, "ann", 2, gpu.InventoryReport, h100s(1, 2))
	require.NoError(t, err)
	apply(t, g, noon, gpu.ChipAttested{Device: uuid(1), ChipID: "41"})
	_, err = g.Apply(noon, gpu.ChipAttested{Device: uuid(2), ChipID: "41"})
	require.EqualError(t, err, fmt.Sprintf("gpu: device %q is known under another key, of supplier \"ann\"", string(uuid(1))))
	apply(t, g, noon, gpu.ChipAttested{Device: uuid(1), ChipID: "42"}) // the board was repaired
	apply(t, g, noon, gpu.ChipAttested{Device: uuid(2), ChipID: "41"})
	_, err = g.Apply(noon, gpu.ChipAttested{Device: uuid(1)})
	require.ErrorIs(t, err, gpu.ErrInvalid)
	_, err = g.Apply(noon, gpu.ChipAttested{Device: "GPU-none", ChipID: "43"})
	require.ErrorIs(t, err, gpu.ErrUnknownDevice)
}
