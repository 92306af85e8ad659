package reputation_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/reputation"
)

func TestContractValidate(t *testing.T) {
	type contract = reputation.Contract
	long := strings.Repeat("x", 129)
	for name, c := range map[string]struct {
		change func(c *contract)
		says   string // "" if it is valid
	}{
		"default":               {func(*contract) {}, ""},
		"no version":            {func(c *contract) { c.Version = "" }, "version has 0 bytes"},
		"version too long":      {func(c *contract) { c.Version = long }, "version has 129 bytes"},
		"no scope":              {func(c *contract) { c.Scope = "" }, "scope 0"},
		"scope too long":        {func(c *contract) { c.Scope = reputation.Subject(long) }, "scope 129"},
		"no objective":          {func(c *contract) { c.ObjectivePPM = 0 }, "objective_ppm 0"},
		"objective above all":   {func(c *contract) { c.ObjectivePPM = 1_000_001 }, "objective_ppm 1000001"},
		"all of the time":       {func(c *contract) { c.ObjectivePPM = 1_000_000 }, ""},
		"an hour":               {func(c *contract) { c.Window = time.Hour }, ""},
		"less than an hour":     {func(c *contract) { c.Window = time.Hour - time.Second }, "window_ns"},
		"a leap year":           {func(c *contract) { c.Window = 366 * day }, ""},
		"more than a year":      {func(c *contract) { c.Window = 366*day + time.Second }, "window_ns"},
		"part of a second":      {func(c *contract) { c.Window = time.Hour + 1 }, "window_ns"},
		"window below zero":     {func(c *contract) { c.Window = -time.Hour }, "window_ns"},
		"no silence":            {func(c *contract) { c.Silence = 0 }, "silence_ns"},
		"silence of a day":      {func(c *contract) { c.Silence = day }, ""},
		"longer silence":        {func(c *contract) { c.Silence = day + time.Second }, "silence_ns"},
		"3 stretches":           {func(c *contract) { c.MaxStretches = 3 }, "max_stretches 3"},
		"4 stretches":           {func(c *contract) { c.MaxStretches = 4 }, ""},
		"2^20 stretches":        {func(c *contract) { c.MaxStretches = 1 << 20 }, ""},
		"more stretches":        {func(c *contract) { c.MaxStretches = 1<<20 + 1 }, "max_stretches 1048577"},
		"cap above all":         {func(c *contract) { c.CapBps = 10_001 }, "cap_bps 10001"},
		"no cap, no credit":     {func(c *contract) { c.CapBps = 0 }, ""},
		"no ladder":             {func(c *contract) { c.Ladder = nil }, ""},
		"row above objective":   {func(c *contract) { c.Ladder[0].BelowPPM = 999_001 }, "ladder 0: below_ppm 999001 is not in 1..999000"},
		"row below nothing":     {func(c *contract) { c.Ladder[2].BelowPPM = 0 }, "ladder 2: below_ppm 0 is not in 1..989999"},
		"rows do not fall":      {func(c *contract) { c.Ladder[1].BelowPPM = 999_000 }, "ladder 1: below_ppm 999000"},
		"credits do not rise":   {func(c *contract) { c.Ladder[1].CreditBps = 1_000 }, "ladder 1: credit_bps 1000 is not in 1001..10000"},
		"no credit":             {func(c *contract) { c.Ladder[0].CreditBps = 0 }, "ladder 0: credit_bps 0 is not in 1..10000"},
		"credit above all":      {func(c *contract) { c.Ladder[2].CreditBps = 10_001 }, "ladder 2: credit_bps 10001"},
		"notice below zero":     {func(c *contract) { c.Maintenance.Notice = -time.Second }, "maintenance: reputation: invalid: notice_ns"},
		"no notice":             {func(c *contract) { c.Maintenance.Notice = 0 }, ""},
		"budget above per":      {func(c *contract) { c.Maintenance.Budget = 30*day + time.Second }, "budget_ns"},
		"budget is per":         {func(c *contract) { c.Maintenance.Budget = 30 * day }, ""},
		"no per":                {func(c *contract) { c.Maintenance.Per = 0 }, "per_ns"},
		"1,000 windows":         {func(c *contract) { c.Maintenance.Windows = 1_000 }, ""},
		"more windows":          {func(c *contract) { c.Maintenance.Windows = 1_001 }, "windows 1001"},
		"no alerts":             {func(c *contract) { c.Burn = nil }, ""},
		"too many rules":        {func(c *contract) { c.Burn = make([]reputation.BurnRule, 16) }, "16 burn rules"},
		"rule without name":     {func(c *contract) { c.Burn[0].Name = "" }, "burn 0: reputation: invalid: name has 0 bytes"},
		"rule with long name":   {func(c *contract) { c.Burn[0].Name = long }, "name has 129 bytes"},
		"name twice":            {func(c *contract) { c.Burn[2].Name = "page-fast" }, `burn 2: the name "page-fast" is taken`},
		"budget by month":       {func(c *contract) { c.Burn[2].Name = "budget" }, ""},
		"budget by window":      {func(c *contract) { c.Burn[2].Name, c.Window = "budget", day }, `the name "budget" is taken`},
		"no burn":               {func(c *contract) { c.Burn[1].BurnMilli = 0 }, "burn 1: reputation: invalid: burn_milli is 0"},
		"short above long":      {func(c *contract) { c.Burn[0].Short = 2 * time.Hour }, "short_ns"},
		"no short":              {func(c *contract) { c.Burn[0].Short = 0 }, "short_ns"},
		"no long":               {func(c *contract) { c.Burn[0].Long = 0 }, "long_ns"},
		"longest":               {func(c *contract) { c.Burn[2].Long = 366 * day }, ""},
		"longer":                {func(c *contract) { c.Burn[2].Long = 366*day + time.Second }, "long_ns"},
		"burn that occurs":      {func(c *contract) { c.Burn[0].BurnMilli = 999_999 }, ""},
		"burn of total outage":  {func(c *contract) { c.Burn[0].BurnMilli = 1_000_000 }, "burn_milli 1000000 never occurs"},
		"14.4 below 93.0556 %":  {func(c *contract) { c.ObjectivePPM, c.Ladder = 930_555, nil }, "burn_milli 14400 never occurs"},
		"14.4 from 93.0556 %":   {func(c *contract) { c.ObjectivePPM, c.Ladder = 930_556, nil }, ""},
		"anything if all is up": {func(c *contract) { c.ObjectivePPM, c.Burn[0].BurnMilli = 1_000_000, 1<<32-1 }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			x := reputation.DefaultContract("lease")
			c.change(&x)
			_, err := reputation.NewSLO(x)
			require.Equal(t, x.Validate(), err)
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, reputation.ErrInvalid)
			require.ErrorContains(t, err, c.says)
			_, err = reputation.RestoreSLO(x, nil)
			require.ErrorIs(t, err, reputation.ErrInvalid)
		})
	}
}

// A rule that is just possible does fire, in a window lost from end to end.
func TestContractRuleThatJustFires(t *testing.T) {
	c := objective(930_556)
	s := promise(t, c, start)
	out := down(t, s, start, start.Add(time.Hour))
	require.Equal(t, "page-fast", out[len(out)-1].(reputation.Alert).Rule.Name)
	require.Equal(t, start.Add(time.Hour), out[len(out)-1].(reputation.Alert).At)
}

func TestContractInJSON(t *testing.T) {
	c := reputation.DefaultContract("lease")
	text, err := json.Marshal(c)
	require.NoError(t, err)
	var back reputation.Contract
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, c, back)
	require.Contains(t, string(text), `"objective_ppm":999000,"window_ns":0,"ladder":[{"below_ppm":999000,"credit_bps":1000}`)
	require.Contains(t, string(text), `{"name":"page-fast","burn_milli":14400,"long_ns":3600000000000,"short_ns":300000000000}`)
}

// Whoever keeps the contract may change it: the promise has its own copy.
func TestContractIsCopied(t *testing.T) {
	c := reputation.DefaultContract("lease")
	s := promise(t, c, start)
	before := s.Digest()
	c.Ladder[0].CreditBps, c.Burn[0].BurnMilli = 1, 1
	require.Equal(t, before, s.Digest())
}

// Every term is part of the digest, and a snapshot under other terms is refused.
func TestContractIsInTheDigest(t *testing.T) {
	seen := map[[32]byte]int{}
	for i, change := range []func(c *reputation.Contract){
		func(*reputation.Contract) {},
		func(c *reputation.Contract) { c.Version = "other" },
		func(c *reputation.Contract) { c.Scope = "other" },
		func(c *reputation.Contract) { c.Tier++ },
		func(c *reputation.Contract) { c.ObjectivePPM++ },
		func(c *reputation.Contract) { c.Window = day },
		func(c *reputation.Contract) { c.Ladder[0].BelowPPM-- },
		func(c *reputation.Contract) { c.Ladder[0].CreditBps++ },
		func(c *reputation.Contract) { c.Ladder = c.Ladder[:2] },
		func(c *reputation.Contract) { c.CapBps-- },
		func(c *reputation.Contract) { c.Silence += time.Second },
		func(c *reputation.Contract) { c.Maintenance.Notice += time.Second },
		func(c *reputation.Contract) { c.Maintenance.Budget += time.Second },
		func(c *reputation.Contract) { c.Maintenance.Per += time.Second },
		func(c *reputation.Contract) { c.Maintenance.Windows++ },
		func(c *reputation.Contract) { c.Burn[0].Name = "other" },
		func(c *reputation.Contract) { c.Burn[0].BurnMilli++ },
		func(c *reputation.Contract) { c.Burn[0].Long += time.Second },
		func(c *reputation.Contract) { c.Burn[0].Short += time.Second },
		func(c *reputation.Contract) { c.Burn = c.Burn[:2] },
		func(c *reputation.Contract) { c.MaxStretches++ },
	} {
		c := reputation.DefaultContract("lease")
		change(&c)
		s := promise(t, c, start)
		other, known := seen[s.Digest()]
		require.False(t, known, "change %d is change %d", i, other)
		seen[s.Digest()] = i
		if i > 0 {
			_, err := reputation.RestoreSLO(reputation.DefaultContract("lease"), s.Snapshot())
			require.ErrorIs(t, err, reputation.ErrInvalid)
			require.ErrorContains(t, err, "another contract")
		}
	}
}
