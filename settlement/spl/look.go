package spl

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/gagliardetto/solana-go"
	"golang.org/x/sync/errgroup"

	"github.com/idlegrid/idlegrid/settlement"
)

const markerExists = 0 // System program: AccountAlreadyInUse

// status is one entry of getSignatureStatuses.
type status struct{ ConfirmationStatus string }

// Look implements settlement.Chain. Height and slot come first, from one answer; then the nonces, the statuses, the
// transactions and at last the markers, each as of that slot or later.
func (c *Chain) Look(ctx context.Context, attempts []settlement.Attempt) (settlement.Sighting, error) {
	now, err := c.rpc.clock(ctx, finalized)
	if err != nil {
		return settlement.Sighting{}, err
	}
	s := settlement.Sighting{Endpoint: c.rpc.name, Height: now.height, Slot: now.slot, Results: make([]settlement.Result, len(attempts))}
	for i, a := range attempts {
		if _, err := solana.SignatureFromBase58(a.Tx.ID); err != nil {
			return s, fmt.Errorf("spl: attempt %q: %w", a.Tx.ID, err)
		}
		s.Results[i].Context = ^uint64(0)
	}
	if err := c.nonces(ctx, attempts, &s); err != nil {
		return s, err
	}
	statuses, err := c.statuses(ctx, attempts, &s)
	if err != nil {
		return s, err
	}
	// The marker tells apart what is dead and what may have been paid by somebody else.
	lost, err := c.outcomes(ctx, attempts, statuses, &s)
	if err != nil {
		return s, err
	}
	return s, c.lost(ctx, attempts, lost, &s)
}

// nonces reads the final values of the attempts' nonce accounts.
func (c *Chain) nonces(ctx context.Context, attempts []settlement.Attempt, s *settlement.Sighting) error {
	var keys []solana.PublicKey
	for _, a := range attempts {
		if a.Tx.Nonce.Account != "" {
			k, err := parseOwner(a.Tx.Nonce.Account)
			if err != nil {
				return err
			}
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	keys = sortedKeys(keys)
	list, slot, err := c.accounts(ctx, finalized, keys, s.Slot, true)
	if err != nil {
		return err
	}
	at := byKey(keys, list)
	for i, a := range attempts {
		if a.Tx.Nonce.Account != "" {
			k, _ := parseOwner(a.Tx.Nonce.Account)
			s.Results[i].Nonce = nonceValue(at[k])
			s.Results[i].Context = slot
		}
	}
	return nil
}

// nonceValue returns the value of a nonce account, empty if it is none: version (4), state (4), authority (32), value (32).
func nonceValue(a *account) string {
	const size, state, value = 80, 4, 40
	if a == nil || a.Owner != solana.SystemProgramID || len(a.Data) != size || a.Data[state] != 1 {
		return ""
	}
	return solana.HashFromBytes(a.Data[value:][:32]).String()
}

// statuses asks for the status of all attempts, with the search of history; nil if there is none.
func (c *Chain) statuses(ctx context.Context, attempts []settlement.Attempt, s *settlement.Sighting) ([]*status, error) {
	out := make([]*status, len(attempts))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(c.parallel)
	for start := 0; start < len(attempts); start += maxStatuses {
		part := attempts[start:min(start+maxStatuses, len(attempts))]
		g.Go(func() error {
			ids := make([]string, len(part))
			for i, a := range part {
				ids[i] = a.Tx.ID
			}
			var r inContext[[]*status]
			if err := c.rpc.read(ctx, "getSignatureStatuses", map[string]any{"searchTransactionHistory": true}, s.Slot, &r, ids); err != nil {
				return err
			}
			if len(r.Value) != len(part) {
				return fmt.Errorf("spl: %s answers %d statuses for %d attempts", c.rpc.name, len(r.Value), len(part))
			}
			if r.Context.Slot < s.Slot {
				return fmt.Errorf("spl: %s answers statuses of slot %d, want %d: %w", c.rpc.name, r.Context.Slot, s.Slot, errBehind)
			}
			for i := range part {
				out[start+i] = r.Value[i]
				res := &s.Results[start+i]
				res.Context = min(res.Context, r.Context.Slot)
			}
			return nil
		})
	}
	return out, g.Wait()
}

// outcomes judges the attempts by their statuses, and by their transactions where the status does not settle it. It returns
// the indices of those that no answer knows and that can land no more.
func (c *Chain) outcomes(ctx context.Context, attempts []settlement.Attempt, statuses []*status, s *settlement.Sighting) ([]int, error) {
	gone := make([]bool, len(attempts))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(c.parallel)
	for i, a := range attempts {
		res := &s.Results[i]
		over := s.Height > a.Tx.LastValid
		if a.Tx.Nonce.Account != "" {
			over = res.Nonce != "" && res.Nonce != a.Tx.Nonce.Value
		}
		switch st := statuses[i]; {
		case st == nil && !over:
			res.Sight = settlement.Missing
			continue
		case st != nil && st.ConfirmationStatus != finalized:
			res.Sight = settlement.Pending
			continue
		}
		g.Go(func() error {
			tx, err := c.transaction(ctx, a.Tx.ID, s.Slot)
			switch {
			case err != nil:
				return err
			case tx == nil && statuses[i] != nil:
				res.Sight = settlement.Pending // its history lags behind its statuses
			case tx == nil:
				gone[i] = true
			case len(a.Tx.Raw) > 0 && !bytes.Equal(a.Tx.Raw, tx.raw):
				return fmt.Errorf("spl: %s gives transaction %q other bytes than ours", c.rpc.name, a.Tx.ID)
			default:
				return c.outcome(ctx, a, tx, res)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var out []int
	for i, is := range gone {
		if is {
			out = append(out, i)
		}
	}
	return out, nil
}

// outcome takes over what a final transaction did. One that is said to have succeeded must have made its marker: an endpoint
// may leave the error out.
func (c *Chain) outcome(ctx context.Context, a settlement.Attempt, tx *landed, res *settlement.Result) error {
	res.Sight, res.Slot, res.Fee = settlement.Succeeded, tx.slot, tx.fee
	var err error
	if tx.err == nil {
		m, err := c.marker(ctx, a.Marker)
		if err != nil {
			return err
		}
		if !tx.makes(m.at, c.payer) || tx.gained(m.at) == 0 {
			return fmt.Errorf("spl: %s says that %q has succeeded, but it has not made marker %s", c.rpc.name, a.Tx.ID, a.Marker)
		}
		if swap, ok := readSwap(tx); ok {
			res.Got, err = swap.got(tx)
		}
		return err
	}
	res.Sight = settlement.Reverted
	res.Failure, err = c.failure(ctx, tx)
	if swap, ok := readSwap(tx); ok && err == nil && !res.Failure.Marker {
		res.Failure.Faults, err = c.swapFaults(ctx, swap)
	}
	return err
}

// lost reads the markers of attempts that can land no more.
func (c *Chain) lost(ctx context.Context, attempts []settlement.Attempt, lost []int, s *settlement.Sighting) error {
	if len(lost) == 0 {
		return nil
	}
	keys := make([]solana.PublicKey, len(lost))
	for n, i := range lost {
		m, err := c.marker(ctx, attempts[i].Marker)
		if err != nil {
			return err
		}
		keys[n] = m.at
	}
	list, slot, err := c.accounts(ctx, finalized, keys, s.Slot, false)
	if err != nil {
		return err
	}
	for n, i := range lost {
		res := &s.Results[i]
		res.Sight, res.Context = settlement.Dead, min(res.Context, slot)
		if list[n] != nil {
			res.Sight = settlement.Marked
		}
	}
	return nil
}

// failure finds out who is at fault.
func (c *Chain) failure(ctx context.Context, tx *landed) (settlement.Failure, error) {
	f := settlement.Failure{Reason: string(tx.err)}
	e, ok := readFailure(tx.err)
	if !ok {
		if tx.fee == 0 && tx.silent {
			f.Reason += ": the payer could not pay the fee, and was not charged" // SIMD-0290
		}
		return f, nil
	}
	if e.index >= len(tx.instructions) {
		return f, nil
	}
	before := 0 // lines of the instructions before
	for _, x := range tx.instructions[:e.index] {
		if tx.roleOf(x, c.payer) == roleLines {
			before += len(moves(x))
		}
	}
	x := tx.instructions[e.index]
	switch tx.roleOf(x, c.payer) {
	case roleMarker:
		f.Marker = e.custom == markerExists
	case roleLines:
		return c.culprits(ctx, tx, e, before, moves(x), f)
	case roleOther, roleAside, roleCreate, roleTake, roleClose:
	}
	return f, nil
}

// culprits looks at the recipients of the instruction that failed. One whose account is unfit is at fault. If none is, and
// the error is one that a recipient's account causes while the sender's is fit, something has changed since: then the line
// that failed is at fault all the same, because the batch must not be tried again unchanged.
func (c *Chain) culprits(
	ctx context.Context, tx *landed, e programError, before int, tried []move, f settlement.Failure,
) (settlement.Failure, error) {
	var keys []solana.PublicKey
	for _, m := range tried {
		keys = append(keys, m.from, m.to)
	}
	keys = sortedKeys(keys)
	list, _, err := c.accounts(ctx, confirmed, keys, tx.slot, true)
	if err != nil {
		return f, err
	}
	at := byKey(keys, list)
	for i, m := range tried {
		source, ok := readHolding(at[m.from])
		if !ok || m.to.IsZero() {
			continue
		}
		if why := trouble(at[m.to], source.mint, nil); why != "" {
			reason := fmt.Sprintf("recipient's account %q: %s (%s)", m.to, why, tx.err)
			f.Faults = append(f.Faults, settlement.Fault{Line: before + i, Reason: reason})
		}
	}
	if len(f.Faults) > 0 || len(tried) != 1 || tried[0].to.IsZero() || !e.ofRecipient() {
		return f, nil
	}
	if source, ok := readHolding(at[tried[0].from]); ok && !source.frozen {
		reason := fmt.Sprintf("recipient's account %q: %s when the payment landed (%s)", tried[0].to, e.meaning(), tx.err)
		f.Faults = []settlement.Fault{{Line: before, Reason: reason}}
	}
	return f, nil
}

// programError is an error of one instruction.
type programError struct {
	index  int
	name   string // empty for a custom error
	custom int    // -1 for an error with a name
}

// Errors of the token programs that a recipient's account can cause, by number and by name.
const (
	errMintMismatch = 3  // TokenError::MintMismatch
	errFrozen       = 17 // TokenError::AccountFrozen
	errNoMemo       = 36 // Token-2022: NoMemo
)

// ofRecipient says whether a recipient's account can cause the error.
func (e programError) ofRecipient() bool {
	return slices.Contains([]int{errMintMismatch, errFrozen, errNoMemo}, e.custom) ||
		slices.Contains([]string{"InvalidAccountData", "UninitializedAccount", "IncorrectProgramId", "InvalidAccountOwner"}, e.name)
}

// meaning is the error in words.
func (e programError) meaning() string {
	switch {
	case e.custom == errFrozen:
		return "was frozen"
	case e.custom == errNoMemo:
		return "took nothing without a memo"
	case e.custom == errMintMismatch:
		return "was of another mint"
	}
	return "was missing or no token account"
}

// readFailure reads {"InstructionError":[index, {"Custom":number}]} or {"InstructionError":[index, "Name"]}.
func readFailure(text []byte) (programError, bool) {
	var outer struct{ InstructionError []json.RawMessage }
	e := programError{custom: -1}
	if json.Unmarshal(text, &outer) != nil || len(outer.InstructionError) != 2 {
		return e, false
	}
	if json.Unmarshal(outer.InstructionError[0], &e.index) != nil || e.index < 0 {
		return e, false
	}
	var inner struct{ Custom *int }
	if json.Unmarshal(outer.InstructionError[1], &inner) == nil && inner.Custom != nil {
		e.custom = *inner.Custom
		return e, true
	}
	return e, json.Unmarshal(outer.InstructionError[1], &e.name) == nil || inner.Custom == nil
}
