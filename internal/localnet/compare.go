package localnet

import (
	"context"
	"fmt"

	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/settlement"
)

// Audit is what was compared between the books and the chain.
type Audit struct {
	Balances []Compared // every wallet in either asset
	Supply   Compared   // of IO
	Vault    Compared   // the reward vault, by the blocks: what is not emitted, carried, held or not yet paid
}

// Compared is one figure twice.
type Compared struct {
	Name         string
	Asset        settlement.Asset
	Books, Chain uint64
}

// Compare reads every balance and the supply back from the chain, as they are final there, and holds them against the
// books. The error names the first difference.
func (l *Net) Compare(ctx context.Context, n *network.Network) (Audit, error) {
	var a Audit
	flow := map[settlement.Asset]map[settlement.Account]int64{l.Params.IO: {}, l.Params.USDC: {}}
	var unpaid uint64 // decided, but not (yet) out of the vault
	for p := range n.Journal().Payments() {
		switch {
		case p.State == settlement.StatePaid:
			flow[p.Intent.Asset][p.Intent.From] -= int64(p.Intent.Units)
			if p.Intent.Kind != settlement.Burn {
				flow[p.Intent.Asset][p.Intent.To] += int64(p.Intent.Units)
			}
		case p.Intent.From == l.Params.Accounts.Rewards:
			unpaid += p.Intent.Units
		}
	}
	for _, b := range l.start {
		got, err := l.Chain.Balance(ctx, b.Asset, b.Owner)
		if err != nil {
			return a, fmt.Errorf("localnet: compare: %w", err)
		}
		a.Balances = append(a.Balances, Compared{b.Name, b.Asset, uint64(int64(b.Units) + flow[b.Asset][b.Owner]), got})
	}
	o := n.Overview()
	supply, err := l.Chain.Supply(ctx, l.Params.IO)
	if err != nil {
		return a, fmt.Errorf("localnet: compare: %w", err)
	}
	a.Supply = Compared{"supply", l.Params.IO, uint64(o.Supply + o.Reserve), supply.Units}
	a.Vault = Compared{"reward vault", l.Params.IO, uint64(o.Reserve+o.Held+o.Carried) + unpaid, a.Balances[0].Chain}
	for _, c := range append(a.Balances, a.Supply, a.Vault) {
		if c.Books != c.Chain {
			return a, fmt.Errorf("localnet: %s of mint %s: the books say %d, the chain %d base units", c.Name, c.Asset.Mint, c.Books, c.Chain)
		}
	}
	return a, nil
}
