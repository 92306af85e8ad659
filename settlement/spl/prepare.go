package spl

import (
	"context"
	"fmt"

	"github.com/gagliardetto/solana-go"
	"golang.org/x/sync/errgroup"

	"github.com/idlegrid/idlegrid/settlement"
)

// Prepare implements settlement.Chain. Mints, rent and blockhash are read once for all batches, and each account once. The
// batches share what the senders and the payer hold, in the order given: who comes too late gets an error.
func (c *Chain) Prepare(ctx context.Context, batches []settlement.Batch) ([]settlement.Prepared, error) {
	jobs := make([]*job, len(batches))
	for i, b := range batches {
		m, err := c.marker(ctx, b.MarkerID())
		if err != nil {
			return nil, err
		}
		jobs[i] = &job{batch: b, marker: m}
	}
	if err := c.prepare(ctx, jobs); err != nil {
		return nil, err
	}
	out := make([]settlement.Prepared, len(jobs))
	for i, j := range jobs {
		switch {
		case j.err != nil:
			out[i].Err = j.err
		case len(j.faults) > 0:
			out[i].Err = &settlement.LineError{Faults: j.faults}
		default:
			out[i].Tx = j.tx
		}
	}
	return out, nil
}

func (c *Chain) prepare(ctx context.Context, jobs []*job) error {
	s := &survey{room: c.config.MaxCreations}
	if err := c.begin(ctx, jobs, s); err != nil {
		return err
	}
	for _, j := range jobs {
		if j.err = refuseSwap(j.batch); j.err == nil {
			c.resolve(j, s)
		}
	}
	if err := c.read(ctx, jobs, s); err != nil {
		return err
	}
	for _, j := range jobs {
		c.judge(j, s)
	}
	if err := c.open(ctx, jobs, s); err != nil {
		return err
	}
	var e Encoder
	for _, j := range jobs {
		if !j.open() {
			continue
		}
		// Two batches may each be covered by what a sender holds while both together are not.
		if j.err = senders(j.routes, s); j.err == nil {
			j.err = c.build(ctx, &e, j, s)
		}
	}
	return nil
}

// begin reads what is not about single accounts: the blockhash, and with it the slot as of which everything else has to be,
// rent, mints and programs.
func (c *Chain) begin(ctx context.Context, jobs []*job, s *survey) error {
	var err error
	if s.hash, err = c.rpc.blockhash(ctx, confirmed); err != nil {
		return err
	}
	var mints []solana.PublicKey
	for _, j := range jobs {
		for i, l := range j.batch.Lines {
			if i > 0 && l.Asset == j.batch.Lines[i-1].Asset {
				continue
			}
			if k, err := parseMint(l.Asset); err == nil { // resolve tells the error
				mints = append(mints, k)
			}
		}
	}
	mints = sortedKeys(mints)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(c.parallel)
	g.Go(func() error {
		var err error
		s.rent, err = c.rpc.rent(ctx, 0)
		return err
	})
	g.Go(func() error {
		list, _, err := c.accounts(ctx, confirmed, mints, s.hash.clock.slot, true)
		if err != nil {
			return err
		}
		s.mints = byKey(mints, list)
		return nil
	})
	g.Go(func() error { return c.programs(ctx, s) })
	return g.Wait()
}

// programs asks how many bytes a transaction loads to run each program: its own account and, of an upgradeable one, that of
// its code.
func (c *Chain) programs(ctx context.Context, s *survey) error {
	run := []solana.PublicKey{
		solana.TokenProgramID, solana.Token2022ProgramID, solana.MemoProgramID, solana.SPLAssociatedTokenAccountProgramID,
		solana.SystemProgramID, solana.ComputeBudget,
	}
	keys := append([]solana.PublicKey(nil), run...)
	for _, p := range run {
		code, _, err := solana.FindProgramAddress([][]byte{p[:]}, solana.BPFLoaderUpgradeableProgramID)
		if err != nil {
			return fmt.Errorf("spl: find the code of program %q: %w", p, err)
		}
		keys = append(keys, code)
	}
	list, _, err := c.accounts(ctx, confirmed, keys, s.hash.clock.slot, false)
	if err != nil {
		return err
	}
	s.programs = map[solana.PublicKey]uint64{}
	for i, p := range run {
		for _, a := range []*account{list[i], list[len(run)+i]} {
			if a != nil {
				s.programs[p] += a.Space + accountOverhead
			}
		}
	}
	return nil
}

// refuseSwap refuses a batch that only an exchange can carry.
func refuseSwap(b settlement.Batch) error {
	for i, l := range b.Lines {
		if l.Kind == settlement.Swap {
			return fmt.Errorf("spl: batch %s: line %d is a swap, which takes a Swapper", b.ID, i)
		}
	}
	return nil
}
