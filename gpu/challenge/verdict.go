package challenge

import "time"

// Reason says why a challenge was not passed.
type Reason string

// The reasons. OK is the only pass; Transport is no evidence in either direction and is never punished by itself.
const (
	OK             Reason = ""
	TimeoutFill    Reason = "timeout-fill"    // the table was not filled in time
	TimeoutCommit  Reason = "timeout-commit"  // no roots in time
	TimeoutWalk    Reason = "timeout-walk"    // no root of the walk in time
	TimeoutOpen    Reason = "timeout-open"    // no openings in time
	Shape          Reason = "shape"           // not what was asked for
	MerklePath     Reason = "merkle-path"     // an opening that the root does not hold
	Value          Reason = "value"           // an entry that is not the product's
	WalkShape      Reason = "walk-shape"      // not the segments that were asked for
	WalkPath       Reason = "walk-path"       // a state that the root does not hold
	WalkValue      Reason = "walk-value"      // a segment that the table does not lead along
	RateLow        Reason = "rate-low"        // roots after the model's deadline
	ReadsLow       Reason = "reads-low"       // the root of the walk after the model's deadline
	RateImpossible Reason = "rate-impossible" // right, but faster than the claimed model can be: another device answered
	Replay         Reason = "replay"          // roots of another exchange
	Transport      Reason = "transport"       // the line broke: no evidence either way
)

// Verdict is what an exchange showed. Times are on the verifier's clock. Rates are work over the whole time, with nothing
// taken off for the line, rounded down: lower bounds of what answered.
type Verdict struct {
	Reason      Reason        `json:"reason"`
	Text        string        `json:"text,omitempty"` // what was found, for people
	RTT         time.Duration `json:"rtt"`            // the least of the round trips; not more than Params.RTTBound is credited
	Commit      time.Duration `json:"commit"`         // from the start to the roots; 0: none came
	Walk        time.Duration `json:"walk"`           // from the walk's nonce to its root; 0: none came
	OpsPerSec   uint64        `json:"opsPerSec,string"`
	ReadsPerSec uint64        `json:"readsPerSec,string"`
	RateJudged  bool          `json:"rateJudged"`  // false: no measured rate of the model, so OpsPerSec is a lower bound only
	ReadsJudged bool          `json:"readsJudged"` // likewise for ReadsPerSec
}

// Passed reports whether all that was asked was shown. Whether it was also fast enough for the model, RateJudged and
// ReadsJudged say.
func (v Verdict) Passed() bool { return v.Reason == OK }

// Failed reports whether the challenge speaks against the claim. A broken line does not.
func (v Verdict) Failed() bool { return v.Reason != OK && v.Reason != Transport }
