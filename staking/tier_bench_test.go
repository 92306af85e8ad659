package staking_test

import (
	"testing"
	"time"

	"github.com/idlegrid/idlegrid/staking"
)

func BenchmarkAssess(b *testing.B) {
	policy := staking.DefaultTiers()
	for _, c := range []struct {
		name     string
		evidence staking.Evidence
	}{{"tier=4", best()}, {"tier=3", without()}, {"tier=0", staking.Evidence{}}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				policy.Assess(c.evidence, when)
			}
		})
	}
}

func BenchmarkRegrade(b *testing.B) {
	policy := staking.DefaultTiers()
	proved := func(e staking.Evidence, at time.Time) staking.Evidence {
		e.HardwareProvedAt = at
		return e
	}
	for _, c := range []struct {
		name     string
		evidence staking.Evidence
		hours    int // after the device reached tier 4
	}{{"tier=4", evergreen(), 1}, {"tier=4,grace", until(2 * oneDay), 48}, {"tier=0", staking.Evidence{}, 1}} {
		b.Run(c.name, func(b *testing.B) {
			var held staking.Grade
			for _, at := range []time.Duration{0, oneDay, oneDay + time.Duration(c.hours)*time.Hour} {
				g, _, err := policy.Regrade(held, proved(c.evidence, when.Add(at)), when.Add(at))
				if err != nil {
					b.Fatal(err)
				}
				held = g
			}
			e := proved(c.evidence, held.At)
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := policy.Regrade(held, e, held.At); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
