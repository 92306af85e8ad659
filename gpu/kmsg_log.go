package gpu

import (
	"strconv"
	"strings"
	"time"
)

// KernelRecord is one record of /dev/kmsg.
type KernelRecord struct {
	Level     uint8         // syslog's severity: 0 emergency to 7 debug
	Facility  uint32        // 0 is the kernel itself; the kernel forces others to be something else
	Seq       uint64        // grows by one with every record since the boot
	SinceBoot time.Duration // on the kernel's monotonic clock, whole microseconds
	Fragment  bool          // a part of a line
	Text      string        // the message, escapes undone; its lines are separated by newlines
}

// ParseKernelRecord reads what one read of /dev/kmsg returns: "4,1234,5678901,-;text", then lines that begin with a space and hold keys
// and values, which are skipped (Documentation/ABI/testing/dev-kmsg of Linux). Fields beyond the fourth are skipped too. False if
// it is none. It never panics.
func ParseKernelRecord(b []byte) (KernelRecord, bool) {
	head, body, ok := strings.Cut(string(b), ";")
	if !ok {
		return KernelRecord{}, false
	}
	var f [4]string
	for i := range f {
		f[i], head, ok = strings.Cut(head, ",")
		if !ok && i < len(f)-1 {
			return KernelRecord{}, false
		}
	}
	prefix, err1 := strconv.ParseUint(f[0], 10, 32)
	seq, err2 := strconv.ParseUint(f[1], 10, 64)
	us, err3 := strconv.ParseUint(f[2], 10, 53) // 285 years: as nanoseconds it fits a Duration
	if err1 != nil || err2 != nil || err3 != nil {
		return KernelRecord{}, false
	}
	text, _, _ := strings.Cut(body, "\n")
	return KernelRecord{
		Level: uint8(prefix & 7), Facility: uint32(prefix >> 3), Seq: seq, SinceBoot: time.Duration(us) * time.Microsecond,
		Fragment: strings.Contains(f[3], "c"), Text: unescape(text),
	}, true
}

// unescape undoes the kernel's "\x0a".
func unescape(s string) string {
	i := strings.IndexByte(s, '\\')
	if i < 0 {
		return s
	}
	var b strings.Builder
	for ; i >= 0; i = strings.IndexByte(s, '\\') {
		b.WriteString(s[:i])
		s = s[i:]
		if len(s) >= 4 && s[1] == 'x' {
			if v, err := strconv.ParseUint(s[2:4], 16, 8); err == nil {
				b.WriteByte(byte(v))
				s = s[4:]
				continue
			}
		}
		b.WriteByte('\\')
		s = s[1:]
	}
	b.WriteString(s)
	return b.String()
}

// KernelCursor says how far a kernel's log was read: save it, so that a restarted agent takes no old record for a new one.
type KernelCursor struct {
	Boot string `json:"boot_id"` // the boot that Seq counts in
	Seq  uint64 `json:"seq"`     // of the last record that was read
}

// KernelLog turns the records of one boot's kernel log into notices: it skips records that were read before, and records that did not
// come from the kernel, which anybody may write who can open /dev/kmsg; it joins messages that were logged in several lines; it
// counts records that were overwritten before they were read. It is not safe for concurrent use.
type KernelLog struct {
	cursor  KernelCursor
	started time.Time
	any     bool // whether cursor.Seq is of this boot
	lost    uint64
	partial string // fragments of an unfinished line
	fallen  string // the bus id of "The NVIDIA GPU ...", until the line that says what is with it
	wait    int    // lines that may still pass before it
}

const (
	maxPartial = 2048 // a line of the kernel is shorter than 1 KiB
	maxBetween = 4    // lines of other drivers between those of one message
)

// NewKernelLog starts with the boot that runs now and when it started (the clock's time less /proc/uptime). A cursor of the same
// boot skips all that was read; one of another boot skips nothing, because every record is new; the zero cursor skips nothing either,
// so a first start opens /dev/kmsg at its end (SEEK_END).
func NewKernelLog(boot string, started time.Time, c KernelCursor) *KernelLog {
	l := &KernelLog{cursor: KernelCursor{Boot: boot}, started: started.UTC().Round(0)}
	if c.Boot == boot && boot != "" {
		l.cursor, l.any = c, true
	}
	return l
}

// Feed takes one record of /dev/kmsg. Notice.At is the boot's start plus the record's own time: it drifts from the wall clock by what
// the clock was set since, and by the time that the machine slept.
func (l *KernelLog) Feed(record []byte) (Notice, bool) {
	r, ok := ParseKernelRecord(record)
	if !ok || l.any && r.Seq <= l.cursor.Seq {
		return Notice{}, false
	}
	if l.any && r.Seq > l.cursor.Seq+1 {
		l.lost += r.Seq - l.cursor.Seq - 1
		l.partial, l.fallen = "", ""
	}
	l.cursor.Seq, l.any = r.Seq, true
	if r.Facility != 0 {
		return Notice{}, false
	}
	at := l.started.Add(r.SinceBoot)
	text := l.partial + r.Text
	if _, whole := parseMessage(r.Text); whole {
		text = r.Text // the rest of the fragment never came
	}
	l.partial = ""
	if r.Fragment && len(text) < maxPartial {
		l.partial = text
		return Notice{}, false
	}
	return l.message(text, at)
}

// Line takes one line of text that the caller knows to be the kernel's, for example of the journal, and when it was logged.
func (l *KernelLog) Line(text string, at time.Time) (Notice, bool) {
	return l.message(trimLogPrefix(strings.TrimRight(text, "\r\n")), at)
}

// message takes one message. A record of /dev/kmsg is one as it stands: what looks like a log reader's prefix there is the text of
// whoever made the kernel log it.
func (l *KernelLog) message(text string, at time.Time) (Notice, bool) {
	n, ok := parseMessage(text)
	switch {
	case ok:
	case l.fallen != "" && strings.Contains(text, "fallen off the bus"):
		if strings.HasPrefix(text, "NVRM: ") {
			n, ok = Notice{Kind: NoticeLost, BusID: l.fallen, Text: text}, true
			l.fallen = ""
		}
	default:
		l.expect(text)
	}
	n.At = at
	if !ok {
		return Notice{}, false
	}
	return n, true
}

// expect remembers the first line of "The NVIDIA GPU 0000:b3:00.0 (PCI ID: 10de:26b5)\ninstalled in this system has\nfallen off the bus".
func (l *KernelLog) expect(text string) {
	if bus, ok := strings.CutPrefix(text, "NVRM: The NVIDIA GPU "); ok {
		bus = bus[:strings.IndexAny(bus+" ", " \r\n")]
		if slot, ok := parseSlot(bus); ok {
			l.fallen, l.wait = formatBus(slot), maxBetween
			return
		}
	}
	if l.wait--; l.wait <= 0 {
		l.fallen = ""
	}
}

// Cursor is how far the log was read.
func (l *KernelLog) Cursor() KernelCursor { return l.cursor }

// Lost is how many records were overwritten before they were read. What they said is not known: probe again.
func (l *KernelLog) Lost() uint64 { return l.lost }
