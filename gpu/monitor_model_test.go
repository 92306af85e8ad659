package gpu_test

import (
	"time"

	"github.com/idlegrid/idlegrid/gpu"
)

// fact is what one event said about one device. A history of facts is all that the model below has.
type fact struct {
	at             time.Time
	probe, listed  bool
	reboot, reload bool         // of a probe: another boot id; that or another driver
	r              *gpu.Reading // of a listed device
	why            string       // of an unlisted one: in Missing
	onBus          string       // of an unlisted one: the driver that it is bound to on the PCI bus; empty: not on it
	n              *gpu.Notice
	test           int // 1 passed, -1 failed
	cleared        bool
}

// step is one thing that matters to one rule, in the order in which the things of one event count.
type step struct {
	at   time.Time
	kind byte // 'r' raised, 'R' a reset was seen, 'B' a reboot was seen, 'p' test passed, 'g' good, 'b' bad, 'e' ended, 'l' listed, 'c' cleared, 't' time
}

// model recomputes from the whole history which rules hold for a device, one rule after the other, with nothing kept between calls.
type model struct {
	p     gpu.HealthParams
	x     *gpu.Xids
	facts []fact
	// What a fact means does not change with what follows: it is computed once.
	restarts []bool
	meaning  map[gpu.HealthRule][]step
}

// add appends a fact.
func (m *model) add(f fact) {
	m.facts = append(m.facts, f)
	i := len(m.facts) - 1
	m.restarts = append(m.restarts, m.sawRestart(i))
	for r := gpu.RuleNone + 1; r.Exit() != gpu.ExitNone; r++ {
		for _, k := range m.steps(r, i) {
			m.meaning[r] = append(m.meaning[r], step{f.at, byte(k)})
		}
	}
}

// holds lists the rules that hold, and whether each is left to an operator.
func (m *model) holds() map[gpu.HealthRule]bool {
	out := map[gpu.HealthRule]bool{}
	for r := gpu.RuleNone + 1; r.Exit() != gpu.ExitNone; r++ {
		if on, operator := m.rule(r); on {
			out[r] = operator
		}
	}
	return out
}

func (m *model) rule(r gpu.HealthRule) (on, operator bool) {
	if r == gpu.RuleAppFault {
		return m.appFault(), false
	}
	wait, quiet := map[gpu.HealthRule]time.Duration{
		gpu.RuleDriver: m.p.DriverQuiet, gpu.RulePower: m.p.DriverQuiet, gpu.RuleCorrected: m.p.CorrectedQuiet, gpu.RuleReplays: m.p.ReplayQuiet,
	}[r]
	steady := map[gpu.HealthRule]time.Duration{
		gpu.RuleThermal: m.p.CoolFor, gpu.RulePCIeWidth: m.p.PCIeSteady, gpu.RulePCIeGen: m.p.PCIeSteady, gpu.RuleNVLink: m.p.NVLinkSteady,
	}[r]
	most := map[gpu.HealthRule]int{gpu.RuleSelfTest: int(m.p.TestRepeats), gpu.RuleUncorrected: int(m.p.MemoryRepeats)}[r]
	var last, good time.Time
	var incidents []time.Time
	reset, reboot, passes := false, false, 0
	for _, s := range m.meaning[r] {
		if quiet && on && !s.at.Before(last.Add(wait)) {
			on = false
		}
		switch s.kind {
		case 'r':
			if r == gpu.RuleSelfTest || r == gpu.RuleUncorrected && (!on || reset) {
				incidents = append(incidents, s.at)
			}
			if n := len(incidents); most > 0 && n >= most && s.at.Sub(incidents[n-most]) <= m.p.RepeatWindow {
				operator = true
			}
			on, last, good, reset, reboot, passes = true, s.at, time.Time{}, false, false, 0
		case 'B':
			reset, reboot = true, true
		case 'R':
			reset = true
		case 'p':
			passes++
			switch {
			case operator || r == gpu.RuleRowsFailed:
			case r == gpu.RuleReset || r == gpu.RuleUncorrected || r == gpu.RuleNVLink:
				on = on && !reset
			case r == gpu.RuleRestartVM || r == gpu.RuleRecoveryBoot || r == gpu.RuleLost:
				on = on && !reboot
			case r == gpu.RuleStuck || r == gpu.RuleAbsent:
				on = false
			case r == gpu.RuleSelfTest:
				on = on && passes < int(m.p.TestPasses)
			}
		case 'g':
			if good.IsZero() {
				good = s.at
			} else if s.at.Sub(good) >= steady {
				on = false
			}
		case 'b':
			good = time.Time{}
		case 'e':
			on = false
		case 'c':
			on, operator, incidents = false, false, nil
		}
	}
	return on, operator && on
}

// steps tells what fact i means for a rule.
func (m *model) steps(r gpu.HealthRule, i int) string {
	f := &m.facts[i]
	switch {
	case f.cleared:
		return "c"
	case f.test > 0:
		return "p"
	case f.test < 0 && r == gpu.RuleSelfTest:
		return "r"
	case f.n != nil:
		return m.noticeSteps(r, f.n, i)
	case f.probe:
		return m.probeSteps(r, i)
	}
	return "t"
}

func (m *model) noticeSteps(r gpu.HealthRule, n *gpu.Notice, i int) string {
	wasReset := "R"
	if r == gpu.RuleDrainP2P || r == gpu.RuleRowsPending && !m.pendingKnown(i) {
		wasReset = "e"
	}
	rule := gpu.RuleNone
	switch n.Kind {
	case gpu.NoticeReset:
		return wasReset
	case gpu.NoticeLost:
		rule = gpu.RuleLost
	case gpu.NoticeUncorrected:
		rule = gpu.RuleUncorrected
	case gpu.NoticeHang:
		if n.Fatal.V {
			rule = gpu.RuleReset
		}
	case gpu.NoticeXid:
		if n.Xid == 154 && n.SubCode.OK && n.SubCode.V == 0 {
			return wasReset
		}
		rule = m.x.Rule(*n)
	}
	if rule == r && r != gpu.RuleAppFault {
		return "r"
	}
	return "t"
}

// before is the last reading before fact i that has the value; at is its fact, -1 if there is none.
func (m *model) before(i int, has func(*gpu.Reading) bool) (at int) {
	for i--; i >= 0; i-- {
		if f := m.facts[i]; f.listed && f.r != nil && has(f.r) {
			return i
		}
	}
	return -1
}

type counter func(*gpu.Reading) gpu.Opt[uint64]

func energy(r *gpu.Reading) gpu.Opt[uint64]     { return r.EnergyMillijoules }
func volatileUE(r *gpu.Reading) gpu.Opt[uint64] { return r.UncorrectedVolatile }
func aggregate(r *gpu.Reading) gpu.Opt[uint64]  { return r.UncorrectedAggregate }
func replayed(r *gpu.Reading) gpu.Opt[uint64]   { return r.PCIeReplays }

// base is what a counter stood at before fact i: 0 if the driver was loaded anew since it was read and it restarts.
func (m *model) base(i int, c counter, restarts bool) (uint64, bool) {
	j := m.before(i, func(r *gpu.Reading) bool { return c(r).OK })
	if j < 0 {
		return 0, false
	}
	for k := j + 1; restarts && k < i; k++ {
		if m.reloaded(k) {
			return 0, true
		}
	}
	return c(m.facts[j].r).V, true
}

func (m *model) reloaded(i int) bool { return m.restarts[i] }

// sawRestart reports whether the probe of fact i shows a reset.
func (m *model) sawRestart(i int) bool {
	f := m.facts[i]
	if !f.probe || f.reload {
		return f.probe
	}
	for _, c := range []counter{energy, volatileUE, replayed} {
		restarts := !c(&gpu.Reading{EnergyMillijoules: gpu.Some(uint64(1))}).OK // energy is compared with what was read
		if was, ok := m.base(i, c, restarts); ok && f.listed && f.r != nil && c(f.r).OK && c(f.r).V < was {
			return true
		}
	}
	return false
}

func (m *model) rose(i int, c counter, restarts bool) bool {
	f := m.facts[i]
	if f.r == nil || !f.listed || !c(f.r).OK {
		return false
	}
	was, ok := m.base(i, c, restarts)
	if ok && restarts && m.reloaded(i) {
		was = 0
	}
	return ok && c(f.r).V > was
}

func (m *model) pendingKnown(i int) bool {
	j := m.before(i, func(*gpu.Reading) bool { return true })
	return j >= 0 && m.facts[j].r.Rows.OK
}

func (m *model) probeSteps(r gpu.HealthRule, i int) string {
	f := &m.facts[i]
	out := ""
	if r == gpu.RuleUncorrected && m.rose(i, aggregate, false) {
		out += "r"
	}
	if m.reloaded(i) {
		switch {
		case r == gpu.RuleDrainP2P, r == gpu.RuleRowsPending && !m.pendingKnown(i):
			out += "e"
		case f.reboot:
			out += "B"
		default:
			out += "R"
		}
	}
	if !f.listed {
		return out + m.unlisted(r, i)
	}
	if r == gpu.RuleUnread {
		out += "e"
	}
	if f.r == nil {
		return out + "t"
	}
	return out + m.readingSteps(r, i)
}

// unlisted tells what it means for a rule that the probe could not read the device.
func (m *model) unlisted(r gpu.HealthRule, i int) string {
	f := m.facts[i]
	fires := gpu.RuleAbsent
	switch {
	case f.why == gpu.WhyTimeout:
		fires = gpu.RuleStuck
	case f.why == gpu.WhyNoPermission:
		fires = gpu.RuleUnread
	case f.why != "", f.onBus == "nvidia":
		fires = gpu.RuleLost
	}
	if fires != r {
		return "t"
	}
	if r != gpu.RuleLost {
		return "r"
	}
	// A device that is still lost is no news: look back for when it was lost, and whether it was back since.
	for j := i - 1; j >= 0; j-- {
		g := m.facts[j]
		switch {
		case g.probe && g.listed, g.cleared:
			return "r"
		case g.n != nil && m.noticeSteps(r, g.n, j) == "r", g.probe && m.unlisted(r, j) != "t":
			return "t"
		}
	}
	return "r"
}

func (m *model) readingSteps(r gpu.HealthRule, i int) string {
	f := m.facts[i]
	pick := func(fires, good, bad bool) string {
		switch {
		case fires:
			return "r"
		case good:
			return "g"
		case bad:
			return "b"
		}
		return "t"
	}
	level := func(known, fires bool) string {
		switch {
		case fires:
			return "r"
		case known:
			return "e"
		}
		return "t"
	}
	d := f.r
	switch r {
	case gpu.RuleUncorrected:
		return pick(m.rose(i, volatileUE, true), false, false)
	case gpu.RuleRowsPending:
		return level(d.Rows.OK, d.Rows.V.Pending)
	case gpu.RuleRowsFailed:
		return pick(d.Rows.V.Failed, false, false)
	case gpu.RuleCorrected:
		j := m.before(i, func(r *gpu.Reading) bool { return r.Rows.OK })
		return pick(d.Rows.V.Correctable > m.p.CorrectedRows && (j < 0 || d.Rows.V.Correctable > m.facts[j].r.Rows.V.Correctable), false, false)
	case gpu.RulePCIeWidth:
		return pick(d.PCIeWidth.OK && d.PCIeWidth.V < 16, d.PCIeWidth.OK, false)
	case gpu.RulePCIeGen:
		slow := d.PCIeGen.OK && d.PCIeGen.V < 5
		return pick(slow && d.PState.V == 0, d.PCIeGen.OK && !slow, false)
	case gpu.RuleFabric:
		return level(d.Fabric.OK, d.Fabric.OK && d.Fabric.V.State != "completed")
	case gpu.RuleThermal:
		cool := !d.TempCelsius.OK || d.TempCelsius.V <= 87-m.p.CoolCelsius
		known := d.TempCelsius.OK || d.Throttle.OK
		return pick(d.Throttle.V == gpu.ThrottleHWSlowdown || m.hot(i), known && cool, known)
	case gpu.RuleReplays:
		return pick(m.manyReplays(i), false, false)
	case gpu.RuleNVLink:
		return m.linkSteps(i, pick)
	}
	return "t"
}

// hot reports whether the device is hot in fact i and in every reading back to one that is long enough ago.
func (m *model) hot(i int) bool {
	start := m.facts[i].at
	for j := i; j >= 0; j-- {
		f := m.facts[j]
		if !f.listed || f.r == nil || !f.r.TempCelsius.OK {
			continue
		}
		if f.r.TempCelsius.V < 87 {
			break
		}
		start = f.at
	}
	t := m.facts[i].r.TempCelsius
	return t.OK && t.V >= 87 && m.facts[i].at.Sub(start) >= m.p.HotFor
}

// manyReplays walks the windows from the first reading on.
func (m *model) manyReplays(i int) bool {
	var start time.Time
	var base uint64
	known, fires := false, false
	for j := range i + 1 {
		if m.reloaded(j) {
			base = 0
		}
		f := m.facts[j]
		if fires = false; !f.listed || f.r == nil || !f.r.PCIeReplays.OK {
			continue
		}
		grown, window := f.r.PCIeReplays.V-base, max(f.at.Sub(start), time.Minute)
		fires = known && grown*uint64(time.Minute) > uint64(m.p.ReplaysPerMinute)*uint64(window)
		if fires || !known || f.at.Sub(start) >= time.Minute {
			start, base, known = f.at, f.r.PCIeReplays.V, true
		}
	}
	return fires
}

func (m *model) linkSteps(i int, pick func(fires, good, bad bool) string) string {
	links := m.facts[i].r.NVLinks
	if !links.OK {
		return "t"
	}
	ever, allUp, broke := map[uint8]bool{}, true, false
	for _, f := range m.facts[:i] {
		if f.cleared { // an operator has seen which links there are
			clear(ever)
		}
		if f.listed && f.r != nil {
			for _, l := range f.r.NVLinks.V {
				ever[l.Index] = ever[l.Index] || l.Up
			}
		}
	}
	for _, l := range links.V {
		broke = broke || ever[l.Index] && !l.Up
		allUp = allUp && (l.Up || !ever[l.Index])
	}
	j := m.before(i, func(r *gpu.Reading) bool { return r.NVLinks.OK })
	still := j >= 0 && m.facts[j].r.NVLinks.V[0].CRCErrors == links.V[0].CRCErrors
	return pick(broke, allUp && still, true)
}

// appFault counts faults over the whole history.
func (m *model) appFault() (on bool) {
	var faults []fact
	var last, single time.Time
	var singleXid uint32
	var singleNamed bool
	var seen []fact // every notice of an application fault, for the processes
	for _, f := range m.facts {
		if on && f.at.Sub(last) >= m.p.AppQuiet {
			on = false
		}
		if f.cleared {
			faults, seen, on = nil, nil, false
		}
		if f.n == nil || f.n.Kind != gpu.NoticeHang && (f.n.Kind != gpu.NoticeXid || m.x.Rule(*f.n) != gpu.RuleAppFault) || f.n.Fatal.V {
			continue
		}
		seen = append(seen, f)
		if !single.IsZero() && singleXid == f.n.Xid && singleNamed != f.n.PID.OK && f.at.Sub(single) <= time.Second {
			single = time.Time{}
		} else {
			faults = append(faults, f)
			single, singleXid, singleNamed = f.at, f.n.Xid, f.n.PID.OK
		}
		recent, pids := 0, map[uint32]bool{}
		for _, g := range faults {
			if f.at.Sub(g.at) <= m.p.AppWindow {
				recent++
			}
		}
		for _, g := range seen {
			if g.n.PID.OK && f.at.Sub(g.at) <= m.p.AppWindow {
				pids[g.n.PID.V] = true
			}
		}
		if on || recent >= int(m.p.AppFaults) && len(pids) >= int(m.p.AppProcesses) {
			on, last = true, f.at
		}
	}
	return on
}
