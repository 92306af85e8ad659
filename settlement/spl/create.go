package spl

import (
	"context"
	"fmt"

	"github.com/gagliardetto/solana-go"
	"golang.org/x/sync/errgroup"

	"github.com/idlegrid/idlegrid/settlement"
)

const (
	creationsV1  = 12 // of one transaction: each takes 5 of the 64 entries of the instruction trace
	creationsOld = 9  // bytes

	// Bytes of a token account of Token-2022 with all extensions that a mint which is not refused asks for, to bound its rent.
	holding2022 = 250

	// maxLives is how many of a missing account's transactions are looked through for a sign that it existed. Who wants an
	// account of his made again may bury that sign under as many others, at 5,000 lamports each.
	maxLives = 100
)

const createIdempotent = 1 // Associated Token Account program

// open sends the creation of the accounts that batches wait for, unless it is on its way already, and leaves ErrLater in the
// batches. An account that existed and was closed by its owner, who got its rent, is not made again.
func (c *Chain) open(ctx context.Context, jobs []*job, s *survey) error {
	c.arrived(s)
	still := c.underway(c.creating, s.hash.clock.height)
	due, err := c.due(ctx, jobs, s, still)
	if err != nil {
		return err
	}
	trouble := c.makeAll(ctx, due, s)
	for _, j := range jobs {
		if !j.open() || len(j.missing) == 0 {
			continue
		}
		if j.err = trouble; trouble == nil {
			j.err = fmt.Errorf("%w: %d token accounts are being made", settlement.ErrLater, len(j.missing))
		}
	}
	return nil
}

// arrived forgets the creation of accounts that are seen to exist. If one is missing later, somebody has closed it.
func (c *Chain) arrived(s *survey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k := range c.creating {
		if s.accounts[k] != nil {
			delete(c.creating, k)
		}
	}
}

// due returns the routes whose accounts are to be made now, each account once, and refuses the lines whose account was closed.
func (c *Chain) due(ctx context.Context, jobs []*job, s *survey, still func(solana.PublicKey) bool) ([]route, error) {
	var due []route
	place := map[solana.PublicKey]int{}
	for _, j := range jobs {
		if !j.open() {
			continue
		}
		for _, i := range j.missing {
			r := j.routes[i]
			if _, twice := place[r.to]; twice || still(r.to) || len(due) >= s.room {
				continue
			}
			place[r.to] = len(due)
			due = append(due, r)
		}
	}
	closed := make([]string, len(due))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(c.parallel)
	for i, r := range due {
		g.Go(func() error {
			var err error
			closed[i], err = c.closedBy(ctx, r.to)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for _, j := range jobs {
		if !j.open() {
			continue
		}
		for _, i := range j.missing {
			r := j.routes[i]
			if at, ok := place[r.to]; ok && closed[at] != "" {
				j.fault(i, "recipient %q: its token account for mint %q existed and was closed, see %q: it is not made at our cost again",
					r.line.To, r.mint, closed[at])
			}
		}
	}
	var out []route
	for i, r := range due {
		if closed[i] == "" {
			out = append(out, r)
		}
	}
	return out, nil
}

// closedBy returns a final transaction before or after which a missing account existed, empty if there is none.
func (c *Chain) closedBy(ctx context.Context, at solana.PublicKey) (string, error) {
	rows, err := c.rpc.signatures(ctx, at, 0)
	if err != nil {
		return "", err
	}
	looked := 0
	for _, r := range rows {
		if r.failed() {
			continue
		}
		if looked++; looked > maxLives {
			break
		}
		tx, err := c.transaction(ctx, r.Signature, 0)
		if err != nil {
			return "", err
		}
		if tx == nil {
			continue
		}
		if i := tx.find(at); i >= 0 && (tx.pre[i] > 0 || tx.post[i] > 0) {
			return r.Signature, nil
		}
	}
	return "", nil
}

// makeAll sends the creations, as many in one transaction as it takes.
func (c *Chain) makeAll(ctx context.Context, due []route, s *survey) error {
	if len(due) == 0 {
		return nil
	}
	size := holdingSize
	for _, r := range due {
		if r.program == solana.Token2022ProgramID {
			size = holding2022
		}
	}
	rent, err := c.rpc.rent(ctx, size)
	if err != nil {
		return err
	}
	many := creationsV1
	if c.config.Format != V1 {
		many = creationsOld
	}
	var e Encoder
	for len(due) > 0 {
		part := due[:min(many, len(due))]
		due = due[len(part):]
		if err := s.spend(nil, uint64(len(part))*rent+signatureFee+c.config.PriorityFee); err != nil {
			return err
		}
		tx, keys, err := c.creation(ctx, &e, part, s)
		if err != nil {
			return err
		}
		if err := c.send(ctx, tx); err != nil {
			return err
		}
		c.remember(c.creating, keys, tx.LastValid)
	}
	return nil
}

// creation signs one transaction that makes accounts. To make one twice is no error.
func (c *Chain) creation(ctx context.Context, e *Encoder, part []route, s *survey) (settlement.Tx, []solana.PublicKey, error) {
	var in []Instruction
	var keys []solana.PublicKey
	units, bytes := uint64(budgetInstructions*unitsBudget), uint64(accountOverhead)
	for _, p := range []solana.PublicKey{
		solana.SystemProgramID, solana.SPLAssociatedTokenAccountProgramID, solana.ComputeBudget, solana.TokenProgramID, solana.Token2022ProgramID,
	} {
		bytes += s.programs[p]
	}
	for _, r := range part {
		_, bump, err := solana.FindAssociatedTokenAddressWithProgram(r.toOwner, r.mint, r.program)
		if err != nil {
			return settlement.Tx{}, nil, fmt.Errorf("spl: find the token account of %q: %w", r.toOwner, err)
		}
		in = append(in, Instruction{
			Program: solana.SPLAssociatedTokenAccountProgramID,
			Accounts: []Meta{
				{c.payer, true, true},
				{r.to, false, true},
				{r.toOwner, false, false},
				{r.mint, false, false},
				{solana.SystemProgramID, false, false},
				{r.program, false, false},
			},
			Data: []byte{createIdempotent},
		})
		keys = append(keys, r.to)
		units += unitsCreation + unitsBump*uint64(255-bump)
		if r.program == solana.Token2022ProgramID {
			units += unitsCreation2022 - unitsCreation
		}
		bytes += 3*accountOverhead + holding2022 + s.mints[r.mint].size() + s.wallets[r.toOwner].size()
	}
	tx, err := c.message(ctx, e, in, s.hash, tenthMore(units), pages(bytes))
	return tx, keys, err
}
