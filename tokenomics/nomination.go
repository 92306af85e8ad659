package tokenomics

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
)

// ErrNomination is returned for an invalid [NominationPolicy], an invalid [Exemption], and an instant before the first
// era; the message names the field.
var ErrNomination = errors.New("tokenomics: invalid nomination")

// NominationEra is one set of limits, which holds from an instant until the next era begins.
type NominationEra struct {
	// From is the first instant at which the limits hold.
	From time.Time `json:"from"`
	// MinConnectivity is the least tier of the connection, 1 to 4.
	MinConnectivity uint8 `json:"min_connectivity"`
	// MinUptime is the time without a break that has to be exceeded. JSON carries it in nanoseconds.
	MinUptime time.Duration `json:"min_uptime_ns"`
	// MemoryFailures is the number of failed tests of the VRAM from which on a device is kept out.
	MemoryFailures uint32 `json:"memory_failures"`
	// MemoryForgiven is the time since the last failure after which their number no longer counts, once it is exceeded.
	// JSON carries it in nanoseconds.
	MemoryForgiven time.Duration `json:"memory_forgiven_ns"`
	// MinWallets and MaxWallets bound the self-custodial wallets of the account. MaxWallets 0 is no bound.
	MinWallets uint32 `json:"min_wallets"`
	MaxWallets uint32 `json:"max_wallets"`
	// PrimaryWallet tells whether one of the wallets has to be marked as the primary one.
	PrimaryWallet bool `json:"primary_wallet"`
	// Barred are the statuses that keep a device out.
	Barred []DeviceStatus `json:"barred"`
	// HiredExempt, HeadNodeExempt and BareMetalExempt are the rules that a device need not pass for being that.
	HiredExempt     []NominationRule `json:"hired_exempt"`
	HeadNodeExempt  []NominationRule `json:"head_node_exempt"`
	BareMetalExempt []NominationRule `json:"bare_metal_exempt"`
}

// NominationPolicy is the history of what a device has to fulfil to be nominated for a block's rewards.
type NominationPolicy struct {
	// Eras are in the order of time.
	Eras []NominationEra `json:"eras"`
}

// IONetNomination returns the rules of io.net (block-rewards; the checklist shown on 2025-07-19). The wallets are those
// of the page: one at first, three to ten with a primary one since the last second of 2025-04-30. The page's "e.g. 3-5
// hours" of uptime is read as its rule of five.
func IONetNomination() NominationPolicy {
	first := NominationEra{
		// The first block of which a record is shown is that of 2024-06-09T21; the beginning of that day is our choice.
		From:            time.Date(2024, 6, 9, 0, 0, 0, 0, time.UTC),
		MinConnectivity: 1, MinUptime: 5 * time.Hour, MemoryFailures: 4, MemoryForgiven: 12 * time.Hour, MinWallets: 1,
		Barred:      []DeviceStatus{DeviceTerminated, DeviceBlocked, DeviceUnsupported},
		HiredExempt: []NominationRule{RuleWork}, HeadNodeExempt: []NominationRule{RuleWork},
		BareMetalExempt: []NominationRule{RuleWork, RuleTimeLock},
	}
	wallets := first
	wallets.From = time.Date(2025, 4, 30, 23, 59, 59, 0, time.UTC)
	wallets.MinWallets, wallets.MaxWallets, wallets.PrimaryWallet = 3, 10, true
	return NominationPolicy{Eras: []NominationEra{first, wallets}}
}

// Validate returns [ErrNomination] and what is wrong, or nil.
func (p NominationPolicy) Validate() error {
	if len(p.Eras) == 0 {
		return fmt.Errorf("%w: no era", ErrNomination)
	}
	for i, e := range p.Eras {
		switch {
		case i > 0 && !e.From.After(p.Eras[i-1].From):
			return fmt.Errorf("%w: era %d does not begin after the one before it", ErrNomination, i+1)
		case e.MinConnectivity < 1 || e.MinConnectivity > 4:
			return fmt.Errorf("%w: era %d: connectivity tier %d, want 1 to 4", ErrNomination, i+1, e.MinConnectivity)
		case e.MinUptime < 0 || e.MemoryForgiven < 0:
			return fmt.Errorf("%w: era %d: a negative time", ErrNomination, i+1)
		case e.MemoryFailures == 0:
			return fmt.Errorf("%w: era %d: 0 memory failures keep every device out", ErrNomination, i+1)
		case e.MinWallets == 0 || e.MaxWallets != 0 && e.MaxWallets < e.MinWallets:
			return fmt.Errorf("%w: era %d: %d to %d wallets, want at least 1 and in order", ErrNomination, i+1,
				e.MinWallets, e.MaxWallets)
		}
		for _, s := range e.Barred {
			if s > DeviceInactive {
				return fmt.Errorf("%w: era %d bars an unknown status %d", ErrNomination, i+1, uint8(s))
			}
		}
		for _, r := range slices.Concat(e.HiredExempt, e.HeadNodeExempt, e.BareMetalExempt) {
			if r < RuleCluster || r > RuleTimeLock {
				return fmt.Errorf("%w: era %d exempts from an unknown rule %d", ErrNomination, i+1, uint8(r))
			}
		}
	}
	return nil
}

// DeviceFacts is what is known of a device when it is judged. The zero value passes no rule but those that count
// failures.
type DeviceFacts struct {
	// Device and User identify what exemptions name.
	Device, User string
	// Status is what the network calls the device's state.
	Status DeviceStatus
	// Hired tells whether a renter uses the device, HeadNode whether it leads a cluster, BareMetal whether it is rented
	// without a system.
	Hired, HeadNode, BareMetal bool
	// ClusterFormed tells whether the trial cluster came up.
	ClusterFormed bool
	// WalletLinked tells whether a wallet for the rewards is associated.
	WalletLinked bool
	// Wallets is the number of the account's self-custodial wallets, and PrimaryWallet tells whether one is the primary.
	Wallets       uint32
	PrimaryWallet bool
	// Multiplier is that of the model at the time of the block; 0 is not eligible.
	Multiplier Multiplier
	// Connectivity is the tier of the connection; 0 is none.
	Connectivity uint8
	// UpSince is when the device last came up; the zero time is down.
	UpSince time.Time
	// WorkAt is when the last task of proof of work was done, and WorkValid tells whether its answer was right.
	WorkAt    time.Time
	WorkValid bool
	// MemoryFailures counts the failed tests of the VRAM, and MemoryFailedAt is when the last one failed.
	MemoryFailures uint32
	MemoryFailedAt time.Time
	// Stake is what counts at the time of the block, StakeNeeded what the device needs.
	Stake, StakeNeeded Amount
	// TimeLockBroken tells whether something else used the processors in the interval of the last proof of time-lock.
	TimeLockBroken bool
}

// RuleResult is what one rule says of a device.
type RuleResult struct {
	Rule    NominationRule
	Outcome RuleOutcome
	// Have and Need are for people: what the device shows and what the rule asks for.
	Have, Need string
	// Why names the exemption that was used, "" where none was.
	Why string
}

// Readiness is the report of all rules on a device.
type Readiness struct {
	// At is the instant of the judgement, in UTC.
	At time.Time
	// Results are of every rule, in the order of the rules.
	Results []RuleResult
	// Nominated tells whether no rule failed.
	Nominated bool
}

// Failed returns the results of the rules that keep the device out, in the order of the rules.
func (r Readiness) Failed() iter.Seq[RuleResult] {
	return func(yield func(RuleResult) bool) {
		for _, x := range r.Results {
			if x.Outcome == RuleFailed && !yield(x) {
				return
			}
		}
	}
}

// Judge applies the limits of the era that holds at an instant to a device. A rule that fails is exempt if the device's
// kind or one of the exemptions says so at that instant; of several the first counts. Exemptions of other devices, of
// other rules or outside their window change nothing. It fails with [ErrNomination] for an invalid policy or exemption,
// used or not, and for an instant before the first era.
func (p NominationPolicy) Judge(at time.Time, d DeviceFacts, exemptions []Exemption) (Readiness, error) {
	if err := p.Validate(); err != nil {
		return Readiness{}, err
	}
	for i, x := range exemptions {
		if err := x.Validate(); err != nil {
			return Readiness{}, fmt.Errorf("exemption %d: %w", i+1, err)
		}
	}
	now := -1
	for i, e := range p.Eras {
		if !at.Before(e.From) {
			now = i
		}
	}
	if now < 0 {
		return Readiness{}, fmt.Errorf("%w: %s is before the first era", ErrNomination, at.UTC().Format(time.RFC3339))
	}
	era := p.Eras[now]
	r := Readiness{At: at.UTC(), Results: make([]RuleResult, 0, int(RuleTimeLock)), Nominated: true}
	for rule := RuleCluster; rule <= RuleTimeLock; rule++ {
		passed, have, need := era.check(rule, at, d)
		x := RuleResult{Rule: rule, Outcome: RulePassed, Have: have, Need: need}
		if !passed {
			if x.Why = era.excuse(rule, at, d, exemptions); x.Why != "" {
				x.Outcome = RuleExempt
			} else {
				x.Outcome, r.Nominated = RuleFailed, false
			}
		}
		r.Results = append(r.Results, x)
	}
	return r, nil
}

// check applies one rule.
func (e NominationEra) check(rule NominationRule, at time.Time, d DeviceFacts) (passed bool, have, need string) {
	switch rule {
	case RuleCluster:
		return d.ClusterFormed, either(d.ClusterFormed, "formed", "not formed"), "formed"
	case RuleWallet:
		return d.WalletLinked, either(d.WalletLinked, "associated", "none"), "associated"
	case RuleProcessor:
		return d.Multiplier > 0, "multiplier " + d.Multiplier.String(), "multiplier above 0"
	case RuleConnectivity:
		return d.Connectivity >= e.MinConnectivity, fmt.Sprintf("tier %d", d.Connectivity),
			fmt.Sprintf("tier %d or higher", e.MinConnectivity)
	case RuleUptime:
		if need = "more than " + e.MinUptime.String(); d.UpSince.IsZero() {
			return false, "down", need
		}
		up := at.Sub(d.UpSince)
		return up > e.MinUptime, up.String(), need
	case RuleWork:
		return e.work(at, d)
	case RuleMemory:
		need = fmt.Sprintf("fewer than %d failures, or the last more than %s ago", e.MemoryFailures, e.MemoryForgiven)
		if d.MemoryFailures < e.MemoryFailures {
			return true, fmt.Sprintf("%d failures", d.MemoryFailures), need
		}
		ago := at.Sub(d.MemoryFailedAt)
		return ago > e.MemoryForgiven, fmt.Sprintf("%d failures, the last %s ago", d.MemoryFailures, ago), need
	case RuleWallets:
		return e.wallets(d)
	case RuleStake:
		return d.Stake >= d.StakeNeeded, d.Stake.String(), d.StakeNeeded.String()
	case RuleStatus:
		barred := make([]string, len(e.Barred))
		for i, s := range e.Barred {
			barred[i] = s.String()
		}
		return !slices.Contains(e.Barred, d.Status), d.Status.String(), "none of " + strings.Join(barred, ", ")
	case RuleTimeLock:
		return !d.TimeLockBroken, either(d.TimeLockBroken, "broken", "kept"), "kept"
	case EveryRule:
	}
	panic("tokenomics.NominationPolicy.Judge: " + rule.String() + " is no single rule")
}

// work wants a right answer within the hour, UTC, that holds at. An answer from the future is none.
func (e NominationEra) work(at time.Time, d DeviceFacts) (passed bool, have, need string) {
	hour := at.UTC().Truncate(time.Hour)
	need = "right answer from " + hour.Format(time.RFC3339) + " on"
	if d.WorkAt.IsZero() {
		return false, "no task", need
	}
	have = either(d.WorkValid, "right", "wrong") + " answer " + d.WorkAt.UTC().Format(time.RFC3339Nano)
	return d.WorkValid && !d.WorkAt.Before(hour) && !d.WorkAt.After(at), have, need
}

func (e NominationEra) wallets(d DeviceFacts) (passed bool, have, need string) {
	have, need = fmt.Sprint(d.Wallets), fmt.Sprintf("at least %d", e.MinWallets)
	if e.MaxWallets > 0 {
		need += fmt.Sprintf(" and at most %d", e.MaxWallets)
	}
	if e.PrimaryWallet {
		have += either(d.PrimaryWallet, ", one primary", ", none primary")
		need += ", one primary"
	}
	passed = d.Wallets >= e.MinWallets && (e.MaxWallets == 0 || d.Wallets <= e.MaxWallets) &&
		(d.PrimaryWallet || !e.PrimaryWallet)
	return passed, have, need
}

// excuse returns why a device need not pass a rule, or "".
func (e NominationEra) excuse(rule NominationRule, at time.Time, d DeviceFacts, exemptions []Exemption) string {
	switch {
	case d.BareMetal && slices.Contains(e.BareMetalExempt, rule):
		return "bare metal"
	case d.HeadNode && slices.Contains(e.HeadNodeExempt, rule):
		return "head node"
	case d.Hired && slices.Contains(e.HiredExempt, rule):
		return "hired"
	}
	for _, x := range exemptions {
		if x.covers(rule, at, d) {
			return fmt.Sprintf("%s (%s)", x.Text, x.Author)
		}
	}
	return ""
}

func either(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}
