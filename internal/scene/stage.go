package scene

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/internal/localnet"
	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/internal/trace"
)

// worldSeed draws the world of every stage.
const worldSeed = 7

// Stage is a network on a local chain, with everybody's wallets and a trace's world around it.
type Stage struct {
	*Scene
	*Teller
	Chain *localnet.Net
	World trace.World
	Fleet []Machine
}

// Open sets up a stage: a world from the trace in a folder, or from the generator if there is none; the chain; a wallet
// for each of the given people and for every supplier of the fleet; and an empty network.
func Open(ctx context.Context, out io.Writer, openb string, c localnet.Config) (*Stage, error) {
	w, err := World(openb, worldSeed)
	if err != nil {
		return nil, err
	}
	s := &Stage{World: w, Fleet: Fleet(w)}
	for _, name := range Suppliers(s.Fleet) {
		c.Wallets = append(c.Wallets, localnet.Wallet{Name: name})
	}
	if s.Chain, err = localnet.Start(ctx, c); err != nil {
		return nil, err
	}
	n, err := network.New(s.Chain.Params)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.Teller = &Teller{Out: out, Net: n}
	if s.Scene, err = New(n.Apply); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close ends the chain.
func (s *Stage) Close() error { return s.Chain.Close() }

// JoinFleet has all machines of the world join, with the links between their sites and to those beside.
func (s *Stage) JoinFleet(at time.Time, beside ...string) {
	for _, m := range s.Fleet {
		s.Keep(s.Join(at, m))
	}
	s.Keep(nil, s.Links(at, s.World, beside...))
}

// Leftover returns the job with the first model and the smallest gang of at least eight that no single site can hold now
// and two sites together can. What it looks through, it looks through in a fixed order.
func (s *Stage) Leftover(job network.Submit) network.Submit {
	var models []string
	for _, m := range s.Fleet {
		models = append(models, m.Model)
	}
	slices.Sort(models)
	for cards := uint16(8); cards <= 64; cards++ {
		for _, model := range slices.Compact(slices.Clone(models)) {
			job.Models, job.Replicas = []string{model}, cards
			job.MaxSites = 1
			if _, err := s.Net.Try(job); err == nil {
				continue
			}
			job.MaxSites = 2
			if _, err := s.Net.Try(job); err == nil {
				return job
			}
		}
	}
	s.Keep(nil, errors.New("scene: no gang of 8 to 64 cards fits two sites but not one"))
	return job
}

// Settle carries everything to the chain and compares every balance, the vault and the supply with the books.
func (s *Stage) Settle(ctx context.Context, at time.Time) {
	if s.Err() != nil {
		return
	}
	apply := func(c network.Command) error {
		s.Do(at, c)
		return s.Err()
	}
	s.Keep(nil, s.Chain.Settle(ctx, s.Net, apply, func() time.Time { return at }))
	audit, err := s.Chain.Compare(ctx, s.Net)
	s.Keep(nil, err)
	o := s.Net.Overview()
	s.Sayf("%d balances, read back from the chain, equal the books to the base unit", len(audit.Balances))
	s.Sayf("reward vault: %d base units = not emitted %s + held %s + carried %s", audit.Vault.Chain, o.Reserve, o.Held, o.Carried)
	s.Sayf("supply of the mint: %d base units = cap %s - burned %s", audit.Supply.Chain, o.Cap, o.Burned)
	s.Keep(nil, s.Net.Audit())
}

// FinishFrom ends, at an instant, the leases that were granted at another.
func (s *Stage) FinishFrom(granted, at time.Time) {
	for _, l := range s.Net.Leases() {
		if l.From.Equal(granted) {
			s.Do(at, network.Finish{Lease: string(l.ID)})
		}
	}
}
