package spl

import (
	"slices"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
)

// names returns what the core calls each token account of a transaction. The account that is associated with a wallet is called
// by the wallet, and so is any account whose owner has signed: it is ours. Another one, which a refund may go to, is called by
// its own address. Recipients of the planned lines keep their names, whoever owns their accounts now: these follow from the
// plan and the transaction's bytes alone, whatever the endpoint says of owners.
func (c *Chain) names(tx *landed, planned []settlement.Line) (map[solana.PublicKey]settlement.Account, error) {
	out := map[solana.PublicKey]settlement.Account{}
	for i, t := range tx.tokens {
		if !t.known {
			continue
		}
		out[tx.keys[i]] = text(tx.keys[i])
		if tx.signedBy(t.owner) {
			out[tx.keys[i]] = text(t.owner)
		}
	}
	for _, program := range []solana.PublicKey{solana.TokenProgramID, solana.Token2022ProgramID} {
		if !slices.ContainsFunc(tx.instructions, func(x call) bool { return x.program == program }) {
			continue
		}
		for i, t := range tx.tokens {
			if !t.known {
				continue
			}
			at, err := c.address(wallet{t.owner, t.mint, program})
			if err != nil {
				return nil, err
			}
			if at == tx.keys[i] {
				out[at] = text(t.owner)
			}
		}
		for _, l := range planned {
			if err := c.nameOf(l, program, out); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// nameOf puts the accounts under which a planned line's recipient may be paid.
func (c *Chain) nameOf(l settlement.Line, program solana.PublicKey, out map[solana.PublicKey]settlement.Account) error {
	to, err := solana.PublicKeyFromBase58(string(l.To))
	if err != nil || l.To == "" {
		return nil //nolint:nilerr // no transaction can have paid it
	}
	asset := l.Asset
	if l.Kind == settlement.Swap {
		asset = l.Into
	}
	mint, err := parseMint(asset)
	if err != nil {
		return nil //nolint:nilerr // the same
	}
	at, err := c.address(wallet{to, mint, program})
	if err != nil {
		return err
	}
	out[at] = l.To
	if l.Kind == settlement.Refund { // which may name a token account
		out[to] = l.To
	}
	return nil
}
