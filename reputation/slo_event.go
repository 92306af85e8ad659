package reputation

import "time"

// SLOEvent is what happened to a promise: SLOStarted, SLOSeen, SLOTicked, MaintenanceAnnounced, RenterFaulted or SLOEnded.
//
//sumtype:decl
type SLOEvent interface{ sloEvent() }

// SLOStarted says that the subject was handed over and is up: the promise holds from now on. It happens once.
type SLOStarted struct {
	// Boot is as in SLOSeen.
	Boot uint64
}

// SLOSeen is a heartbeat, or its absence: an observer looked and found the subject up or down. The time is the observer's.
type SLOSeen struct {
	Up bool
	// Boot tells one run of the subject from the next: a boot counter or a session's number, 0 if it has none. If it differs
	// from the last one, the subject was down in between, however short. It is read only if Up.
	Boot uint64
}

// SLOTicked says that time passed and nobody looked. It makes known what follows from silence, and changes nothing of what
// later heartbeats mean.
type SLOTicked struct{}

// MaintenanceAnnounced says that the supplier announced to be down in [From, To), whole seconds. It may come before the start.
type MaintenanceAnnounced struct{ From, To time.Time }

// RenterFaulted says that what was lost in [From, To), whole seconds, was the renter's doing and is not to count. That time has
// to be judged already and to be of the current period: what is settled stays so.
type RenterFaulted struct{ From, To time.Time }

// SLOEnded says that the promise ends. A silence that is not too long yet counts as up.
type SLOEnded struct{}

func (SLOStarted) sloEvent()           {}
func (SLOSeen) sloEvent()              {}
func (SLOTicked) sloEvent()            {}
func (MaintenanceAnnounced) sloEvent() {}
func (RenterFaulted) sloEvent()        {}
func (SLOEnded) sloEvent()             {}

// SLOEffect is what follows from an SLOEvent: Alert, Recovered, PeriodEnded or Breach. Effects come in the order of their times,
// each the exact second of what it says. That second may lie before the event by which it became known: who was down at a
// heartbeat after an hour without one is taken to have been down for the hour.
//
//sumtype:decl
type SLOEffect interface{ sloEffect() }

// Alert says that a burn rule is exceeded from now on.
type Alert struct {
	Scope Subject
	At    time.Time
	// Rule is the rule; a contract with a rolling window has one more, named "budget", with that window for both.
	Rule BurnRule
	// LongLost and ShortLost are the seconds lost in its windows up to At.
	LongLost, ShortLost uint32
}

// Recovered says that an Alert no longer holds from now on. After SLOEnded none comes.
type Recovered struct {
	Scope Subject
	At    time.Time
	// Rule is that of the Alert.
	Rule BurnRule
	// LongLost and ShortLost are the seconds lost in its windows up to At.
	LongLost, ShortLost uint32
}

// PeriodEnded says what was attained in a period: a month or window, less what is before the start and after the end.
type PeriodEnded struct {
	Scope    Subject
	Attained Attained
}

// Breach follows a PeriodEnded whose objective was missed. Its numbers are what a table of credits asks for; money is not known
// here. One missed period is one Breach, whatever its credit, and may be held against the supplier as one fault.
type Breach struct {
	Scope Subject
	// Tier is the contract's.
	Tier uint8
	// From and To are the period.
	From, To time.Time
	// GoodSeconds of TotalSeconds the subject was up; TotalSeconds is not 0 and leaves out what is excused.
	GoodSeconds, TotalSeconds uint64
	// UptimePPM is their ratio, rounded down. CreditBps was decided by the exact one: basis points of what was paid.
	UptimePPM, CreditBps uint32
}

func (Alert) sloEffect()       {}
func (Recovered) sloEffect()   {}
func (PeriodEnded) sloEffect() {}
func (Breach) sloEffect()      {}
