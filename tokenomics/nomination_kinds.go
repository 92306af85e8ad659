package tokenomics

import (
	"fmt"
	"time"
)

// NominationRule is one condition of the nomination. The first ten are io.net's, in the order of its page; the last one
// is tested when a block closes.
type NominationRule uint8

const (
	// RuleCluster asks that a trial cluster formed.
	RuleCluster NominationRule = iota + 1
	// RuleWallet asks for an associated wallet.
	RuleWallet
	// RuleProcessor asks for a model that earns.
	RuleProcessor
	// RuleConnectivity asks for a tier of the connection.
	RuleConnectivity
	// RuleUptime asks for a time without a break.
	RuleUptime
	// RuleWork asks for a valid proof of work within the current hour.
	RuleWork
	// RuleMemory asks for few failed tests of the VRAM, or none of late.
	RuleMemory
	// RuleWallets asks for a number of self-custodial wallets of the account.
	RuleWallets
	// RuleStake asks for the device's stake.
	RuleStake
	// RuleStatus asks for a status that is not barred.
	RuleStatus
	// RuleTimeLock asks that nothing else used the processors (proof of time-lock).
	RuleTimeLock
	// EveryRule is no rule but stands for all of them in an [Exemption].
	EveryRule
)

// String returns the name of the rule in lower case.
func (r NominationRule) String() string {
	switch r {
	case RuleCluster:
		return "cluster"
	case RuleWallet:
		return "wallet"
	case RuleProcessor:
		return "processor"
	case RuleConnectivity:
		return "connectivity"
	case RuleUptime:
		return "uptime"
	case RuleWork:
		return "proof_of_work"
	case RuleMemory:
		return "memory"
	case RuleWallets:
		return "wallets"
	case RuleStake:
		return "stake"
	case RuleStatus:
		return "status"
	case RuleTimeLock:
		return "time_lock"
	case EveryRule:
		return "every"
	}
	return fmt.Sprintf("NominationRule(%d)", uint8(r))
}

// MarshalText returns the name of the rule.
func (r NominationRule) MarshalText() ([]byte, error) {
	return nameOf(r, r >= RuleCluster && r <= EveryRule, ErrNomination)
}

// UnmarshalText reads what MarshalText returns.
func (r *NominationRule) UnmarshalText(text []byte) error {
	return named(r, RuleCluster, EveryRule, text, ErrNomination)
}

// RuleOutcome is how a rule went.
type RuleOutcome uint8

const (
	// RulePassed is a rule that the device fulfils.
	RulePassed RuleOutcome = iota + 1
	// RuleFailed is a rule that keeps the device out.
	RuleFailed
	// RuleExempt is a rule that the device does not fulfil and need not.
	RuleExempt
)

// String returns "passed", "failed" or "exempt".
func (o RuleOutcome) String() string {
	switch o {
	case RulePassed:
		return "passed"
	case RuleFailed:
		return "failed"
	case RuleExempt:
		return "exempt"
	}
	return fmt.Sprintf("RuleOutcome(%d)", uint8(o))
}

// MarshalText returns the name of the outcome.
func (o RuleOutcome) MarshalText() ([]byte, error) {
	return nameOf(o, o >= RulePassed && o <= RuleExempt, ErrNomination)
}

// UnmarshalText reads what MarshalText returns.
func (o *RuleOutcome) UnmarshalText(text []byte) error {
	return named(o, RulePassed, RuleExempt, text, ErrNomination)
}

// DeviceStatus is what io.net calls the state of a device; the names are those of its API. The zero value is up.
type DeviceStatus uint8

const (
	// DeviceUp answers.
	DeviceUp DeviceStatus = iota
	// DeviceDown does not.
	DeviceDown
	// DeviceTerminated was taken out for good.
	DeviceTerminated
	// DevicePaused was taken out by its owner for a while.
	DevicePaused
	// DeviceBlocked bore somebody else's load.
	DeviceBlocked
	// DeviceRestartRequired has to be restarted.
	DeviceRestartRequired
	// DeviceUnsupported is of no use to the network.
	DeviceUnsupported
	// DeviceInactive was out of contact for more than five days.
	DeviceInactive
)

// String returns the name of the status in lower case.
func (s DeviceStatus) String() string {
	switch s {
	case DeviceUp:
		return "up"
	case DeviceDown:
		return "down"
	case DeviceTerminated:
		return "terminated"
	case DevicePaused:
		return "paused"
	case DeviceBlocked:
		return "blocked"
	case DeviceRestartRequired:
		return "restart required"
	case DeviceUnsupported:
		return "unsupported"
	case DeviceInactive:
		return "inactive"
	}
	return fmt.Sprintf("DeviceStatus(%d)", uint8(s))
}

// MarshalText returns the name of the status.
func (s DeviceStatus) MarshalText() ([]byte, error) {
	return nameOf(s, s <= DeviceInactive, ErrNomination)
}

// UnmarshalText reads what MarshalText returns.
func (s *DeviceStatus) UnmarshalText(text []byte) error {
	return named(s, DeviceUp, DeviceInactive, text, ErrNomination)
}

// ExemptionScope says whom an [Exemption] spares.
type ExemptionScope uint8

const (
	// ExemptDevice spares one device.
	ExemptDevice ExemptionScope = iota + 1
	// ExemptUser spares all devices of one user.
	ExemptUser
	// ExemptAll spares every device.
	ExemptAll
)

// String returns "device", "user" or "all".
func (s ExemptionScope) String() string {
	switch s {
	case ExemptDevice:
		return "device"
	case ExemptUser:
		return "user"
	case ExemptAll:
		return "all"
	}
	return fmt.Sprintf("ExemptionScope(%d)", uint8(s))
}

// MarshalText returns the name of the scope.
func (s ExemptionScope) MarshalText() ([]byte, error) {
	return nameOf(s, s >= ExemptDevice && s <= ExemptAll, ErrNomination)
}

// UnmarshalText reads what MarshalText returns.
func (s *ExemptionScope) UnmarshalText(text []byte) error {
	return named(s, ExemptDevice, ExemptAll, text, ErrNomination)
}

// Exemption spares devices a rule for a while. io.net publishes its own with a window, an author and a text.
type Exemption struct {
	// Rule is what need not be passed; EveryRule is all of them.
	Rule NominationRule `json:"rule"`
	// Scope says whom it spares.
	Scope ExemptionScope `json:"scope"`
	// ID is the device or the user, "" for all.
	ID string `json:"id,omitempty"`
	// From is the first instant of the window and Until the first one after it.
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
	// Author is who granted it and Text is what the public is told; neither may be empty.
	Author string `json:"author"`
	Text   string `json:"text"`
}

// Validate returns [ErrNomination] and what is wrong, or nil.
func (x Exemption) Validate() error {
	switch {
	case x.Rule < RuleCluster || x.Rule > EveryRule:
		return fmt.Errorf("%w: exemption from an unknown rule %d", ErrNomination, uint8(x.Rule))
	case x.Scope < ExemptDevice || x.Scope > ExemptAll:
		return fmt.Errorf("%w: exemption with an unknown scope %d", ErrNomination, uint8(x.Scope))
	case (x.Scope == ExemptAll) != (x.ID == ""):
		return fmt.Errorf("%w: exemption of scope %s with the ID %s, want one but for all", ErrNomination, x.Scope, quote(x.ID))
	case !x.From.Before(x.Until):
		return fmt.Errorf("%w: exemption until %s, not after its beginning", ErrNomination, x.Until.UTC().Format(time.RFC3339Nano))
	case x.Author == "":
		return fmt.Errorf("%w: exemption without an author", ErrNomination)
	case x.Text == "":
		return fmt.Errorf("%w: exemption without a public text", ErrNomination)
	}
	return nil
}

// covers reports whether the exemption spares a device a rule at an instant.
func (x Exemption) covers(rule NominationRule, at time.Time, d DeviceFacts) bool {
	if x.Rule != rule && x.Rule != EveryRule || at.Before(x.From) || !at.Before(x.Until) {
		return false
	}
	switch x.Scope {
	case ExemptDevice:
		return x.ID == d.Device
	case ExemptUser:
		return x.ID == d.User
	case ExemptAll:
	}
	return true
}
