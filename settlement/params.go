package settlement

import (
	"fmt"
	"slices"

	"github.com/idlegrid/idlegrid/internal/canon"
)

// Params is the policy of a journal. It is part of the journal's digest and does not change during its life.
type Params struct {
	// Version names this set of values, for example "ionet/1".
	Version string `json:"version"`
	// MaxLines is the largest number of lines of a batch, 1 to 1,000. A Solana transaction of version 1 has 64 addresses,
	// of which payer, marker, sender, token program and system program leave 59 to recipients, and 58 where the payer of the
	// fee is not the owner of the money (SIMD-0385, measured in the Agave 4.3 runtime).
	MaxLines uint16 `json:"maxLines"`
	// Assets are the tokens that may be moved, in any order, each mint once.
	Assets []Asset `json:"assets"`
}

// IONet returns io.net's tokens on Solana's mainnet and the batch size that suits every payer there. The mints are taken
// from public repositories (IO: io.net's tokenlist entries; USDC: Circle's list of addresses), not read from the chain.
func IONet() Params {
	return Params{
		Version:  "ionet/1",
		MaxLines: 58,
		Assets: []Asset{
			{Mint: "BZLbGTNCSFfoth2GYDtwr7e4imWzpR5jqcUuGEwr646K", Decimals: 8},
			{Mint: "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", Decimals: 6},
		},
	}
}

// Validate returns the first field that is out of range, nil if none is.
func (p Params) Validate() error {
	if p.Version == "" {
		return fmt.Errorf("settlement: params: Version is empty")
	}
	if p.MaxLines < 1 || p.MaxLines > 1000 {
		return fmt.Errorf("settlement: params: MaxLines is %d, want 1 to 1000", p.MaxLines)
	}
	if len(p.Assets) == 0 {
		return fmt.Errorf("settlement: params: Assets is empty")
	}
	for i, a := range p.Assets {
		if a.Mint == "" {
			return fmt.Errorf("settlement: params: Assets[%d]: Mint is empty", i)
		}
		if slices.ContainsFunc(p.Assets[:i], func(b Asset) bool { return a.Mint == b.Mint }) {
			return fmt.Errorf("settlement: params: Assets[%d]: mint %q stands twice", i, a.Mint)
		}
	}
	return nil
}

func (p Params) knows(a Asset) bool { return slices.Contains(p.Assets, a) }

func (p Params) encode(w *canon.Writer) {
	w.String(p.Version)
	w.Uint16(p.MaxLines)
	w.Len(len(p.Assets))
	for _, a := range p.Assets {
		w.String(string(a.Mint))
		w.Uint8(a.Decimals)
	}
}
