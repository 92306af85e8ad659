package nvml_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/gputest"
	"github.com/idlegrid/idlegrid/gpu/nvml"
)

// The inventory that the library was made from comes back, field for field: what is there, and why something is not.
func TestRoundTrip(t *testing.T) {
	bindings(t, func(t *testing.T, binding string) {
		for _, name := range slices.Sorted(maps.Keys(profiles())) {
			t.Run(name, func(t *testing.T) {
				want := profiles()[name]
				s := open(t, rig(t, want).Path(), binding)
				got := probe(t, s)
				require.Equal(t, text(t, want), text(t, got))
				require.Equal(t, want.Digest(), got.Digest())
				got.Taken = gpuTime()
				require.NoError(t, got.Validate())
			})
		}
	})
}

// Whatever is asked, both bindings write the same bytes.
func TestBindingsAgree(t *testing.T) {
	if len(nvml.Bindings()) < 2 {
		t.Skip("NVML: one binding only")
	}
	for _, b := range nvml.Bindings() {
		settle(t, b)
	}
	faults := map[string]func(f *gputest.FakeNVML){
		"none":      func(*gputest.FakeNVML) {},
		"lost":      func(f *gputest.FakeNVML) { f.Lose(0) },
		"no-nul":    func(f *gputest.FakeNVML) { f.Switch("nonul", true) },
		"no-name":   func(f *gputest.FakeNVML) { f.Fail("nvmlDeviceGetName", 0, 999) },
		"forbidden": func(f *gputest.FakeNVML) { f.Fail("*", 0, 4) },
		"reset":     func(f *gputest.FakeNVML) { f.Fail("*", 0, 16) },
		"no-handle": func(f *gputest.FakeNVML) { f.Fail("nvmlDeviceGetHandleByIndex_v2", 0, 17) },
		"late-loss": func(f *gputest.FakeNVML) { f.Fail("nvmlDeviceGetDisplayActive", 0, 15) },
		"links":     func(f *gputest.FakeNVML) { f.Fail("nvmlDeviceGetNvLinkState", 0, 999) },
		"topology":  func(f *gputest.FakeNVML) { f.Fail("nvmlDeviceGetP2PStatus", 0, 3) },
	}
	for _, name := range slices.Sorted(maps.Keys(profiles())) {
		for _, fault := range slices.Sorted(maps.Keys(faults)) {
			t.Run(name+"/"+fault, func(t *testing.T) {
				f := rig(t, profiles()[name])
				var sources []*nvml.Source
				for _, b := range nvml.Bindings() {
					s := open(t, f.Path(), b)
					probe(t, s) // what was seen once is remembered by both, whatever ran before in this process
					sources = append(sources, s)
				}
				faults[fault](f)
				var got []string
				for _, s := range sources {
					got = append(got, text(t, probe(t, s)))
				}
				require.Equal(t, got[0], got[1])
			})
		}
	}
}
