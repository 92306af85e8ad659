package tokenomics_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// judged is an instant within the last era, a quarter past the hour.
var judged = time.Date(2025, 7, 19, 12, 15, 0, 0, time.UTC)

// fit is a device that passes every rule at judged.
func fit() tokenomics.DeviceFacts {
	return tokenomics.DeviceFacts{
		Device: "d", User: "u", ClusterFormed: true, WalletLinked: true, Wallets: 3, PrimaryWallet: true, Multiplier: 500,
		Connectivity: 1, UpSince: judged.Add(-5*time.Hour - 1), WorkAt: judged.Truncate(time.Hour), WorkValid: true,
		MemoryFailures: 3, MemoryFailedAt: judged, Stake: 1000, StakeNeeded: 1000,
	}
}

func judge(t testing.TB, at time.Time, d tokenomics.DeviceFacts, x ...tokenomics.Exemption) tokenomics.Readiness {
	t.Helper()
	r, err := tokenomics.IONetNomination().Judge(at, d, x)
	require.NoError(t, err)
	require.Len(t, r.Results, 11)
	failed := 0
	for i, x := range r.Results {
		require.Equal(t, tokenomics.RuleCluster+tokenomics.NominationRule(i), x.Rule, "in the order of the rules")
		require.NotEmpty(t, x.Have)
		require.NotEmpty(t, x.Need)
		require.Equal(t, x.Outcome == tokenomics.RuleExempt, x.Why != "")
		if x.Outcome == tokenomics.RuleFailed {
			failed++
		}
	}
	require.Equal(t, failed == 0, r.Nominated)
	for x := range r.Failed() {
		require.Equal(t, tokenomics.RuleFailed, x.Outcome)
		failed--
	}
	require.Zero(t, failed)
	return r
}

func TestNominationRules(t *testing.T) {
	type facts = tokenomics.DeviceFacts
	wallets := tokenomics.IONetNomination().Eras[1].From
	const hours = time.Hour
	for _, c := range []struct {
		name   string
		at     time.Time
		change func(d *facts)
		fails  string // "" passes
	}{
		{"every rule at its boundary", judged, func(*facts) {}, ""},
		{"no cluster", judged, func(d *facts) { d.ClusterFormed = false }, "cluster: have not formed, need formed"},
		{"no wallet", judged, func(d *facts) { d.WalletLinked = false }, "wallet: have none, need associated"},
		{"smallest multiplier", judged, func(d *facts) { d.Multiplier = 1 }, ""},
		{"no multiplier", judged, func(d *facts) { d.Multiplier = 0 }, "processor: have multiplier 0, need multiplier above 0"},
		{"no tier", judged, func(d *facts) { d.Connectivity = 0 }, "connectivity: have tier 0, need tier 1 or higher"},
		{"up for five hours", judged, func(d *facts) { d.UpSince = judged.Add(-5 * hours) }, "uptime: have 5h0m0s, need more than 5h0m0s"},
		{"a nanosecond less", judged, func(d *facts) { d.UpSince = judged.Add(-5*hours + 1) }, "uptime: have 4h59m59.999999999s, need more than 5h0m0s"},
		{"down", judged, func(d *facts) { d.UpSince = time.Time{} }, "uptime: have down, need more than 5h0m0s"},
		{"up from the future", judged, func(d *facts) { d.UpSince = judged.Add(1) }, "uptime: have -1ns, need more than 5h0m0s"},
		{"work a nanosecond before the hour", judged, func(d *facts) { d.WorkAt = d.WorkAt.Add(-1) }, "proof_of_work: have right answer 2025-07-19T11:59:59.999999999Z, need right answer from 2025-07-19T12:00:00Z on"},
		{"work just now", judged, func(d *facts) { d.WorkAt = judged }, ""},
		{"work from the future", judged, func(d *facts) { d.WorkAt = judged.Add(1) }, "proof_of_work: have right answer 2025-07-19T12:15:00.000000001Z, need right answer from 2025-07-19T12:00:00Z on"},
		{"wrong answer", judged, func(d *facts) { d.WorkValid = false }, "proof_of_work: have wrong answer 2025-07-19T12:00:00Z, need right answer from 2025-07-19T12:00:00Z on"},
		{"no task", judged, func(d *facts) { d.WorkAt = time.Time{} }, "proof_of_work: have no task, need right answer from 2025-07-19T12:00:00Z on"},
		{"four failures, the last just now", judged, func(d *facts) { d.MemoryFailures = 4 }, "memory: have 4 failures, the last 0s ago, need fewer than 4 failures, or the last more than 12h0m0s ago"},
		{"four failures, the last 12 h ago", judged, func(d *facts) { d.MemoryFailures, d.MemoryFailedAt = 4, judged.Add(-12*hours) }, "memory: have 4 failures, the last 12h0m0s ago, need fewer than 4 failures, or the last more than 12h0m0s ago"},
		{"a nanosecond longer", judged, func(d *facts) { d.MemoryFailures, d.MemoryFailedAt = 4, judged.Add(-12*hours-1) }, ""},
		{"two wallets", judged, func(d *facts) { d.Wallets = 2 }, "wallets: have 2, one primary, need at least 3 and at most 10, one primary"},
		{"ten wallets", judged, func(d *facts) { d.Wallets = 10 }, ""},
		{"eleven wallets", judged, func(d *facts) { d.Wallets = 11 }, "wallets: have 11, one primary, need at least 3 and at most 10, one primary"},
		{"none primary", judged, func(d *facts) { d.PrimaryWallet = false }, "wallets: have 3, none primary, need at least 3 and at most 10, one primary"},
		{"one wallet before the change", wallets.Add(-1), func(d *facts) { d.Wallets, d.PrimaryWallet = 1, false }, ""},
		{"no wallet before the change", wallets.Add(-1), func(d *facts) { d.Wallets = 0 }, "wallets: have 0, need at least 1"},
		{"many wallets before the change", wallets.Add(-1), func(d *facts) { d.Wallets = 99 }, ""},
		{"one wallet at the change", wallets, func(d *facts) { d.Wallets = 1 }, "wallets: have 1, one primary, need at least 3 and at most 10, one primary"},
		{"a unit of stake short", judged, func(d *facts) { d.Stake-- }, "stake: have 0.00000999, need 0.00001"},
		{"a unit more", judged, func(d *facts) { d.Stake++ }, ""},
		{"something else ran", judged, func(d *facts) { d.TimeLockBroken = true }, "time_lock: have broken, need kept"},
		{"terminated", judged, func(d *facts) { d.Status = tokenomics.DeviceTerminated }, "status: have terminated, need none of terminated, blocked, unsupported"},
		{"blocked", judged, func(d *facts) { d.Status = tokenomics.DeviceBlocked }, "status: have blocked, need none of terminated, blocked, unsupported"},
		{"unsupported", judged, func(d *facts) { d.Status = tokenomics.DeviceUnsupported }, "status: have unsupported, need none of terminated, blocked, unsupported"},
		{"paused", judged, func(d *facts) { d.Status = tokenomics.DevicePaused }, ""},
		{"inactive", judged, func(d *facts) { d.Status = tokenomics.DeviceInactive }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := fit()
			if c.at != judged {
				d.UpSince, d.WorkAt, d.MemoryFailures = c.at.Add(-6*hours), c.at, 0
			}
			c.change(&d)
			r := judge(t, c.at, d)
			require.Equal(t, c.at, r.At)
			var failed []string
			for x := range r.Failed() {
				failed = append(failed, fmt.Sprintf("%s: have %s, need %s", x.Rule, x.Have, x.Need))
			}
			if c.fails == "" {
				require.Empty(t, failed)
				return
			}
			require.Equal(t, []string{c.fails}, failed, "one rule and no other")
		})
	}
}

func TestNothingPassesButWhatCountsFailures(t *testing.T) {
	r := judge(t, judged, tokenomics.DeviceFacts{StakeNeeded: 1})
	var passed []tokenomics.NominationRule
	for _, x := range r.Results {
		if x.Outcome == tokenomics.RulePassed {
			passed = append(passed, x.Rule)
		}
	}
	require.Equal(t, []tokenomics.NominationRule{tokenomics.RuleMemory, tokenomics.RuleStatus, tokenomics.RuleTimeLock}, passed)
	for x := range r.Failed() {
		require.Equal(t, tokenomics.RuleCluster, x.Rule)
		break
	}
}

// Hired devices and head nodes are spared the proof of work, bare metal that and the proof of time-lock.
func TestNominationByKind(t *testing.T) {
	broken := fit()
	broken.WorkValid, broken.TimeLockBroken = false, true
	for _, c := range []struct {
		kind           string
		change         func(d *tokenomics.DeviceFacts)
		work, timeLock tokenomics.RuleOutcome
	}{
		{"", func(*tokenomics.DeviceFacts) {}, tokenomics.RuleFailed, tokenomics.RuleFailed},
		{"hired", func(d *tokenomics.DeviceFacts) { d.Hired = true }, tokenomics.RuleExempt, tokenomics.RuleFailed},
		{"head node", func(d *tokenomics.DeviceFacts) { d.HeadNode = true }, tokenomics.RuleExempt, tokenomics.RuleFailed},
		{"bare metal", func(d *tokenomics.DeviceFacts) { d.BareMetal = true }, tokenomics.RuleExempt, tokenomics.RuleExempt},
	} {
		d := broken
		c.change(&d)
		r := judge(t, judged, d)
		work, timeLock := r.Results[tokenomics.RuleWork-1], r.Results[tokenomics.RuleTimeLock-1]
		require.Equal(t, [2]tokenomics.RuleOutcome{c.work, c.timeLock}, [2]tokenomics.RuleOutcome{work.Outcome, timeLock.Outcome}, c.kind)
		require.Equal(t, c.kind, work.Why)
		require.Equal(t, c.kind == "bare metal", r.Nominated)

		d.WorkValid, d.Stake = true, 0
		r = judge(t, judged, d)
		require.Equal(t, tokenomics.RulePassed, r.Results[tokenomics.RuleWork-1].Outcome, "what passes needs no exemption")
		require.Equal(t, tokenomics.RuleFailed, r.Results[tokenomics.RuleStake-1].Outcome, "nothing else is spared")
	}
}

func grant(change func(x *tokenomics.Exemption)) tokenomics.Exemption {
	x := tokenomics.Exemption{
		Rule: tokenomics.RuleStake, Scope: tokenomics.ExemptDevice, ID: "d", From: judged.Add(-time.Hour),
		Until: judged.Add(time.Hour), Author: "ops", Text: "staking page is down",
	}
	change(&x)
	return x
}

func TestExemptions(t *testing.T) {
	type exemption = tokenomics.Exemption
	for _, c := range []struct {
		name   string
		change func(x *exemption)
		spared bool
	}{
		{"its own", func(*exemption) {}, true},
		{"another rule", func(x *exemption) { x.Rule = tokenomics.RuleStatus }, false},
		{"every rule", func(x *exemption) { x.Rule = tokenomics.EveryRule }, true},
		{"another device", func(x *exemption) { x.ID = "e" }, false},
		{"a device of the user's name", func(x *exemption) { x.ID = "u" }, false},
		{"its user", func(x *exemption) { x.Scope, x.ID = tokenomics.ExemptUser, "u" }, true},
		{"a user of the device's name", func(x *exemption) { x.Scope, x.ID = tokenomics.ExemptUser, "d" }, false},
		{"all", func(x *exemption) { x.Scope, x.ID = tokenomics.ExemptAll, "" }, true},
		{"from this instant", func(x *exemption) { x.From = judged }, true},
		{"from the next nanosecond", func(x *exemption) { x.From = judged.Add(1) }, false},
		{"until the next nanosecond", func(x *exemption) { x.Until = judged.Add(1) }, true},
		{"until this instant", func(x *exemption) { x.Until = judged }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := fit()
			d.Stake--
			r := judge(t, judged, d, grant(c.change))
			require.Equal(t, c.spared, r.Nominated)
			if c.spared {
				require.Equal(t, "staking page is down (ops)", r.Results[tokenomics.RuleStake-1].Why)
			}
		})
	}
	d := fit()
	d.Stake--
	r := judge(t, judged, d, grant(func(x *exemption) { x.ID = "e" }), grant(func(x *exemption) { x.Text = "second" }), grant(func(*exemption) {}))
	require.Equal(t, "second (ops)", r.Results[tokenomics.RuleStake-1].Why, "the first that covers it")
}

func TestExemptionValidate(t *testing.T) {
	type exemption = tokenomics.Exemption
	for _, c := range []struct {
		name   string
		change func(x *exemption)
		says   string
	}{
		{"no rule", func(x *exemption) { x.Rule = 0 }, "unknown rule 0"},
		{"unknown rule", func(x *exemption) { x.Rule = tokenomics.EveryRule + 1 }, "unknown rule 13"},
		{"no scope", func(x *exemption) { x.Scope = 0 }, "unknown scope 0"},
		{"unknown scope", func(x *exemption) { x.Scope = 4 }, "unknown scope 4"},
		{"no device", func(x *exemption) { x.ID = "" }, `scope device with the ID ""`},
		{"all but one", func(x *exemption) { x.Scope = tokenomics.ExemptAll }, `scope all with the ID "d"`},
		{"no window", func(x *exemption) { x.Until = x.From }, "not after its beginning"},
		{"no author", func(x *exemption) { x.Author = "" }, "without an author"},
		{"no text", func(x *exemption) { x.Text = "" }, "without a public text"},
	} {
		x := grant(c.change)
		require.ErrorIs(t, x.Validate(), tokenomics.ErrNomination, c.name)
		require.ErrorContains(t, x.Validate(), c.says)
		r, err := tokenomics.IONetNomination().Judge(judged, fit(), []exemption{grant(func(*exemption) {}), x})
		require.ErrorIs(t, err, tokenomics.ErrNomination, "even where it is not used")
		require.ErrorContains(t, err, "exemption 2: ")
		require.Zero(t, r)
	}
	require.NoError(t, grant(func(x *exemption) { x.Until = x.From.Add(1) }).Validate())
}

func TestNominationPolicyValidate(t *testing.T) {
	type era = tokenomics.NominationEra
	for _, c := range []struct {
		name   string
		change func(e []era) []era
		says   string
	}{
		{"no era", func([]era) []era { return nil }, "no era"},
		{"eras at one instant", func(e []era) []era { e[1].From = e[0].From; return e }, "era 2 does not begin after"},
		{"no tier", func(e []era) []era { e[0].MinConnectivity = 0; return e }, "tier 0"},
		{"fifth tier", func(e []era) []era { e[1].MinConnectivity = 5; return e }, "era 2: connectivity tier 5"},
		{"uptime", func(e []era) []era { e[0].MinUptime = -1; return e }, "era 1: a negative time"},
		{"forgiven", func(e []era) []era { e[0].MemoryForgiven = -1; return e }, "era 1: a negative time"},
		{"no failure", func(e []era) []era { e[0].MemoryFailures = 0; return e }, "0 memory failures"},
		{"no wallets", func(e []era) []era { e[0].MinWallets = 0; return e }, "0 to 0 wallets"},
		{"wallets out of order", func(e []era) []era { e[1].MaxWallets = 2; return e }, "3 to 2 wallets"},
		{"status", func(e []era) []era { e[0].Barred = append(e[0].Barred[:0:0], 8); return e }, "unknown status 8"},
		{"no rule", func(e []era) []era { e[0].HiredExempt = []tokenomics.NominationRule{0}; return e }, "era 1 exempts from an unknown rule 0"},
		{"rule", func(e []era) []era { e[0].BareMetalExempt = []tokenomics.NominationRule{12}; return e }, "era 1 exempts from an unknown rule 12"},
		{"head", func(e []era) []era { e[0].HeadNodeExempt = []tokenomics.NominationRule{12}; return e }, "unknown rule 12"},
	} {
		p := tokenomics.NominationPolicy{Eras: c.change(tokenomics.IONetNomination().Eras)}
		require.ErrorIs(t, p.Validate(), tokenomics.ErrNomination, c.name)
		require.ErrorContains(t, p.Validate(), c.says)
		_, err := p.Judge(judged, fit(), nil)
		require.ErrorIs(t, err, tokenomics.ErrNomination)
	}
	p := tokenomics.IONetNomination()
	p.Eras[1].MaxWallets = 3
	require.NoError(t, p.Validate())
	_, err := p.Judge(p.Eras[0].From.Add(-1), fit(), nil)
	require.ErrorContains(t, err, "before the first era")
	_, err = p.Judge(p.Eras[0].From, fit(), nil)
	require.NoError(t, err)

	text, err := json.Marshal(p)
	require.NoError(t, err)
	var back tokenomics.NominationPolicy
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, p, back)
}

func TestBlockNames(t *testing.T) {
	marshal := func(v text) string {
		b, err := v.MarshalText()
		if err != nil {
			return "error"
		}
		return string(b)
	}
	for _, c := range []struct {
		first, last int
		want        string
		value       func(n uint8) text
		read        func(b []byte) (any, error)
	}{
		{1, 12, "[cluster wallet processor connectivity uptime proof_of_work memory wallets stake status time_lock every]", func(n uint8) text { return tokenomics.NominationRule(n) }, read(tokenomics.NominationRule(0), (*tokenomics.NominationRule).UnmarshalText)},
		{1, 3, "[passed failed exempt]", func(n uint8) text { return tokenomics.RuleOutcome(n) }, read(tokenomics.RuleOutcome(0), (*tokenomics.RuleOutcome).UnmarshalText)},
		{0, 7, "[up down terminated paused blocked restart required unsupported inactive]", func(n uint8) text { return tokenomics.DeviceStatus(n) }, read(tokenomics.DeviceStatus(0), (*tokenomics.DeviceStatus).UnmarshalText)},
		{1, 3, "[device user all]", func(n uint8) text { return tokenomics.ExemptionScope(n) }, read(tokenomics.ExemptionScope(0), (*tokenomics.ExemptionScope).UnmarshalText)},
		{0, 3, "[none monthly linear emission]", func(n uint8) text { return tokenomics.ReleaseKind(n) }, read(tokenomics.ReleaseKind(0), (*tokenomics.ReleaseKind).UnmarshalText)},
		{0, 2, "[not checked agrees differs]", func(n uint8) text { return tokenomics.AuditVerdict(n) }, read(tokenomics.AuditVerdict(0), (*tokenomics.AuditVerdict).UnmarshalText)},
		{1, 12, "[score score factor multiplier multiplier column connectivity quantity hired emission pool points total score normalised reward]", func(n uint8) text { return tokenomics.AuditConstant(n) }, read(tokenomics.AuditConstant(0), (*tokenomics.AuditConstant).UnmarshalText)},
	} {
		var names []string
		for n := c.first; n <= c.last; n++ {
			v := c.value(uint8(n))
			require.Equal(t, v.String(), marshal(v))
			back, err := c.read([]byte(v.String()))
			require.NoError(t, err)
			require.Equal(t, any(v), back)
			names = append(names, v.String())
		}
		require.Equal(t, c.want, fmt.Sprint(names))
		_, err := c.read([]byte("no such thing"))
		require.Error(t, err)
		for _, n := range []int{c.first - 1, c.last + 1} {
			if n >= 0 {
				require.Equal(t, "error", marshal(c.value(uint8(n))))
				require.Contains(t, c.value(uint8(n)).String(), fmt.Sprintf("(%d)", n))
			}
		}
	}
}
