package nvml_test

import (
	"testing"

	"github.com/idlegrid/idlegrid/gpu/nvml"
)

// A whole probe of eight H100s: 18 links each, 28 pairs, about 1900 calls.
func BenchmarkProbe(b *testing.B) {
	for _, binding := range nvml.Bindings() {
		b.Run(binding+"/devices=8", func(b *testing.B) {
			s := open(b, rig(b, hgx(8)).Path(), binding)
			for b.Loop() {
				if _, err := s.Probe(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
