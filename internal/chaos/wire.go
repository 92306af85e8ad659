package chaos

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/idlegrid/idlegrid/settlement"
)

// The two talk in lines. The harness sends a Job, then one command at a time; the payer answers "at POINT" any number of times,
// each of which the harness answers with "go", and then "done" with a status.

// job is what a payer is started with.
type job struct {
	Mode    Mode
	Journal string   // the file
	URLs    []string // of the endpoints
	Asset   settlement.Asset
	World   World
	Life    int  // number of this process, from 0
	Lost    bool // the journal was lost since it was last recovered
}

// command is one order to a payer.
type command struct {
	Do    string          // "step", "retry", "resume", "disk"
	Unix  int64           // the clock
	Waves int             // that are decided so far
	Since []int64         // when each of them was decided, by the clock
	Room  int             // of "disk": bytes that the file may still grow by
	Deny  [endpoints]bool // endpoints that deny what they know of attempts, see denying
}

// status is what a payer says at the end of a command.
type status struct {
	Moved      bool
	Open       int    // batches not closed
	Refused    int    // intents that are refused
	Recovering bool   // and signs nothing therefore
	Recovered  bool   // the recovery that Job.Lost asks for is in the journal
	Broken     bool   // it can go on only in a new process
	Trouble    string // what went wrong in this step
	Left       string // one batch that is not closed, as it stands
}

// line is the payer's end of the line.
type line struct {
	in  *bufio.Reader
	out io.Writer
}

// at announces a point and returns when the harness says so. If the harness is gone, so is the payer.
func (l *line) at(point string) error {
	if _, err := fmt.Fprintf(l.out, "at %s\n", point); err != nil {
		return err
	}
	answer, err := l.in.ReadString('\n')
	if err != nil {
		return err
	}
	if answer != "go\n" {
		return fmt.Errorf("chaos: the harness says %q, want go", answer)
	}
	return nil
}

func (l *line) done(s status) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(l.out, "done %s\n", text)
	return err
}

// read fills in the next line's JSON.
func (l *line) read(out any) error {
	text, err := l.in.ReadString('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(text), out)
}

// parseStatus reads what follows "done".
func parseStatus(text string) (status, error) {
	var s status
	err := json.Unmarshal([]byte(strings.TrimPrefix(text, "done ")), &s)
	return s, err
}
