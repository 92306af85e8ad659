package door

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/wal"
)

// ErrRules says that a journal was written under other rules than the server is started with.
var ErrRules = errors.New("door: the journal was written under other rules")

// ErrClosed says that the door is closed. Where the journal closed it, the cause is wrapped as well.
var ErrClosed = errors.New("door: closed")

// Config is what a door needs.
type Config struct {
	Params network.Params
	// Path is the journal's file; empty keeps nothing, for a demonstration.
	Path string
	// Now is the clock. It is read once for each command.
	Now func() time.Time
	Log *slog.Logger
	// Seen is called with the facts of every command, in order, before the command's caller gets them. It must not call
	// the door. May be nil.
	Seen func(at time.Time, facts []network.Fact)
}

// Door guards a network. It is safe for concurrent use.
type Door struct {
	cfg Config

	mu      sync.Mutex // guards the following fields; reads as well, since the cores reuse their buffers
	net     *network.Network
	journal *wal.Log // nil without a path, and once closed
	seq     uint64
	down    error // why nothing is taken any more; nil while the door is open
}

// Open replays the journal into a fresh network.
func Open(cfg Config) (*Door, error) {
	net, err := network.New(cfg.Params)
	if err != nil {
		return nil, err
	}
	d := &Door{cfg: cfg, net: net}
	if cfg.Path == "" {
		return d, nil
	}
	rules, err := fingerprint(cfg.Params)
	if err != nil {
		return nil, err
	}
	if d.journal, err = wal.Open(cfg.Path); err != nil {
		return nil, err
	}
	err = d.journal.Replay(func(b []byte) error {
		if d.seq++; d.seq == 1 {
			if !bytes.Equal(b, rules) {
				return fmt.Errorf("%w: %q, now %q", ErrRules, b, rules)
			}
			return nil
		}
		at, c, err := network.Decode(b)
		if err != nil {
			return err
		}
		_, _ = d.net.Apply(at, c) // a refusal was journalled too, and is refused again
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, d.journal.Close())
	}
	if d.seq == 0 {
		if err := d.journal.Append(rules); err != nil {
			return nil, errors.Join(err, d.journal.Close())
		}
		d.seq = 1
	}
	if d.journal.Cut > 0 {
		cfg.Log.Warn("cut a torn record from the end of the journal", "path", cfg.Path, "bytes", d.journal.Cut)
	}
	return d, nil
}

// fingerprint is the first record of a journal.
func fingerprint(p network.Params) ([]byte, error) {
	b, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("door: rules: %w", err)
	}
	return fmt.Appendf(nil, "rules sha256:%x", sha256.Sum256(b)), nil
}

// Do takes one command. An error is the command's refusal by the network, or ErrClosed: then the command was not applied,
// and if the journal failed just now, only the next start shows whether it was recorded.
func (d *Door) Do(c network.Command) (seq uint64, facts []network.Fact, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.do(c)
}

func (d *Door) do(c network.Command) (seq uint64, facts []network.Fact, err error) {
	if d.down != nil {
		return 0, nil, d.down
	}
	at := d.cfg.Now().UTC()
	if at.Before(d.net.Now()) { // a clock that was set back: time stands still until it is caught up
		at = d.net.Now()
	}
	if err := d.net.Refuses(at, c); err != nil {
		return 0, nil, err
	}
	if d.journal != nil {
		b, err := network.Encode(at, c)
		if err != nil {
			return 0, nil, err
		}
		if at, c, err = network.Decode(b); err != nil { // what is applied is what a replay will read
			return 0, nil, err
		}
		if err := d.journal.Append(b); err != nil {
			return 0, nil, d.shut(err)
		}
	}
	d.seq++
	defer func() {
		if p := recover(); p != nil { // the cores are torn apart, and nobody may see or change them any more
			_ = d.shut(fmt.Errorf("command %d: %v", d.seq, p))
			panic(p)
		}
	}()
	facts, err = d.net.Apply(at, c)
	if d.cfg.Seen != nil && len(facts) > 0 {
		d.cfg.Seen(at, facts)
	}
	return d.seq, facts, err
}

// shut lets nothing more in, gives the journal up and returns why.
func (d *Door) shut(cause error) error {
	if d.journal != nil {
		cause = errors.Join(cause, d.journal.Close())
		d.journal = nil
	}
	d.down = fmt.Errorf("%w: %w", ErrClosed, cause)
	return d.down
}

// Read calls f with the network as it is between two commands. f must not change it, nor keep what it does not own.
func (d *Door) Read(f func(n *network.Network)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f(d.net)
}

// Digest returns the number of the last command, the digest of the state and the outcome of the audit.
func (d *Door) Digest() (seq uint64, digest [32]byte, audit error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.seq, d.net.Digest(), d.net.Audit()
}

// Alive returns ErrClosed, with the cause if there was one, when the door takes no commands any more.
func (d *Door) Alive() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.down
}

// Runner returns what carries the network's payments to a chain, through several endpoints of it.
func (d *Door) Runner(chains ...settlement.Chain) *settlement.Runner {
	return &settlement.Runner{
		Chains: chains, Quorum: int(d.cfg.Params.Settlement.Quorum),
		Open: func() (open []settlement.Entry) {
			d.Read(func(n *network.Network) { open = n.Journal().Open() })
			return open
		},
		Reclaimable: func(at time.Time, height uint64) (markers []settlement.MarkerID) {
			d.Read(func(n *network.Network) { markers = n.Journal().Reclaimable(at, height) })
			return markers
		},
		Apply: func(_ time.Time, e settlement.Event) ([]settlement.Effect, error) {
			_, _, err := d.Do(network.Settle{Event: e})
			return nil, err // the network has routed the effects already
		},
	}
}

// Close lets nothing more in and gives the journal up.
func (d *Door) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.down = ErrClosed
	if d.journal == nil {
		return nil
	}
	err := d.journal.Close()
	d.journal = nil
	return err
}
