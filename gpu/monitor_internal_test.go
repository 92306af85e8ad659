package gpu

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// broken is a monitor to break, and its first device.
type broken struct {
	m *Monitor
	d *patient
}

// Every invariant that Audit names is found broken when it is.
func TestMonitorAuditFinds(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for want, spoil := range map[string]func(x broken){
		"65 devices":               func(x broken) { x.m.devices = make([]*patient, maxKnown+1) },
		`device "A" after "A"`:     func(x broken) { x.m.devices[1].id = "A" },
		"id is empty":              func(x broken) { x.d.id = "" },
		"rule reset after lost":    func(x broken) { x.d.conditions[0], x.d.conditions[1] = x.d.conditions[1], x.d.conditions[0] },
		"holds of no device":       func(x broken) { x.d.conditions[1].rule = numRules },
		"detail of 129 bytes":      func(x broken) { x.d.conditions[0].detail = string(make([]byte, 129)) },
		"rule reset: since":        func(x broken) { x.d.conditions[0].since = at.Add(1) },
		"needs an operator":        func(x broken) { x.d.conditions[0].operator = true },
		"17 passes":                func(x broken) { x.d.conditions[0].passes = 17 },
		"is healthy, its":          func(x broken) { x.d.health = Healthy },
		"seen 2026-03-01 12:00:01": func(x broken) { x.d.seen = at.Add(time.Second) },
		"at the start of":          func(x broken) { x.d.vitals.windowBase = 1 },
		"4 faults":                 func(x broken) { x.d.faults = make([]time.Time, 4) },
		"3 programs":               func(x broken) { x.d.programs = make([]program, 3) },
		"memory errors out of":     func(x broken) { x.d.memory = []time.Time{at, at.Add(-1)} },
		"wrong results out of":     func(x broken) { x.d.wrong = []time.Time{at.Add(1)} },
	} {
		m, err := NewMonitor(DefaultHealth())
		require.NoError(t, err)
		m.now = at
		d := m.admit("A")
		m.admit("B")
		m.raise(d, RuleLost, "x")
		m.raise(d, RuleReset, "x")
		d.settle(at)
		require.NoError(t, m.Audit())
		spoil(broken{m, d})
		require.ErrorContains(t, m.Audit(), want)
	}
}

// Every rule has a row of its own.
func TestRuleTable(t *testing.T) {
	names := map[string]bool{}
	for r := range numRules {
		i := r.info()
		require.NotEmpty(t, i.phrase, r)
		require.False(t, names[i.name], i.name)
		names[i.name] = true
		require.Equal(t, r == RuleNone, i.health == Healthy || i.exit == ExitNone)
		p := DefaultHealth()
		waits := i.exit == ExitQuiet || i.exit == ExitSteady || i.exit == ExitLinks
		require.Equal(t, waits, p.wait(r) > 0, i.name)
	}
	require.Equal(t, "unknown(23)", numRules.String())
}
