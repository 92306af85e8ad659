package challenge

import "time"

// Event is something that happened to an Exchange, or with Of and Together to a Barrier.
//
//sumtype:decl
type Event interface{ event() }

// Begun says that the exchange shall begin: the round trips are measured first.
type Begun struct{}

// Ponged says that the ping was answered.
type Ponged struct{}

// Filled says that the prover has its table.
type Filled struct{}

// Started says that the work begins now. The session is drawn at this moment and is that of the work: the table's is known
// since it was filled, and work from it could have been done before the clock ran.
type Started struct{ Session Hash }

// Committed says that the roots came. The nonce is drawn at this moment: it starts the walk, or without a table it draws the
// leaves to be opened.
type Committed struct {
	Commitment Commitment
	Nonce      Hash
}

// Walked says that the walk's root came. The nonce is drawn at this moment: it draws leaves and segments to be opened.
type Walked struct {
	Commitment WalkCommitment
	Nonce      Hash
}

// Opened says that the openings came, with those of the walk if there is one.
type Opened struct {
	Openings []Opening
	Segments []WalkOpening
}

// Examined says what the openings came to: what Examine.Verify returned.
type Examined struct{ Err error }

// Broken says that the line to the prover broke. Where a prover can bring that about, do not apply it from Started on but let
// the limit pass: who may walk away unpunished once he knows what has to be opened, tries until the draw suits him.
type Broken struct{}

// Declined says that the prover itself gave up. Before Started that is no evidence, since memory may be let; from then on it
// is an answer that does not come, and judged as such at once.
type Declined struct{}

// Ticked says that time has passed.
type Ticked struct{}

// Of is an event of one of a barrier's exchanges, by its number.
type Of struct {
	Exchange uint32
	Event    Event // any but Started, Of and Together
}

// Together starts all exchanges of a barrier at one instant. Each has a session of its own, drawn at this moment.
type Together struct{ Sessions []Hash }

func (Begun) event()     {}
func (Ponged) event()    {}
func (Filled) event()    {}
func (Started) event()   {}
func (Committed) event() {}
func (Walked) event()    {}
func (Opened) event()    {}
func (Examined) event()  {}
func (Broken) event()    {}
func (Declined) event()  {}
func (Ticked) event()    {}
func (Of) event()        {}
func (Together) event()  {}

// Effect is what follows from an Event: something to be sent, a time to wake at, or what was found.
//
//sumtype:decl
type Effect interface{ effect() }

// SendPing asks for a round trip. Its answer is Ponged.
type SendPing struct{}

// SendFill asks for the table of a spec. Its answer is Filled.
type SendFill struct{ Spec Spec }

// Ready says that the work can be started: Started is due, whenever the verifier likes.
type Ready struct{}

// SendWork asks for the roots of a spec. Its answer is Committed.
type SendWork struct{ Spec Spec }

// SendWalk asks for a walk of the table. Its answer is Walked.
type SendWalk struct{ Nonce Hash }

// SendOpen asks for the openings, and those of the walk if there is one, under one nonce. Its answer is Opened.
type SendOpen struct{ Nonce Hash }

// Examine asks the verifier to check openings, the one part of an exchange that takes time of its own. The prover's clock has
// stopped, and other events may be applied meanwhile. The answer is Examined.
type Examine struct {
	spec       Spec // Session is that of the table
	work       Spec
	commitment Commitment
	walk       WalkCommitment
	start      Hash
	nonce      Hash
	opened     Opened
}

// WakeAt says when the answer is late. After that, Ticked ends the exchange.
type WakeAt struct{ At time.Time }

// Judged says how the exchange ended. It is the last effect.
type Judged struct{ Verdict Verdict }

// To is an effect of one of a barrier's exchanges.
type To struct {
	Exchange uint32
	Effect   Effect
}

// Assembled says that all exchanges of a barrier which did not end are ready: Together is due.
type Assembled struct{}

// Concluded says how a barrier ended. It is the last effect.
type Concluded struct{ Outcome Outcome }

func (SendPing) effect()  {}
func (SendFill) effect()  {}
func (Ready) effect()     {}
func (SendWork) effect()  {}
func (SendWalk) effect()  {}
func (SendOpen) effect()  {}
func (Examine) effect()   {}
func (WakeAt) effect()    {}
func (Judged) effect()    {}
func (To) effect()        {}
func (Assembled) effect() {}
func (Concluded) effect() {}
