package gpu

import (
	"slices"
	"time"
)

const (
	steadyFor     = 2 * time.Minute // readings farther apart say nothing about the power in between
	leastApart    = 2 * time.Second // drivers renew the power and the energy ten times a second or less
	historyProbes = 10
	busyPercent   = 50
	boldMilliwatt = 2_000_000 // no device takes 2 kW: the bound where a device names no limit
)

// CheckSequence compares two inventories of one host, the earlier one first. Devices are matched by their ids; findings point
// into the later one. Counters may start again with a new boot, another driver, or a reset, which is recognised by the energy
// counter: what it shows then was used since.
func CheckSequence(before, after Inventory) []Finding {
	k := &checker{inv: after, device: Host}
	elapsed := after.Taken.Sub(before.Taken)
	if elapsed < 0 {
		k.add(ruleCounterBackwards, "taken %v, the inventory before it %v", after.Taken.UTC(), before.Taken.UTC())
		return k.out
	}
	for i, d := range after.Devices {
		j := slices.IndexFunc(before.Devices, func(o Device) bool { return o.ID == d.ID })
		if j < 0 {
			continue
		}
		k.device = i
		old := before.Devices[j]
		k.out = append(k.out, changed(old, d, i)...)
		if old.Reading != nil && d.Reading != nil {
			same := before.BootID == after.BootID && before.Driver == after.Driver
			k.checkCounters(old.Reading, d.Reading, same, elapsed)
		}
	}
	return k.out
}

// checkCounters compares two readings of one device. Same says that neither host nor driver started again in between.
func (k *checker) checkCounters(old, now *Reading, same bool, elapsed time.Duration) {
	// These last: a row that was remapped stays so, and aggregate counts are kept on the board.
	counterFell(k, "ecc_corrected_aggregate", old.CorrectedAggregate, now.CorrectedAggregate)
	counterFell(k, "ecc_uncorrected_aggregate", old.UncorrectedAggregate, now.UncorrectedAggregate)
	if was, is := old.Rows, now.Rows; was.OK && is.OK {
		counterFell(k, "rows.correctable", Some(was.V.Correctable), Some(is.V.Correctable))
		counterFell(k, "rows.uncorrectable", Some(was.V.Uncorrectable), Some(is.V.Uncorrectable))
	}
	if !same || restarted(old, now, elapsed) {
		return
	}
	counterFell(k, "energy_mj", old.EnergyMillijoules, now.EnergyMillijoules)
	counterFell(k, "pcie_replays", old.PCIeReplays, now.PCIeReplays)
	counterFell(k, "ecc_corrected_volatile", old.CorrectedVolatile, now.CorrectedVolatile)
	counterFell(k, "ecc_uncorrected_volatile", old.UncorrectedVolatile, now.UncorrectedVolatile)
	k.checkEnergy(old, now, elapsed)
}

// checkEnergy compares the energy used with the time and the power. Milliwatts x milliseconds are thousandths of a millijoule.
func (k *checker) checkEnergy(old, now *Reading, elapsed time.Duration) {
	from, to := old.EnergyMillijoules, now.EnergyMillijoules
	if !from.OK || !to.OK || to.V < from.V || elapsed < leastApart {
		return
	}
	used := to.V - from.V
	if most := energyAt(limitOf(now), elapsed); used > most/4*5 {
		k.add(ruleEnergyVsPower, "%d mJ in %v, the power limit allows %d", used, elapsed, most)
		return
	}
	p, q := old.PowerMilliwatts, now.PowerMilliwatts
	low, high := min(p.V, q.V), max(p.V, q.V)
	if !p.OK || !q.OK || low == 0 || elapsed > steadyFor || uint64(high)*4 > uint64(low)*5 {
		return // not steady: the mean of two readings says nothing
	}
	mean := energyAt((uint64(low)+uint64(high))/2, elapsed)
	if used < mean/2 || used > mean*2 {
		k.add(ruleEnergyVsPower, "%d mJ in %v, at %d to %d mW it is about %d", used, elapsed, low, high, mean)
	}
}

// CheckHistory looks at the last ten of the inventories of one host, in the order in which they were taken. A device that says
// it is at least half busy in all of them, and whose utilisation, power and temperature are each the same in all of them, is
// not measured. Findings point into the last inventory; fewer than ten inventories give nothing.
func CheckHistory(history []Inventory) []Finding {
	if len(history) < historyProbes {
		return nil
	}
	history = history[len(history)-historyProbes:]
	last := history[historyProbes-1]
	k := &checker{inv: last}
	for i, d := range last.Devices {
		k.device = i
		if r := d.Reading; r != nil && r.GPUUtilPercent.OK && r.GPUUtilPercent.V >= busyPercent && stoodStill(history, d) {
			k.add(ruleStaticTelemetry, "%d probes show %d %% busy, %d mW and %d C", historyProbes, r.GPUUtilPercent.V, r.PowerMilliwatts.V,
				r.TempCelsius.V)
		}
	}
	return k.out
}

// stoodStill reports whether all inventories, each taken later than the one before, have a device with the telemetry of d.
func stoodStill(history []Inventory, d Device) bool {
	for n, inv := range history {
		i := slices.IndexFunc(inv.Devices, func(o Device) bool { return o.ID == d.ID })
		if i < 0 || inv.Devices[i].Reading == nil || n > 0 && !inv.Taken.After(history[n-1].Taken) {
			return false
		}
		r := inv.Devices[i].Reading
		if !r.PowerMilliwatts.OK || !r.TempCelsius.OK || r.GPUUtilPercent != d.Reading.GPUUtilPercent ||
			r.PowerMilliwatts != d.Reading.PowerMilliwatts || r.TempCelsius != d.Reading.TempCelsius {
			return false
		}
	}
	return true
}

// restarted reports whether the energy counter began again between two readings: it fell, and to no more than can have been
// used since.
func restarted(old, now *Reading, elapsed time.Duration) bool {
	from, to := old.EnergyMillijoules, now.EnergyMillijoules
	return from.OK && to.OK && to.V < from.V && to.V <= energyAt(limitOf(now), elapsed)
}

// limitOf is the most that a device takes, in milliwatts.
func limitOf(r *Reading) uint64 {
	if w, ok := r.PowerMaxLimitMilliwatts.Get(); ok && w > 0 && w < boldMilliwatt {
		return uint64(w)
	}
	return boldMilliwatt
}

// energyAt is the energy of a power in milliwatts over a time, in millijoules rounded down. 2 kW over a century is 6e18 before
// the division and fits; the 292 years that a Duration holds would not.
func energyAt(milliwatts uint64, elapsed time.Duration) uint64 {
	return milliwatts * uint64(min(elapsed, 100*365*24*time.Hour)/time.Millisecond) / 1000
}

// fell reports a counter that went down.
func counterFell[T uint32 | uint64](k *checker, name string, old, now Opt[T]) {
	if old.OK && now.OK && now.V < old.V {
		k.add(ruleCounterBackwards, "%s was %d, is %d", name, old.V, now.V)
	}
}
