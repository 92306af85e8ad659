package settlement

import (
	"fmt"
	"math"
	"slices"

	"github.com/idlegrid/idlegrid/internal/canon"
)

// TillParams is the policy of a till. It is part of the till's digest and does not change during its life.
type TillParams struct {
	// Version names this set of values, for example "ionet-till/1".
	Version string `json:"version"`
	// Treasuries are the accounts that bills are paid into, in any order, each account once, and for each owner and asset one.
	Treasuries []Treasury `json:"treasuries"`
	// WatchSeconds is for how long after its expiry the reference of a bill is looked for on the chain, so that a second or a
	// late payment is noticed though it misses the treasury. At most 10 years. io.net publishes nothing; ours is 30 days.
	WatchSeconds uint64 `json:"watchSeconds"`
	// MinCoin is the least of the chain's own coin, in its base units (lamports), that an operator is told of: less is dust.
	MinCoin uint64 `json:"minCoin,string"`
}

// Treasury is an account of ours that bills are paid into.
type Treasury struct {
	// Account is the token account, or a name of our own for a card processor, for example "card:stripe:usd".
	Account Account `json:"account"`
	// Owner is the wallet that owns it: requests are addressed to the owner.
	Owner Account `json:"owner"`
	// Asset is what it holds.
	Asset Asset `json:"asset"`
	// Program is the token program that owns the account, for example "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"; empty for
	// a card processor.
	Program Account `json:"program"`
	// MinRefund is the least, in base units, that is sent back without an operator's order: what a refund costs, which on Solana
	// is 5,000 lamports and the rent of a missing account, at the operator's price.
	MinRefund uint64 `json:"minRefund,string"`
}

const tenYears = 10 * 366 * 86_400 // seconds

// IONetTill returns a till's policy over the given treasuries: io.net has published none. Of the chain's own coin, less than
// the fee of a transaction, 5,000 lamports, is dust.
func IONetTill(treasuries ...Treasury) TillParams {
	return TillParams{Version: "ionet-till/1", Treasuries: slices.Clone(treasuries), WatchSeconds: 30 * 86_400, MinCoin: 5000}
}

// Validate returns the first field that is out of range, nil if none is.
func (p TillParams) Validate() error {
	if p.Version == "" || len(p.Version) > maxTillText {
		return fmt.Errorf("settlement: till params: Version has %d bytes, want 1 to %d", len(p.Version), maxTillText)
	}
	if len(p.Treasuries) == 0 || len(p.Treasuries) > math.MaxUint16 {
		return fmt.Errorf("settlement: till params: Treasuries has %d, want 1 to %d", len(p.Treasuries), math.MaxUint16)
	}
	for i, t := range p.Treasuries {
		for _, f := range []struct {
			name  string
			value string
		}{{"Account", string(t.Account)}, {"Owner", string(t.Owner)}, {"Asset.Mint", string(t.Asset.Mint)}} {
			if f.value == "" || len(f.value) > maxTillText {
				return fmt.Errorf("settlement: till params: Treasuries[%d]: %s has %d bytes, want 1 to %d", i, f.name, len(f.value), maxTillText)
			}
		}
		if t.Account == t.Owner {
			return fmt.Errorf("settlement: till params: Treasuries[%d]: Account is %q, which is its Owner", i, t.Account)
		}
		if p.account(t.Account) < i {
			return fmt.Errorf("settlement: till params: Treasuries[%d]: account %q stands twice", i, t.Account)
		}
		if p.treasury(t.Asset, t.Owner) < i {
			return fmt.Errorf("settlement: till params: Treasuries[%d]: owner %q has another treasury of mint %q", i, t.Owner, t.Asset.Mint)
		}
	}
	if p.WatchSeconds > tenYears {
		return fmt.Errorf("settlement: till params: WatchSeconds is %d, want at most %d", p.WatchSeconds, tenYears)
	}
	return nil
}

// treasury returns the index of the owner's treasury of the asset, -1 if there is none.
func (p TillParams) treasury(a Asset, owner Account) int {
	return slices.IndexFunc(p.Treasuries, func(t Treasury) bool { return t.Asset == a && t.Owner == owner })
}

// account returns the index of the treasury in that account, -1 if there is none.
func (p TillParams) account(a Account) int {
	return slices.IndexFunc(p.Treasuries, func(t Treasury) bool { return t.Account == a })
}

func (p TillParams) encode(w *canon.Writer) {
	w.String(p.Version)
	w.Len(len(p.Treasuries))
	for _, t := range p.Treasuries {
		w.String(string(t.Account))
		w.String(string(t.Owner))
		encodeAsset(w, t.Asset)
		w.String(string(t.Program))
		w.Uint64(t.MinRefund)
	}
	w.Uint64(p.WatchSeconds)
	w.Uint64(p.MinCoin)
}

func decodeTillParams(r *canon.Reader) TillParams {
	p := TillParams{Version: r.String()}
	p.Treasuries = make([]Treasury, 0, r.Len(25))
	for range cap(p.Treasuries) {
		p.Treasuries = append(p.Treasuries, Treasury{Account(r.String()), Account(r.String()), decodeAsset(r), Account(r.String()), r.Uint64()})
	}
	p.WatchSeconds, p.MinCoin = r.Uint64(), r.Uint64()
	return p
}
