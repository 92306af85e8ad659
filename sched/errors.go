package sched

import (
	"errors"
	"fmt"
)

var (
	// ErrInvalid is wrapped by every error about a field out of its range; the text names the field and the limit.
	ErrInvalid = errors.New("sched: invalid")
	// ErrTimeBackwards says that an event is older than one that was applied before.
	ErrTimeBackwards = errors.New("sched: time goes backwards")
	// ErrUnknownNode says that no node of this ID was ever up.
	ErrUnknownNode = errors.New("sched: unknown node")
	// ErrNodeUp says that a node that came up is up already.
	ErrNodeUp = errors.New("sched: node is up already")
	// ErrNodeDown says that a node that went down is down already.
	ErrNodeDown = errors.New("sched: node is down already")
	// ErrDuplicateDevice says that a device of a node that came up belongs to another node that is up.
	ErrDuplicateDevice = errors.New("sched: device belongs to another node")
	// ErrDuplicateJob says that the job runs, is held, booked or waits already, or that a lease of it ended less than Policy.RememberSeconds ago.
	ErrDuplicateJob = errors.New("sched: job was submitted before")
	// ErrUnknownLease says that no lease of this ID is running, or in the state that the event needs.
	ErrUnknownLease = errors.New("sched: unknown lease")
	// ErrUnknownDevice says that no known node has this device.
	ErrUnknownDevice = errors.New("sched: unknown device")
	// ErrHoldExpired says that a hold's time to live had passed when it was committed.
	ErrHoldExpired = errors.New("sched: hold has expired")
	// ErrQueueFull says that Policy.MaxQueue jobs wait already.
	ErrQueueFull = errors.New("sched: queue is full")
	// ErrPolicyMismatch says that a snapshot was taken under another policy than the one given.
	ErrPolicyMismatch = errors.New("sched: snapshot of another policy")
	// ErrSnapshot says that the bytes are not a snapshot of a sound fleet.
	ErrSnapshot = errors.New("sched: malformed snapshot")
)

const maxText = 128 // bytes in a name: enough for any UUID, name or address, and a bound on what an event can weigh

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

func within(field string, v, low, high uint64) error {
	if v < low || v > high {
		return invalid("%s %d: want %d to %d", field, v, low, high)
	}
	return nil
}

func named(field, v string) error {
	if v == "" || len(v) > maxText {
		return invalid("%s %q: want 1 to %d bytes", field, v, maxText)
	}
	return nil
}

// short is a name that may be empty.
func short(field, v string) error {
	if len(v) > maxText {
		return invalid("%s %q: want at most %d bytes", field, v, maxText)
	}
	return nil
}

func country(field, v string) error {
	if len(v) != 2 || v[0] < 'A' || v[0] > 'Z' || v[1] < 'A' || v[1] > 'Z' {
		return invalid("%s %q: want two capital letters (ISO 3166-1)", field, v)
	}
	return nil
}

// first returns the first error that is not nil.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
