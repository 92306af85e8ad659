package reputation

import "time"

// Subject names who is observed: a device, a node, a site. To this package it is opaque: 1 to 128 bytes.
type Subject string

const maxText = 128 // bytes of a Subject, an owner, a renter, an identifier or a version

// Event is something that happened to a Book: [Joined], [Seen], [JobEnded], [Challenged], [Measured], [Faulted],
// [Overturned] or [StockTaken].
//
//sumtype:decl
type Event interface{ event() }

// Joined says that a subject is to be observed from now on. A subject joins once.
type Joined struct {
	Subject Subject
	// Owner is who supplies it; conduct follows the owner to every subject, also to those that join later. Empty: the
	// subject is its own owner.
	Owner string
	// Site is where it stands, for causes that subjects share; empty: with no other.
	Site string
}

// Seen says that an observer looked at a subject and found it up or down. The time is the observer's. Looking is the
// observer's duty: a subject that stopped answering is Seen with Up false, not left out.
type Seen struct {
	Subject Subject
	Up      bool
}

// Outcome says how a job ended.
type Outcome uint8

const (
	// JobDone is a job that ran as long as it was booked, or until its renter ended it.
	JobDone Outcome = 1
	// JobFailed is a job that ended by the supplier's fault.
	JobFailed Outcome = 2
	// JobVoid is a job that ended by anybody else's fault: it says nothing of the supplier.
	JobVoid Outcome = 3
)

// JobEnded says that a job on a subject was settled.
type JobEnded struct {
	// ID names the job; it counts once.
	ID      string
	Subject Subject
	// Renter is who paid, 1 to 128 bytes: one name for all wallets of one person. A job that the owner paid says nothing.
	Renter string
	// PaidMicroUSD is what was paid, in millionths of a dollar. It gives a job that was done its weight.
	PaidMicroUSD uint64
	// GPUSeconds is how long it ran, times processors: good conduct, if it was done and has a weight.
	GPUSeconds uint64
	Outcome    Outcome
}

// Answer says how a subject answered a challenge: a proof of work, a memory check, a benchmark.
type Answer uint8

const (
	// AnswerRight is a right answer in time.
	AnswerRight Answer = 1
	// AnswerLate is no answer in time.
	AnswerLate Answer = 2
	// AnswerWrong is a wrong answer: a failure, and a fault of the kind [FaultWrongAnswer].
	AnswerWrong Answer = 3
)

// Challenged says how a subject answered a challenge. Who is challenged when is drawn by others, never by the subject.
type Challenged struct {
	// ID names the challenge; it counts once.
	ID      string
	Subject Subject
	Answer  Answer
}

// Measured says what a sample of a subject's line found.
type Measured struct {
	Subject Subject
	// Latency is the time to a reference point.
	Latency time.Duration
	// DownKbps and UpKbps are the throughput, in kilobits a second.
	DownKbps uint32
	UpKbps   uint32
	// Meets says whether the sample meets the tier that the line is sold as.
	Meets bool
}

// Faulted says that a fault of a subject was proved, or of its owner: a slash, a lost dispute.
type Faulted struct {
	// ID names the fault; it counts once.
	ID      string
	Subject Subject
	// Kind selects the severity of Params.Conduct.
	Kind string
}

// Overturned says that an appeal against a fault was won: it never was.
type Overturned struct {
	// ID names the fault.
	ID string
}

// StockTaken orders that the book takes stock for the weather: once a day or so.
type StockTaken struct{}

func (StockTaken) event() {}
func (Joined) event()     {}
func (Seen) event()       {}
func (JobEnded) event()   {}
func (Challenged) event() {}
func (Measured) event()   {}
func (Faulted) event()    {}
func (Overturned) event() {}

// Effect is what follows from an Event: [WentDown], [CameUp] or [JobWeighed].
//
//sumtype:decl
type Effect interface{ effect() }

// WentDown says that a subject was seen up before and is now seen down.
type WentDown struct {
	Subject Subject
	At      time.Time
	// Counted tells whether this is an outage of the record. It is none if the subject was not observed for longer than
	// Params.Gap before: then nobody knows when it went down, or how often.
	Counted bool
}

// CameUp says that a subject was seen down before and is now seen up.
type CameUp struct {
	Subject Subject
	At      time.Time
}

// JobWeighed says what a job that was done counts, which may be less than the whole, or nothing.
type JobWeighed struct {
	Subject Subject
	// WeightPPM is the weight in millionths of a whole job, rounded down.
	WeightPPM uint32
}

func (WentDown) effect()   {}
func (CameUp) effect()     {}
func (JobWeighed) effect() {}
