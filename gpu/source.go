package gpu

import (
	"context"
	"errors"
	"time"
)

// What a Source answers when it cannot probe. Each is wrapped with the library's or the driver's own words.
var (
	ErrNoLibrary   = errors.New("gpu: the driver's management library was not found")
	ErrNoDriver    = errors.New("gpu: no driver is loaded")
	ErrUnsupported = errors.New("gpu: not supported on this platform or by this build")
	ErrStuck       = errors.New("gpu: a driver call has not returned")
	ErrClosed      = errors.New("gpu: source is closed")
)

// Source reads the devices of the host that it runs on. Implementations are gpu/nvml (NVIDIA's driver), Sysfs (the kernel's
// files: AMD, Intel, and which NVIDIA devices the PCI bus holds) and those of gpu/gputest, whose Exercise is the conformance
// test of all of them. A Source is safe for concurrent use.
type Source interface {
	// Probe reads everything once. It never panics and never ends the process, and it returns by the deadline of ctx with
	// what it has: a device that did not answer is in Inventory.Missing. Without a deadline it takes the source's own.
	// An error means that there is nothing to show; a driver that went away is an error now and may be none later.
	Probe(ctx context.Context) (Inventory, error)
	// Watch calls notify, one call at a time, for what the driver says without being asked, until ctx ends; it then returns
	// ctx's error. A source that has no such events returns ErrUnsupported at once.
	Watch(ctx context.Context, notify func(Notice)) error
	// Close ends the source and frees what it holds; a second Close does nothing. Probe and Watch answer ErrClosed afterwards.
	Close() error
}

// NoticeKind says what a Notice is about.
type NoticeKind uint8

// The kinds.
const (
	NoticeXid         NoticeKind = iota + 1 // an error number of NVIDIA's driver: Notice.Xid
	NoticeSXid                              // the same of an NVSwitch
	NoticeCorrected                         // a memory error was corrected
	NoticeUncorrected                       // a memory error was not
	NoticeLost                              // the device does not answer any more
	NoticeClock                             // clocks or performance state changed
	NoticePower                             // the power source changed
	NoticeMIG                               // the MIG configuration changed
	NoticeHang                              // the driver found the device hung and resets it; Notice.Fatal: it could not
	NoticeReset                             // the device was reset and works again
)

// String returns the kind in words.
func (k NoticeKind) String() string {
	return word(int(k), "none", "xid", "sxid", "ecc-corrected", "ecc-uncorrected", "lost", "clock", "power", "mig", "hang", "reset")
}

// Notice is what a driver or the kernel's log says about a device without being asked.
type Notice struct {
	At      time.Time   `json:"at"`
	Kind    NoticeKind  `json:"kind"`
	ID      DeviceID    `json:"id,omitempty"`     // empty if only the slot is known
	BusID   string      `json:"bus_id,omitempty"` // in any spelling; empty if only the id is known
	Xid     uint32      `json:"xid,omitempty"`    // of NoticeXid and NoticeSXid
	SubCode Opt[uint32] `json:"sub_code,omitzero"`
	Fatal   Opt[bool]   `json:"fatal,omitzero"`   // where the log says so (NVLink5, NVSwitch)
	PID     Opt[uint32] `json:"pid,omitzero"`     // the process that the driver blames
	Action  string      `json:"action,omitempty"` // the recovery that the driver itself names (Xid 154)
	Text    string      `json:"text,omitempty"`   // the line as it was read
}
