package spl

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
)

// swapFaults puts a swap's line at fault if its recipient's account is unfit: a price that has moved is nobody's fault.
func (c *Chain) swapFaults(ctx context.Context, s swapShape) ([]settlement.Fault, error) {
	if s.to.IsZero() {
		return nil, nil
	}
	mint, err := parseMint(s.line.Into)
	if err != nil {
		return nil, err
	}
	found, _, err := c.accounts(ctx, confirmed, []solana.PublicKey{s.to}, 0, true)
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

// carried completes the line with its recipient's name.
func (s swapShape) carried(names map[solana.PublicKey]settlement.Account) settlement.Line {
	line := s.line
	if !s.to.IsZero() {
		line.To = names[s.to]
	}
	return line
}

// got says what the swap got: Least, which left the fresh account, and what is in it afterwards.
func (s swapShape) got(l *landed) (uint64, error) {
	left := l.token(s.fresh)
	switch {
	case !left.known || left.pre != 0:
		return 0, fmt.Errorf("spl: swap %q: the endpoint does not tell the proceeds, or they were there before", l.id)
	case !s.to.IsZero() && !l.token(s.to).known:
		return 0, fmt.Errorf("spl: swap %q: the endpoint does not tell whom it paid", l.id)
	case s.line.Least+left.post < s.line.Least:
		return 0, fmt.Errorf("spl: swap %q: the proceeds exceed 64 bits", l.id)
	}
	return s.line.Least + left.post, nil
}
