package worker

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/challenge"
)

// ErrMessage says that an answer cannot be read.
var ErrMessage = errors.New("worker: malformed answer")

// Offer is a challenge that an agent is asked to answer, with one line for each device.
type Offer struct {
	ID      string `json:"id"`
	Devices []Part `json:"devices"`
}

// Part is one device's line: its first answer is a Pong over the nonce.
type Part struct {
	Device gpu.DeviceID   `json:"device"`
	Nonce  challenge.Hash `json:"nonce"`
}

// What a Step asks for.
const (
	StepPing = "ping" // answer at once
	StepFill = "fill" // fill the table of Spec
	StepWait = "wait" // nothing is due yet: ask again
	StepWork = "work" // do the work of Spec; the clock runs
	StepWalk = "walk" // walk the table from Draw; the clock runs
	StepOpen = "open" // open what Draw asks for
	StepDone = "done" // Verdict
)

// Step is what a server asks of a device's prover.
type Step struct {
	Kind    string             `json:"step"`
	Nonce   challenge.Hash     `json:"nonce"` // that the answer is signed over
	Spec    *challenge.Spec    `json:"spec,omitempty"`
	Draw    *challenge.Hash    `json:"draw,omitempty"`
	Verdict *challenge.Verdict `json:"verdict,omitempty"`
}

// What an Answer is.
const (
	Pong      byte = 1
	Filled    byte = 2
	Again     byte = 3 // nothing was asked; the next step is wanted
	Committed byte = 4
	Walked    byte = 5
	Opened    byte = 6
	Failed    byte = 7 // the prover cannot; Text says why
)

// Answer is what a device's prover says to a step.
type Answer struct {
	Kind     byte
	Roots    challenge.Commitment     // of Committed
	Walk     challenge.WalkCommitment // of Walked
	Openings challenge.Openings       // of Opened
	Segments challenge.WalkOpenings   // of Opened, if there is a table
	Text     string                   // of Failed
}

// MarshalBinary returns the kind, then the canonical forms of package challenge; of two, the first with its length before it.
func (a Answer) MarshalBinary() ([]byte, error) {
	b := []byte{a.Kind}
	switch a.Kind {
	case Pong, Filled, Again:
		return b, nil
	case Committed:
		return appendBinary(b, a.Roots.MarshalBinary)
	case Walked:
		return appendBinary(b, a.Walk.MarshalBinary)
	case Failed:
		return append(b, a.Text...), nil
	case Opened:
		first, err := a.Openings.MarshalBinary()
		if err != nil {
			return nil, err
		}
		n := len(first)
		b = append(append(b, byte(n>>24), byte(n>>16), byte(n>>8), byte(n)), first...)
		if len(a.Segments) == 0 {
			return b, nil
		}
		return appendBinary(b, a.Segments.MarshalBinary)
	}
	return nil, fmt.Errorf("%w: kind %d", ErrMessage, a.Kind)
}

func appendBinary(b []byte, f func() ([]byte, error)) ([]byte, error) {
	rest, err := f()
	return append(b, rest...), err
}

// UnmarshalBinary reads what MarshalBinary wrote. It never panics; errors wrap ErrMessage.
func (a *Answer) UnmarshalBinary(b []byte) error {
	if len(b) == 0 {
		return fmt.Errorf("%w: no bytes", ErrMessage)
	}
	out, rest := Answer{Kind: b[0]}, b[1:]
	var err error
	switch out.Kind {
	case Pong, Filled, Again:
		if len(rest) > 0 {
			err = fmt.Errorf("%d bytes too many", len(rest))
		}
	case Committed:
		err = out.Roots.UnmarshalBinary(rest)
	case Walked:
		err = out.Walk.UnmarshalBinary(rest)
	case Failed:
		out.Text = string(rest[:min(len(rest), 200)])
	case Opened:
		err = out.opened(rest)
	default:
		err = fmt.Errorf("kind %d", out.Kind)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMessage, err)
	}
	*a = out
	return nil
}

func (a *Answer) opened(b []byte) error {
	if len(b) < 4 {
		return errors.New("too short")
	}
	n := int(b[0])<<24 | int(b[1])<<16 | int(b[2])<<8 | int(b[3])
	if b = b[4:]; n > len(b) {
		return fmt.Errorf("%d bytes of openings, want %d", len(b), n)
	}
	if err := a.Openings.UnmarshalBinary(b[:n]); err != nil || n == len(b) {
		return err
	}
	return a.Segments.UnmarshalBinary(b[n:])
}

// Ack is what a server answers to a report that it took.
type Ack struct {
	Seq   uint64         `json:"seq"`
	Facts []string       `json:"facts"`
	Nonce challenge.Hash `json:"nonce"`           // of the next report
	Proof *Offer         `json:"proof,omitempty"` // a challenge that is due
}

// problem is an error of the server, as RFC 9457 has it.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// RefusedError says that the server understood and said no.
type RefusedError struct {
	Status int
	Type   string // "urn:idlegrid:contradiction", ...
	Detail string
}

// Error says what the server said.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("the server refused (%d): %s", e.Status, e.Detail)
}

func refused(status int, b []byte) error {
	var p problem
	if json.Unmarshal(b, &p) != nil || p.Detail == "" {
		p.Detail = string(b[:min(len(b), 200)])
	}
	return &RefusedError{Status: status, Type: p.Type, Detail: p.Detail}
}
