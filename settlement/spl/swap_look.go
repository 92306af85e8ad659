package spl

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
)

// Look implements settlement.Chain. Of a swap that succeeded it tells what it got, by the balances of its transaction; of one
// that failed it puts the swap's line at fault only if the recipient's account is unfit: a price that has moved is nobody's
// fault.
func (v *Converter) Look(ctx context.Context, attempts []settlement.Attempt) (settlement.Sighting, error) {
	s, err := v.Chain.Look(ctx, attempts)
	if err != nil {
		return s, err
	}
	for i := range s.Results {
		r := &s.Results[i]
		if r.Sight != settlement.Succeeded && r.Sight != settlement.Reverted {
			continue
		}
		l, err := v.transaction(ctx, attempts[i].Tx.ID, s.Slot)
		if err != nil {
			return settlement.Sighting{}, err
		}
		if l == nil {
			return settlement.Sighting{}, fmt.Errorf("spl: transaction %q: %s knows it no more", attempts[i].Tx.ID, v.Name())
		}
		shape, ok := readSwap(l)
		switch {
		case !ok:
		case r.Sight == settlement.Succeeded:
			if _, r.Got, err = shape.outcome(l); err != nil {
				return settlement.Sighting{}, err
			}
		case !r.Failure.Marker:
			if r.Failure.Faults, err = v.swapFaults(ctx, shape); err != nil {
				return settlement.Sighting{}, err
			}
		}
	}
	return s, nil
}

// swapFaults puts the line at fault if its recipient cannot be paid.
func (v *Converter) swapFaults(ctx context.Context, s swapShape) ([]settlement.Fault, error) {
	if s.to.IsZero() {
		return nil, nil
	}
	mint, err := parseMint(s.line.Into)
	if err != nil {
		return nil, err
	}
	found, _, err := v.accounts(ctx, confirmed, []solana.PublicKey{s.to}, 0, true)
	if err != nil {
		return nil, err
	}
	if reason := trouble(found[0], mint, nil); reason != "" {
		return []settlement.Fault{{Line: 0, Reason: fmt.Sprintf("recipient's account %q: %s", s.to, reason)}}, nil
	}
	return nil, nil
}

// swapShape is a swap's transaction, read back from the chain.
type swapShape struct {
	line      settlement.Line  // without To and without intents
	fresh, to solana.PublicKey // token accounts; to is zero for a burn
}

// readSwap recognises the transactions of compose by our instructions around the venue's, and says whether it is one. The
// transfer of the lot to itself tells what was given, the last instruction what was asked for.
func readSwap(l *landed) (swapShape, bool) {
	const checkedSize = 10 // tag, units, decimals
	n := len(l.instructions)
	if n <= swapHead+swapTail {
		return swapShape{}, false
	}
	made, given, last := l.instructions[swapHead-2], l.instructions[swapHead-1], l.instructions[n-1]
	switch {
	case made.program != solana.TokenProgramID || given.program != solana.TokenProgramID || last.program != solana.TokenProgramID:
		return swapShape{}, false
	case len(made.data) != 33 || made.data[0] != tokenInitialize3 || len(made.accounts) != 2:
		return swapShape{}, false
	case len(given.data) != checkedSize || given.data[0] != tokenTransferChecked || len(given.accounts) != 4 || given.accounts[0] != given.accounts[2]:
		return swapShape{}, false
	case len(last.data) != checkedSize || len(last.accounts) < 3 || last.accounts[0] != made.accounts[0]:
		return swapShape{}, false
	}
	s := swapShape{fresh: made.accounts[0]}
	s.line = settlement.Line{
		Kind:  settlement.Swap,
		Asset: settlement.Asset{Mint: text(given.accounts[1]), Decimals: given.data[9]},
		From:  text(given.accounts[3]),
		Units: binary.LittleEndian.Uint64(given.data[1:]),
		Into:  settlement.Asset{Mint: text(made.accounts[1]), Decimals: last.data[9]},
		Least: binary.LittleEndian.Uint64(last.data[1:]),
	}
	switch {
	case last.data[0] == tokenTransferChecked && len(last.accounts) == 4:
		s.to = last.accounts[2]
	case last.data[0] != tokenBurnChecked:
		return swapShape{}, false
	}
	return s, true
}

// outcome completes the line with its recipient and says what the swap got: Least, which left the fresh account, and what
// is in it afterwards.
func (s swapShape) outcome(l *landed) (settlement.Line, uint64, error) {
	line, left := s.line, l.token(s.fresh)
	if !left.known || left.pre != 0 {
		return line, 0, fmt.Errorf("spl: swap %q: the endpoint does not tell the proceeds, or they were there before", l.id)
	}
	if !s.to.IsZero() {
		to := l.token(s.to)
		if !to.known {
			return line, 0, fmt.Errorf("spl: swap %q: the endpoint does not tell whom it paid", l.id)
		}
		line.To = text(to.owner)
	}
	if line.Least+left.post < line.Least {
		return line, 0, fmt.Errorf("spl: swap %q: the proceeds exceed 64 bits", l.id)
	}
	return line, line.Least + left.post, nil
}
