package reputation

import "time"

// Subject names who is observed: a device, a node, a site. To this package it is opaque: 1 to 128 bytes.
type Subject string

const maxText = 128 // bytes of a Subject or a version

// Event is something that happened to a Book: Joined or Seen.
//
//sumtype:decl
type Event interface{ event() }

// Joined says that a subject is to be observed from now on. A subject joins once.
type Joined struct{ Subject Subject }

// Seen says that an observer looked at a subject and found it up or down. The time is the observer's. Looking is the
// observer's duty: a subject that stopped answering is Seen with Up false, not left out.
type Seen struct {
	Subject Subject
	Up      bool
}

func (Joined) event() {}
func (Seen) event()   {}

// Effect is what follows from an Event: WentDown or CameUp.
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

func (WentDown) effect() {}
func (CameUp) effect()   {}
