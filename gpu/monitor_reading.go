package gpu

import (
	"fmt"
	"math/bits"
	"time"
)

// read judges what a device that answers says of itself. A value that is missing is no evidence either way.
func (m *Monitor) read(d *patient, r *Reading) {
	if r == nil {
		return
	}
	m.readMemory(d, r)
	m.readHeat(d, r)
	m.readPCIe(d, r)
	m.readReplays(d, r)
	m.readLinks(d, r)
}

func (m *Monitor) readMemory(d *patient, r *Reading) {
	v := &d.vitals
	if rise(&v.volatile, r.UncorrectedVolatile) {
		m.uncorrected(d, fmt.Sprintf("%d uncorrectable ECC errors since the driver was loaded", v.volatile.V))
	}
	pending := r.Rows.OK && r.Rows.V.Pending || r.RetirementPending.OK && r.RetirementPending.V
	v.pendingKnown = r.Rows.OK || r.RetirementPending.OK
	switch {
	case pending:
		m.raise(d, RuleRowsPending, "a replacement is pending")
	case v.pendingKnown:
		d.end(RuleRowsPending)
	}
	if !r.Rows.OK {
		return
	}
	if r.Rows.V.Failed {
		m.raise(d, RuleRowsFailed, "a replacement of rows failed")
	}
	if n := r.Rows.V.Correctable; n > v.rows && n > m.params.CorrectedRows {
		m.raise(d, RuleCorrected, fmt.Sprintf("%d rows replaced for correctable errors", n))
	}
	v.rows = r.Rows.V.Correctable
}

// hardwareThrottle are the reasons by which the hardware protects itself.
const hardwareThrottle = ThrottleHWSlowdown | ThrottleHWThermal | ThrottleHWPowerBrake

func (m *Monitor) readHeat(d *patient, r *Reading) {
	over, known := int32(0), r.TempCelsius.OK && r.SlowdownCelsius.OK
	if known {
		over = clampSub(r.TempCelsius.V, r.SlowdownCelsius.V)
	}
	v := &d.vitals
	switch {
	case known && over >= 0 && v.hot.IsZero():
		v.hot = m.now
	case known && over < 0:
		v.hot = time.Time{}
	}
	slowed := r.Throttle.OK && r.Throttle.V&hardwareThrottle != 0
	switch {
	case slowed:
		m.raise(d, RuleThermal, fmt.Sprintf("clocks lowered by the hardware: %v", (r.Throttle.V&hardwareThrottle).Names()))
	case known && over >= 0 && m.now.Sub(v.hot) >= m.params.HotFor:
		m.raise(d, RuleThermal, fmt.Sprintf("%d C, slowdown is at %d C", r.TempCelsius.V, r.SlowdownCelsius.V))
	case known || r.Throttle.OK:
		m.steady(d, RuleThermal, !known || over <= -m.params.CoolCelsius)
	}
}

// clampSub is a - b without wrapping.
func clampSub(a, b int32) int32 { return int32(min(max(int64(a)-int64(b), -1<<31), 1<<31-1)) }

func (m *Monitor) readPCIe(d *patient, r *Reading) {
	if r.PCIeWidth.OK && r.PCIeMaxWidth.OK {
		if now, most := r.PCIeWidth.V, r.PCIeMaxWidth.V; now < most {
			m.raise(d, RulePCIeWidth, fmt.Sprintf("%d of %d lanes", now, most))
		} else {
			m.steady(d, RulePCIeWidth, true)
		}
	}
	if !r.PCIeGen.OK || !r.PCIeMaxGen.OK {
		return
	}
	// The generation falls at idle to save power, which says nothing.
	loaded := r.PState.OK && r.PState.V == 0 && (!r.GPUUtilPercent.OK || r.GPUUtilPercent.V > 0)
	switch now, most := r.PCIeGen.V, r.PCIeMaxGen.V; {
	case now >= most:
		m.steady(d, RulePCIeGen, true)
	case loaded:
		m.raise(d, RulePCIeGen, fmt.Sprintf("generation %d of %d under load", now, most))
	}
}

// readReplays judges the rate over windows of a minute or more: over a second, two replays would be 120 a minute. More than a minute's
// worth is too many before the minute is over.
func (m *Monitor) readReplays(d *patient, r *Reading) {
	if !r.PCIeReplays.OK {
		return
	}
	v := &d.vitals
	first := !v.replays.OK
	v.replays = r.PCIeReplays
	if first {
		v.windowBase, v.windowAt = v.replays.V, m.now
		return
	}
	grown := v.replays.V - v.windowBase // a fall was seen as a reset, and the base is 0 since
	passed := m.now.Sub(v.windowAt)
	window := max(passed, time.Minute)
	// 128-bit: both sides may pass 2^64.
	gotHi, gotLo := bits.Mul64(grown, uint64(time.Minute))
	mostHi, mostLo := bits.Mul64(uint64(m.params.ReplaysPerMinute), uint64(window))
	many := gotHi > mostHi || gotHi == mostHi && gotLo > mostLo
	if many {
		m.raise(d, RuleReplays, fmt.Sprintf("%d replays in %v", grown, window))
	}
	if many || passed >= time.Minute {
		v.windowBase, v.windowAt = v.replays.V, m.now
	}
}

// readLinks judges links that were up before: a link that never was may have no bridge.
func (m *Monitor) readLinks(d *patient, r *Reading) {
	v := &d.vitals
	if r.Fabric.OK {
		f := r.Fabric.V
		v.switched = v.switched || f.State != "not-supported"
		switch {
		case f.State == "not-supported", f.State == "completed" && (f.Status == "" || f.Status == "success"):
			d.end(RuleFabric)
		default:
			m.raise(d, RuleFabric, cut(fmt.Sprintf("fabric state %q, status %q", f.State, f.Status)))
		}
	}
	if !r.NVLinks.OK {
		return
	}
	var up, down, sum uint64
	for _, l := range r.NVLinks.V {
		bit := uint64(1) << (l.Index & 63)
		if l.Up {
			up |= bit
		} else {
			down |= bit
		}
		v.switched = v.switched || l.RemoteKind == "switch"
		sum += l.CRCErrors.V + l.Replays.V + l.Recoveries.V // wraps: only whether it changes is asked
	}
	still := v.links.OK && v.links.V == sum
	v.links = Some(sum)
	if lost := v.linksUp & down; lost != 0 {
		m.raise(d, RuleNVLink, fmt.Sprintf("link %d is down", bits.TrailingZeros64(lost)))
	} else {
		m.steady(d, RuleNVLink, still && v.linksUp&^up == 0)
	}
	v.linksUp |= up
}

// steady notes a good or an indifferent reading for a rule that ends by good ones. An indifferent one starts the time anew.
func (m *Monitor) steady(d *patient, r HealthRule, good bool) {
	c := d.get(r)
	switch {
	case c == nil:
	case !good:
		c.good = time.Time{}
	case c.good.IsZero():
		c.good = m.now
	case m.now.Sub(c.good) >= m.params.wait(r):
		d.end(r)
	}
}
