package reputation

import "fmt"

// marks are what a subject's work is judged by, beside when it was up. A subject has them when the first of it is seen.
type marks struct {
	job, challenge, link counts
	lines                *lines // nil before the first sample
}

// laws are the signals in fixed point.
type laws struct{ job, challenge, link law }

// mark returns the marks of a subject.
func (b *Book) mark(i uint32) *marks {
	if b.marks[i] == nil {
		b.marks[i] = &marks{}
	}
	return b.marks[i]
}

// nobody is the owner of a subject that is its own, as long as there is nothing to answer for.
const nobody = ^uint32(0)

// own returns the number of a named owner, a new one if the name is new.
func (b *Book) own(name string) uint32 {
	if name == "" {
		return nobody
	}
	i, ok := b.ownerIndex[name]
	if !ok {
		i = uint32(len(b.owners))
		b.owners = append(b.owners, owner{name: name})
		b.ownerIndex[name] = i
	}
	return i
}

// answerable returns the number of who answers for a subject.
func (b *Book) answerable(i uint32) uint32 {
	if b.ownerOf[i] == nobody {
		b.ownerOf[i] = uint32(len(b.owners))
		b.owners = append(b.owners, owner{})
	}
	return b.ownerOf[i]
}

// subject returns the number of a subject that has joined.
func (b *Book) subject(s Subject) (uint32, error) {
	i, ok := b.index[s]
	if !ok {
		return 0, fmt.Errorf("%w: %q", ErrUnknownSubject, string(s))
	}
	return i, nil
}

// named checks an identifier or a name.
func named(field, text string) error {
	if text == "" || len(text) > maxText {
		return fmt.Errorf("%w: %s has %d bytes, not 1..%d", ErrInvalid, field, len(text), maxText)
	}
	return nil
}

// fresh checks an identifier of a job or a challenge: of its kind, it was not used within the window.
func (b *Book) fresh(kind, id string, at uint32) error {
	if err := named("id", id); err != nil {
		return err
	}
	if b.diary.knows(kind+id, at, seconds(b.params.Window)) {
		return fmt.Errorf("%w: %q", ErrDuplicate, id)
	}
	return nil
}

// checkJob checks a job and returns the number of its subject.
func (b *Book) checkJob(e JobEnded, at uint32) (uint32, error) {
	if !b.laws.job.used() {
		return 0, fmt.Errorf("%w: jobs do not count under %q", ErrUnused, b.params.Version)
	}
	if err := b.fresh("j", e.ID, at); err != nil {
		return 0, err
	}
	if err := named("renter", e.Renter); err != nil {
		return 0, err
	}
	if e.Outcome < JobDone || e.Outcome > JobVoid {
		return 0, fmt.Errorf("%w: outcome %d is unknown", ErrInvalid, uint8(e.Outcome))
	}
	return b.subject(e.Subject)
}

// checkChallenge checks an answer and returns the number of its subject.
func (b *Book) checkChallenge(e Challenged, at uint32) (uint32, error) {
	if !b.laws.challenge.used() {
		return 0, fmt.Errorf("%w: challenges do not count under %q", ErrUnused, b.params.Version)
	}
	if err := b.fresh("c", e.ID, at); err != nil {
		return 0, err
	}
	if e.Answer < AnswerRight || e.Answer > AnswerWrong {
		return 0, fmt.Errorf("%w: answer %d is unknown", ErrInvalid, uint8(e.Answer))
	}
	return b.subject(e.Subject)
}

// checkSample checks a sample and returns the number of its subject.
func (b *Book) checkSample(e Measured) (uint32, error) {
	if !b.laws.link.used() {
		return 0, fmt.Errorf("%w: lines do not count under %q", ErrUnused, b.params.Version)
	}
	if e.Latency < 0 {
		return 0, fmt.Errorf("%w: latency %v is negative", ErrInvalid, e.Latency)
	}
	return b.subject(e.Subject)
}

// checkFault checks a fault and returns the number of its subject and the severity.
func (b *Book) checkFault(e Faulted) (uint32, uint64, error) {
	if !b.params.Conduct.used() {
		return 0, 0, fmt.Errorf("%w: conduct does not count under %q", ErrUnused, b.params.Version)
	}
	if err := named("id", e.ID); err != nil {
		return 0, 0, err
	}
	if _, ok := b.faults["f"+e.ID]; ok {
		return 0, 0, fmt.Errorf("%w: %q", ErrDuplicate, e.ID)
	}
	s := b.params.Conduct.severity(e.Kind)
	if s == 0 {
		return 0, 0, fmt.Errorf("%w: fault of an unknown kind %q", ErrInvalid, e.Kind)
	}
	i, err := b.subject(e.Subject)
	return i, s, err
}

// answer counts an answer to a challenge. A wrong one is a lie, and as such a fault too, where conduct counts.
func (b *Book) answer(i, at uint32, e Challenged) {
	b.mark(i).challenge.add(b.tables, &b.laws.challenge, at, unit, e.Answer != AnswerRight)
	b.diary.note(entry{at: at, id: "c" + e.ID})
	if s := b.params.Conduct.severity(FaultWrongAnswer); e.Answer == AnswerWrong && s > 0 {
		b.blame(i, at, "c"+e.ID, s)
	}
}
