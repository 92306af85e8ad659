package settlement

import (
	"fmt"
	"slices"
	"time"

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
	// Quorum is how many endpoints, 1 to 16, have to say the same before an attempt is held landed, failed or dead. 1 trusts a
	// single one: for a chain of your own.
	Quorum uint8 `json:"quorum"`
	// ReclaimAfterSeconds is how long after a batch was closed the rent of its marker may be taken back, 0: never. At most
	// 315,360,000, ten years. It is the one rule of exactly-once that trusts time. A marker that goes while an attempt is valid
	// that the journal has not heard of lets that one pay again. So an attempt is signed in the first half of this time only,
	// counted from when its marker was last known to be absent, or refused with [ErrUnseen]; the other half is for the attempt
	// to land or expire in, and for clocks that differ. Half of it has to be longer than any stall of finality, and than payers
	// of one plan are apart in deciding. io.net publishes nothing; 3 h is 180 lives of a blockhash.
	ReclaimAfterSeconds uint64 `json:"reclaimAfterSeconds"`
	// Assets are the tokens that may be moved, in any order, each mint once.
	Assets []Asset `json:"assets"`
	// Limits bound what may be decided, at most one for each mint.
	Limits []Limit `json:"limits"`
}

// Limit bounds the movements of one asset, in its base units. A bound of 0 is none.
type Limit struct {
	// Mint is one of Params.Assets.
	Mint Account `json:"mint"`
	// MinPay is the least that a line of kind Pay outside a bundle carries: what comes to less waits for the recipient's
	// next intents.
	MinPay uint64 `json:"minPay,string"`
	// MaxLine is the most that one line carries.
	MaxLine uint64 `json:"maxLine,string"`
	// MaxEpoch is the most that all Decided of one epoch may take out of our accounts: everything but Move.
	MaxEpoch uint64 `json:"maxEpoch,string"`
	// MaxDay is the most that all Decided within 24 hours may take out of our accounts: those applied less than 24 hours
	// before this one, and this one. It is not counted while the journal is [Recovering]: there, months are decided again.
	MaxDay uint64 `json:"maxDay,string"`
}

// IONet returns io.net's tokens on Solana's mainnet and the batch size that suits every payer there. The mints are taken
// from public repositories (IO: io.net's tokenlist entries; USDC: Circle's list of addresses), not read from the chain.
func IONet() Params {
	return Params{
		Version:             "ionet/2",
		MaxLines:            58,
		Quorum:              2,
		ReclaimAfterSeconds: 6 * 3600,
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
	if p.Quorum < 1 || p.Quorum > 16 {
		return fmt.Errorf("settlement: params: Quorum is %d, want 1 to 16", p.Quorum)
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
	if p.ReclaimAfterSeconds > maxReclaimAfter {
		return fmt.Errorf("settlement: params: ReclaimAfterSeconds is %d, want 0 to %d", p.ReclaimAfterSeconds, uint64(maxReclaimAfter))
	}
	for i, l := range p.Limits {
		if !slices.ContainsFunc(p.Assets, func(a Asset) bool { return a.Mint == l.Mint }) {
			return fmt.Errorf("settlement: params: Limits[%d]: mint %q is not in Assets", i, l.Mint)
		}
		if slices.ContainsFunc(p.Limits[:i], func(m Limit) bool { return l.Mint == m.Mint }) {
			return fmt.Errorf("settlement: params: Limits[%d]: mint %q stands twice", i, l.Mint)
		}
		if l.MaxLine > 0 && l.MinPay > l.MaxLine {
			return fmt.Errorf("settlement: params: Limits[%d]: MinPay is %d, more than MaxLine, %d", i, l.MinPay, l.MaxLine)
		}
	}
	return nil
}

const maxReclaimAfter = 10 * 365 * 24 * 3600

func (p Params) knows(a Asset) bool { return slices.Contains(p.Assets, a) }

// limit returns the bounds of an asset, which are none if there is no Limit.
func (p Params) limit(a Asset) Limit {
	for _, l := range p.Limits {
		if l.Mint == a.Mint {
			return l
		}
	}
	return Limit{Mint: a.Mint}
}

// signBefore is when an attempt at a batch may be signed no more whose marker was last known to be absent at that time; zero if
// there is no such time, because no marker is ever reclaimed.
func (p Params) signBefore(since time.Time) time.Time {
	if p.ReclaimAfterSeconds == 0 {
		return time.Time{}
	}
	return since.Add(time.Duration(p.ReclaimAfterSeconds) * time.Second / 2)
}

// clone returns a copy that shares nothing.
func (p Params) clone() Params {
	p.Assets, p.Limits = slices.Clone(p.Assets), slices.Clone(p.Limits)
	return p
}

func (p Params) encode(w *canon.Writer) {
	w.String(p.Version)
	w.Uint16(p.MaxLines)
	w.Uint8(p.Quorum)
	w.Uint64(p.ReclaimAfterSeconds)
	w.Len(len(p.Assets))
	for _, a := range p.Assets {
		encodeAsset(w, a)
	}
	w.Len(len(p.Limits))
	for _, l := range p.Limits {
		w.String(string(l.Mint))
		w.Uint64(l.MinPay)
		w.Uint64(l.MaxLine)
		w.Uint64(l.MaxEpoch)
		w.Uint64(l.MaxDay)
	}
}

func decodeParams(r *canon.Reader) Params {
	p := Params{Version: r.String(), MaxLines: r.Uint16(), Quorum: r.Uint8(), ReclaimAfterSeconds: r.Uint64()}
	p.Assets = make([]Asset, 0, r.Len(5))
	for range cap(p.Assets) {
		p.Assets = append(p.Assets, decodeAsset(r))
	}
	p.Limits = make([]Limit, 0, r.Len(36))
	for range cap(p.Limits) {
		p.Limits = append(p.Limits, Limit{Account(r.String()), r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64()})
	}
	return p
}
