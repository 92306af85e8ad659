package spl

import (
	"context"
	"fmt"
	"slices"

	"github.com/gagliardetto/solana-go"
	"github.com/gagliardetto/solana-go/rpc"

	"github.com/idlegrid/idlegrid/settlement"
)

// route is a line with its addresses.
type route struct {
	line     settlement.Line
	mint     solana.PublicKey
	owner    solana.PublicKey // of from
	from, to solana.PublicKey // token accounts; to is zero for a burn
	toOwner  solana.PublicKey
}

// Prepare implements settlement.Chain.
func (c *Chain) Prepare(ctx context.Context, batches []settlement.Batch) ([]settlement.Prepared, error) {
	out := make([]settlement.Prepared, len(batches))
	for i, b := range batches {
		out[i].Tx, out[i].Err = c.prepare(ctx, b)
	}
	return out, nil
}

func (c *Chain) prepare(ctx context.Context, b settlement.Batch) (settlement.Tx, error) {
	routes, err := c.routes(b)
	if err != nil {
		return settlement.Tx{}, err
	}
	missing, err := c.survey(ctx, routes)
	if err != nil {
		return settlement.Tx{}, err
	}
	if len(missing) > 0 {
		return settlement.Tx{}, c.open(ctx, missing)
	}
	rent, err := c.rpc.GetMinimumBalanceForRentExemption(ctx, 0, rpc.CommitmentConfirmed)
	if err != nil {
		return settlement.Tx{}, fmt.Errorf("spl: ask for the rent of a marker: %w", err)
	}
	mark, err := c.marker(b.MarkerID())
	if err != nil {
		return settlement.Tx{}, err
	}
	instructions := []solana.Instruction{mark.create(c.payer, rent)}
	for _, r := range routes {
		instructions = append(instructions, r.instruction())
	}
	return c.sign(ctx, instructions)
}

// routes finds the addresses of all lines. A recipient that is no address is a fault of its line.
func (c *Chain) routes(b settlement.Batch) ([]route, error) {
	out := make([]route, 0, len(b.Lines))
	var faults []settlement.Fault
	for i, l := range b.Lines {
		from, err := parseWallet(l.Asset, l.From)
		if err != nil {
			return nil, err
		}
		if _, ok := c.keys[from.owner]; !ok {
			return nil, fmt.Errorf("spl: no key for the sender %q", l.From)
		}
		r := route{line: l, mint: from.mint, owner: from.owner}
		if r.from, err = c.address(from); err != nil {
			return nil, err
		}
		if l.Kind != settlement.Burn {
			to, err := parseWallet(l.Asset, l.To)
			if err != nil {
				faults = append(faults, settlement.Fault{Line: i, Reason: fmt.Sprintf("%q is no Solana address", l.To)})
				continue
			}
			r.toOwner = to.owner
			if r.to, err = c.address(to); err != nil {
				return nil, err
			}
		}
		out = append(out, r)
	}
	if len(faults) > 0 {
		return nil, &settlement.LineError{Faults: faults}
	}
	return out, nil
}

// survey reads every account that the routes touch and says what stands in the way: a *LineError for recipients, any other
// error for mints and senders. It returns the recipients' accounts that have to be made first, if they may be.
func (c *Chain) survey(ctx context.Context, routes []route) ([]route, error) {
	var keys []solana.PublicKey
	for _, r := range routes {
		keys = append(keys, r.mint, r.from)
		if r.line.Kind != settlement.Burn {
			keys = append(keys, r.to)
		}
	}
	slices.SortFunc(keys, func(a, b solana.PublicKey) int { return slices.Compare(a[:], b[:]) })
	keys = slices.Compact(keys)
	list, err := c.accounts(ctx, rpc.CommitmentConfirmed, keys)
	if err != nil {
		return nil, err
	}
	found := make(map[solana.PublicKey]*rpc.Account, len(keys))
	for i, k := range keys {
		found[k] = list[i]
	}
	if err := checkSenders(routes, found); err != nil {
		return nil, err
	}
	var faults []settlement.Fault
	var missing []route
	for i, r := range routes {
		if r.line.Kind == settlement.Burn {
			continue
		}
		if found[r.to] == nil && c.create {
			missing = append(missing, r)
			continue
		}
		if reason := trouble(found[r.to], r.mint, &r.toOwner); reason != "" {
			faults = append(faults, settlement.Fault{Line: i, Reason: fmt.Sprintf("recipient %q: %s", r.line.To, reason)})
		}
	}
	if len(faults) > 0 {
		return nil, &settlement.LineError{Faults: faults}
	}
	return missing, nil
}

// checkSenders returns what is wrong with the mints and the senders' accounts, nil if nothing is.
func checkSenders(routes []route, found map[solana.PublicKey]*rpc.Account) error {
	need := map[solana.PublicKey]uint64{}
	for _, r := range routes {
		m, ok := readMint(found[r.mint])
		if !ok {
			return fmt.Errorf("%w at %q", ErrNoMint, r.line.Asset.Mint)
		}
		if m.decimals != r.line.Asset.Decimals {
			return fmt.Errorf("spl: mint %q has %d decimals, not %d", r.line.Asset.Mint, m.decimals, r.line.Asset.Decimals)
		}
		h, ok := readHolding(found[r.from])
		if !ok || h.owner != r.owner {
			return fmt.Errorf("%w of the sender %q for mint %q", ErrNoAccount, r.line.From, r.line.Asset.Mint)
		}
		if h.frozen {
			return fmt.Errorf("spl: the token account of the sender %q for mint %q is frozen", r.line.From, r.line.Asset.Mint)
		}
		need[r.from] += r.line.Units
		if need[r.from] > h.units || need[r.from] < r.line.Units {
			return fmt.Errorf("spl: the sender %q holds %d units of mint %q, less than the batch takes", r.line.From, h.units, r.line.Asset.Mint)
		}
	}
	return nil
}

// trouble says why nothing can be paid into a recipient's account, and nothing if it can. The owner is compared if given.
func trouble(a *rpc.Account, mint solana.PublicKey, owner *solana.PublicKey) string {
	if a == nil {
		return fmt.Sprintf("has no token account for mint %q: one must be created first", mint)
	}
	h, ok := readHolding(a)
	switch {
	case !ok || h.mint != mint:
		return fmt.Sprintf("what stands at its address for mint %q is no such token account", mint)
	case h.frozen:
		return fmt.Sprintf("its token account for mint %q is frozen", mint)
	case owner != nil && h.owner != *owner:
		return fmt.Sprintf("its token account for mint %q now belongs to %q", mint, h.owner)
	}
	return ""
}
