package nvml_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/nvml"
)

// Any host that NVML can express comes back as it was, through every binding.
func FuzzRoundTrip(f *testing.F) {
	if len(nvml.Bindings()) == 0 {
		f.Skip("NVML: no binding on this platform")
	}
	for _, b := range nvml.Bindings() {
		settle(f, b)
	}
	for seed := range uint64(8) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		want := random(seed)
		path := rig(t, want).Path()
		for _, b := range nvml.Bindings() {
			require.Equal(t, text(t, want), text(t, probe(t, open(t, path, b))))
		}
	})
}

// Any code from any function of a device: no panic, both bindings the same, and the other device whole.
func FuzzFaults(f *testing.F) {
	if len(nvml.Bindings()) == 0 {
		f.Skip("NVML: no binding on this platform")
	}
	for _, b := range nvml.Bindings() {
		settle(f, b)
	}
	symbols := deviceSymbols(f)
	f.Add(uint8(0), int16(999), []byte("GPU-x"))
	f.Add(uint8(7), int16(15), []byte("\xff\x00 name"))
	f.Add(uint8(31), int16(-1), []byte(" padded "))
	f.Fuzz(func(t *testing.T, which uint8, code int16, name []byte) {
		const insufficientSize = 7 // go-nvml then asks for ever more: see the package comment
		if code == insufficientSize || code == 1 || code == 9 || code == 0 {
			t.Skip()
		}
		inv := hgx(2)
		inv.Devices[1].Model = string(name)
		inv.Devices[1].Serial = string(name)
		lib := rig(t, inv)
		lib.Fail(symbols[int(which)%len(symbols)], 1, int(code))
		var got []string
		for _, b := range nvml.Bindings() {
			seen := probe(t, open(t, lib.Path(), b))
			require.Equal(t, text(t, gpu.Inventory{Devices: hgx(1).Devices}), text(t, hostOf(seen, 0)))
			got = append(got, text(t, seen))
			seen.Taken = gpuTime()
			require.NoError(t, seen.Validate(), "what is read can be reported")
		}
		for _, g := range got {
			require.Equal(t, got[0], g)
		}
	})
}
