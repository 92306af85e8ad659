package gpu

import (
	"fmt"
	"strings"
	"time"
)

// Health says how far a device can be used. Larger is worse.
type Health uint8

// The levels.
const (
	Healthy   Health = iota // nothing speaks against it
	Degraded                // works, but below what it should be or may soon fail: finish what runs, start nothing new
	Unhealthy               // its results or its next hour cannot be relied on: move what runs away
	Lost                    // does not answer
)

// String returns the level in words.
func (h Health) String() string { return word(int(h), "healthy", "degraded", "unhealthy", "lost") }

// MarshalText encodes the word.
func (h Health) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText decodes the word; any other wraps ErrInvalid.
func (h *Health) UnmarshalText(b []byte) error {
	for l := Healthy; l <= Lost; l++ {
		if l.String() == string(b) {
			*h = l
			return nil
		}
	}
	return fmt.Errorf("%w: health %.32q", ErrInvalid, b)
}

// Schedulable reports whether the device takes new jobs: only a healthy one does.
func (h Health) Schedulable() bool { return h == Healthy }

// Drain reports whether jobs must leave the device. A degraded one keeps the lease that it has.
func (h Health) Drain() bool { return h >= Unhealthy }

// Action is what an operator should do. Later ones cost more.
type Action uint8

// The actions.
const (
	ActionNone                 Action = iota
	ActionWatch                       // nothing yet: see whether it goes on
	ActionRestartApp                  // the program is at fault: restart it
	ActionRetest                      // run the self-test again
	ActionCheckAgent                  // the agent lacks the rights or the driver's support to read the device
	ActionCheckHost                   // find out where the device went: taken out, or given to a virtual machine
	ActionUpdateDriver                // look into the driver and its version
	ActionRestartFabricManager        // on NVSwitch systems
	ActionCheckCooling                // fans, filters, inlet temperature
	ActionCheckPower                  // power cables and supply
	ActionCheckCables                 // slot, riser, bridge or cable
	ActionResetWhenIdle               // let the lease end, then reset the device
	ActionReset                       // drain, then reset the device
	ActionRestartVM                   // restart the virtual machine, or the host where there is none
	ActionReboot                      // reboot the host
	ActionReplace                     // take the device out of service
)

// String returns the action in words.
func (a Action) String() string {
	return word(int(a), "none", "watch", "restart-app", "retest", "check-agent", "check-host", "update-driver", "restart-fabric-manager",
		"check-cooling", "check-power", "check-cables", "reset-when-idle", "reset-gpu", "restart-vm", "reboot", "replace")
}

// Exit is what ends a Reason. An operator's Cleared ends every reason, and what still shows in the next probe comes back.
type Exit uint8

// The exits.
const (
	ExitNone     Exit = iota
	ExitQuiet         // Reason.Wait without a new occurrence
	ExitSteady        // good in every probe that can tell, for Reason.Wait
	ExitLinks         // links up and their error counts still for Reason.Wait, or as ExitReset
	ExitSettled       // the driver no longer reports it, or was reset where it reports nothing
	ExitListed        // the device is read again
	ExitReset         // a reset was seen, then a self-test passed
	ExitReturned      // the device is read again, then a self-test passed
	ExitReboot        // a new boot id, the device is read again, then a self-test passed
	ExitPasses        // as many passed self-tests in a row as HealthParams.TestPasses
	ExitOperator      // only an operator's Cleared
)

// String returns what has to happen.
func (e Exit) String() string {
	return word(int(e), "nothing", "quiet", "steady readings", "links up and quiet, or a reset and a passed self-test",
		"the driver's word that it is settled", "the device being read again", "a reset and a passed self-test",
		"the device being read again and a passed self-test", "a new boot id, the device back and a passed self-test",
		"passed self-tests", "an operator's clearance")
}

// Reason is one thing that speaks against a device.
type Reason struct {
	Rule   HealthRule
	Detail string // what was seen last: "Xid 79", "8 of 16 lanes"
	Health Health
	Action Action
	Since  time.Time     // when the rule first fired
	Last   time.Time     // when it last did
	Exit   Exit          // what ends it
	Wait   time.Duration // of ExitQuiet, ExitSteady and ExitLinks
	Ends   time.Time     // when it ends if nothing else happens; zero: something has to happen first
}

// String is one line for an operator: what, since when, what to do, what ends it.
func (r Reason) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s at %s: %s; %v; ends with ", r.Detail, r.Last.Format(time.RFC3339), r.Rule.phrase(), r.Action)
	switch {
	case r.Exit == ExitQuiet:
		fmt.Fprintf(&b, "%v of quiet", r.Wait)
	case r.Exit == ExitSteady:
		fmt.Fprintf(&b, "%v of good readings", r.Wait)
	case r.Exit == ExitLinks:
		fmt.Fprintf(&b, "all links up and their error counts still for %v, or a reset and a passed self-test", r.Wait)
	default:
		b.WriteString(r.Exit.String())
	}
	if !r.Ends.IsZero() {
		fmt.Fprintf(&b, ", at %s if nothing happens", r.Ends.Format(time.RFC3339))
	}
	return b.String()
}

// Clearance is an operator's word that a device is in order.
type Clearance struct {
	At       time.Time
	Operator string
	Note     string
}

// Diagnosis is what a Monitor thinks of one device.
type Diagnosis struct {
	Device  DeviceID
	Health  Health    // the worst of the reasons
	Action  Action    // of the worst reason
	Since   time.Time // when the health became what it is
	Seen    time.Time // when a probe last knew of the device
	Listed  bool      // whether the last probe could read it
	Reasons []Reason  // worst first; the caller's
	Cleared Clearance // the last one; zero: none
}

// Exit is what ends the worst reason, ExitNone if there is none.
func (d Diagnosis) Exit() Exit {
	if len(d.Reasons) == 0 {
		return ExitNone
	}
	return d.Reasons[0].Exit
}

// HealthFor is the health for a job that needs NVLink or does not: a fault of a link that leaves the device Degraded makes it
// Unhealthy for a job that needs the link.
func (d Diagnosis) HealthFor(nvlink bool) Health {
	for _, r := range d.Reasons {
		if nvlink && (r.Rule == RuleNVLink || r.Rule == RuleFabric) {
			return max(d.Health, Unhealthy)
		}
	}
	return d.Health
}

// String is the whole diagnosis for an operator, a line per reason.
func (d Diagnosis) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %v since %s", string(d.Device), d.Health, d.Since.Format(time.RFC3339))
	for _, r := range d.Reasons {
		fmt.Fprintf(&b, "\n  %v: %v", r.Rule, r)
	}
	return b.String()
}
