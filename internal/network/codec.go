package network

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/idlegrid/idlegrid/settlement"
)

// Key is 32 bytes, written as 64 hexadecimal digits.
type Key [32]byte

// String returns the key as 64 hexadecimal digits.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// MarshalText returns the key as 64 hexadecimal digits.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads 64 hexadecimal digits.
func (k *Key) UnmarshalText(text []byte) error {
	if len(text) != 2*len(k) {
		return fmt.Errorf("network: key has %d characters, want %d hexadecimal digits", len(text), 2*len(k))
	}
	if _, err := hex.Decode(k[:], text); err != nil {
		return fmt.Errorf("network: key: %w", err)
	}
	return nil
}

// envelope is a command at rest and on the wire.
type envelope struct {
	At      time.Time       `json:"at,omitzero"`
	Kind    string          `json:"kind"`
	Command json.RawMessage `json:"command,omitempty"`
}

// settleBody is the command Settle in JSON: the event in the canonical form of package settlement.
type settleBody struct {
	Event []byte `json:"event"`
}

// kindName returns the name under which a command travels.
func kindName(c Command) string {
	switch c.(type) {
	case Enrol:
		return "enrol"
	case Challenge:
		return "challenge"
	case Report:
		return "report"
	case List:
		return "list"
	case Link:
		return "link"
	case Heartbeats:
		return "heartbeats"
	case Attest:
		return "attest"
	case Prove:
		return "prove"
	case AttestChip:
		return "attest_chip"
	case RotateKey:
		return "rotate_key"
	case RevokeKey:
		return "revoke_key"
	case Stake:
		return "stake"
	case PostOffer:
		return "post_offer"
	case AcceptOffer:
		return "accept_offer"
	case SetPrice:
		return "set_price"
	case Submit:
		return "submit"
	case Finish:
		return "finish"
	case Retry:
		return "retry"
	case OtherScores:
		return "other_scores"
	case Settle:
		return "settle"
	case Tick:
		return "tick"
	}
	panic(fmt.Sprintf("network: kindName: %T", c))
}

// Encode returns a command and its instant as one line of JSON.
func Encode(at time.Time, c Command) ([]byte, error) {
	var body any = c
	if s, ok := c.(Settle); ok {
		if s.Event == nil {
			return nil, fmt.Errorf("%w: settle: there is no event", ErrInvalid)
		}
		body = settleBody{settlement.EncodeEvent(s.Event)}
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("network: encode: %w", err)
	}
	return json.Marshal(envelope{At: at.UTC(), Kind: kindName(c), Command: raw})
}

// Decode reads what [Encode] wrote. A field that the command does not have is an error, as is anything that follows.
func Decode(b []byte) (at time.Time, c Command, err error) {
	var e envelope
	if err := strict(b, &e); err != nil {
		return time.Time{}, nil, fmt.Errorf("network: command: %w", err)
	}
	c, err = decodeBody(e)
	if err != nil {
		return time.Time{}, nil, fmt.Errorf("network: command %q: %w", e.Kind, err)
	}
	return e.At, c, nil
}

func decodeBody(e envelope) (Command, error) {
	switch e.Kind {
	case "enrol":
		return body[Enrol](e.Command)
	case "challenge":
		return body[Challenge](e.Command)
	case "report":
		return body[Report](e.Command)
	case "list":
		return body[List](e.Command)
	case "link":
		return body[Link](e.Command)
	case "heartbeats":
		return body[Heartbeats](e.Command)
	case "attest":
		return body[Attest](e.Command)
	case "prove":
		return body[Prove](e.Command)
	case "attest_chip":
		return body[AttestChip](e.Command)
	case "rotate_key":
		return body[RotateKey](e.Command)
	case "revoke_key":
		return body[RevokeKey](e.Command)
	case "stake":
		return body[Stake](e.Command)
	case "post_offer":
		return body[PostOffer](e.Command)
	case "accept_offer":
		return body[AcceptOffer](e.Command)
	case "set_price":
		return body[SetPrice](e.Command)
	case "submit":
		return body[Submit](e.Command)
	case "finish":
		return body[Finish](e.Command)
	case "retry":
		return body[Retry](e.Command)
	case "other_scores":
		return body[OtherScores](e.Command)
	case "tick":
		return body[Tick](e.Command)
	case "settle":
		var s settleBody
		if err := strict(e.Command, &s); err != nil {
			return nil, err
		}
		event, err := settlement.DecodeEvent(s.Event)
		return Settle{event}, err
	}
	return nil, errors.New("unknown kind")
}

func body[C Command](raw json.RawMessage) (Command, error) {
	var c C
	if len(raw) == 0 {
		raw = []byte("{}")
	}
	err := strict(raw, &c)
	return c, err
}

// strict decodes one JSON value and nothing else.
func strict(b []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the value")
	}
	return nil
}
