package spl

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
	"unicode"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
)

// ProcessConfig says which command signs.
type ProcessConfig struct {
	Account settlement.Account // address of the key that the command signs with
	Argv    []string           // the command and its arguments, the same each time; it runs in this process's environment
}

// Process is a Signer that starts a command for each signature, for keys that a KMS, an HSM or another machine holds. The command
// gets one line, the message in base64, and answers with one line, the 64 bytes of the signature in base64. Its signature is
// verified before it is used.
type Process struct {
	account settlement.Account
	key     solana.PublicKey
	argv    []string
}

const (
	maxReply  = 1024 // bytes of the command's output that are read
	maxStderr = 200  // bytes of its complaint that an error shows
	pipeWait  = 2 * time.Second
)

// NewProcess checks the configuration. It starts nothing.
func NewProcess(c ProcessConfig) (*Process, error) {
	key, err := solana.PublicKeyFromBase58(string(c.Account))
	if err != nil {
		return nil, fmt.Errorf("spl: ProcessConfig.Account is %q, want an address", c.Account)
	}
	if len(c.Argv) == 0 || c.Argv[0] == "" {
		return nil, fmt.Errorf("spl: ProcessConfig.Argv is empty, want a command")
	}
	return &Process{c.Account, key, append([]string(nil), c.Argv...)}, nil
}

// PublicKey implements Signer.
func (p *Process) PublicKey() settlement.Account { return p.account }

// Sign implements Signer. The command is killed when the context ends. It returns ErrSignature if what the command answered does
// not verify. An error shows no more than the first 200 bytes of what the command wrote to its standard error, and nothing of
// its answer.
func (p *Process) Sign(ctx context.Context, message []byte) (out [64]byte, err error) {
	cmd := exec.CommandContext(ctx, p.argv[0], p.argv[1:]...) //nolint:gosec // G204: the operator's own configuration
	cmd.Stdin = strings.NewReader(base64.StdEncoding.EncodeToString(message) + "\n")
	answer, complaint := &opening{most: maxReply}, &opening{most: maxStderr}
	cmd.Stdout, cmd.Stderr = answer, complaint
	cmd.WaitDelay = pipeWait // a grandchild may hold the pipes open
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return out, fmt.Errorf("spl: signer of %q: %s: %q", p.account, exit.ProcessState, complaint)
		}
		return out, fmt.Errorf("spl: signer of %q: %w", p.account, err)
	}
	line, rest, _ := bytes.Cut(answer.kept, []byte("\n"))
	raw, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(line)))
	if err != nil || len(raw) != len(out) || len(bytes.TrimSpace(rest)) > 0 || answer.cut {
		return out, fmt.Errorf("spl: signer of %q: its answer is not one line of 64 bytes in base64", p.account)
	}
	if !ed25519.Verify(p.key[:], message, raw) {
		return out, fmt.Errorf("%w of %q", ErrSignature, p.key)
	}
	return [64]byte(raw), nil
}

// opening keeps the first bytes that are written to it.
type opening struct {
	kept []byte
	most int
	cut  bool // there was more
}

// Write implements io.Writer.
func (h *opening) Write(b []byte) (int, error) {
	n := min(len(b), h.most-len(h.kept))
	h.kept = append(h.kept, b[:n]...)
	h.cut = h.cut || n < len(b)
	return len(b), nil
}

// String returns what was kept, without control characters.
func (h *opening) String() string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, string(h.kept))
}
