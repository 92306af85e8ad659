package spl

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/gagliardetto/solana-go"
	"golang.org/x/sync/errgroup"
)

// Commitment levels.
const (
	processed = "processed"
	confirmed = "confirmed"
	finalized = "finalized"
)

const (
	maxAccounts   = 99   // of one getMultipleAccounts, beside the clock
	maxStatuses   = 256  // of one getSignatureStatuses
	maxSignatures = 1000 // of one page of getSignaturesForAddress
	maxPages      = 1000 // of one address: beyond, somebody is filling it, and nothing is said about it

	// youngChain is up to which slot a chain may have skipped none: 46 days of 400 ms. The public clusters are far older.
	youngChain = 10_000_000

	// maxRate bounds what an endpoint may say of rent, in lamports a byte: 14 times the highest that it ever was, 6,960. It is
	// told by one endpoint alone, and a marker holds it for hours.
	maxRate        = 100_000
	rentedOverhead = 128 // bytes that rent is paid for besides an account's data

	// maxLife is how many blocks the life of a blockhash may have left: 150 on every cluster, with room for a change.
	maxLife = 300
)

// inContext is a value and the slot as of which it was answered.
type inContext[T any] struct {
	Context struct{ Slot uint64 }
	Value   T
}

// account is an account as it was read; its data may have been left out.
type account struct {
	Lamports   uint64
	Owner      solana.PublicKey
	Executable bool
	Space      uint64 // bytes of data
	Data       data
}

// data is what an endpoint gives as [text, "base64"].
type data []byte

// UnmarshalJSON implements json.Unmarshaler.
func (d *data) UnmarshalJSON(text []byte) error {
	var pair []string
	if err := json.Unmarshal(text, &pair); err != nil || len(pair) != 2 || pair[1] != "base64" {
		return fmt.Errorf("spl: bytes are given as %.40q, want base64", text)
	}
	out, err := base64.StdEncoding.DecodeString(pair[0])
	if err != nil {
		return fmt.Errorf("spl: bytes are no base64: %w", err)
	}
	*d = out
	return nil
}

// clock is what an endpoint says the newest block of a level is.
type clock struct{ height, slot, epoch uint64 }

// clock asks for height and slot of the newest block of a level, in one answer.
func (e *endpoint) clock(ctx context.Context, level string) (clock, error) {
	var info struct{ AbsoluteSlot, BlockHeight, Epoch uint64 }
	if err := e.call(ctx, "getEpochInfo", []any{map[string]any{"commitment": level}}, &info); err != nil {
		return clock{}, err
	}
	// Slots are skipped, so that there are fewer blocks than slots; a proxy may mix the two up, and every attempt would seem
	// expired. A test validator that is young may not have skipped any yet.
	if info.AbsoluteSlot == 0 || info.BlockHeight > info.AbsoluteSlot ||
		info.BlockHeight == info.AbsoluteSlot && info.AbsoluteSlot > youngChain {
		return clock{}, fmt.Errorf("spl: %s says block height %d at slot %d", e.name, info.BlockHeight, info.AbsoluteSlot)
	}
	return clock{info.BlockHeight, info.AbsoluteSlot, info.Epoch}, nil
}

// blockhash is a recent blockhash, the last block in which it may be used, and what time it is.
type blockhash struct {
	hash      solana.Hash
	lastValid uint64
	clock     clock
}

// blockhash asks for the newest blockhash of a level, after the height, and compares the two.
func (e *endpoint) blockhash(ctx context.Context, level string) (blockhash, error) {
	now, err := e.clock(ctx, level)
	if err != nil {
		return blockhash{}, err
	}
	var r inContext[struct {
		Blockhash            solana.Hash
		LastValidBlockHeight uint64
	}]
	if err := e.read(ctx, "getLatestBlockhash", map[string]any{"commitment": level}, now.slot, &r); err != nil {
		return blockhash{}, err
	}
	last := r.Value.LastValidBlockHeight
	if last < now.height || last-now.height > maxLife {
		return blockhash{}, fmt.Errorf("spl: %s says a blockhash is valid until block %d at height %d, want at most %d more",
			e.name, last, now.height, maxLife)
	}
	if r.Context.Slot < now.slot {
		return blockhash{}, fmt.Errorf("spl: %s gives a blockhash of slot %d: %w", e.name, r.Context.Slot, errBehind)
	}
	return blockhash{r.Value.Blockhash, last, now}, nil
}

// rent asks for the lamports that free an account of so many bytes from rent. They are the chain's to change, but not to 0: an
// account without lamports does not stay, and a transaction would pay without leaving its marker behind.
func (e *endpoint) rent(ctx context.Context, size int) (uint64, error) {
	var lamports uint64
	err := e.call(ctx, "getMinimumBalanceForRentExemption", []any{size, map[string]any{"commitment": confirmed}}, &lamports)
	if most := uint64(rentedOverhead+size) * maxRate; err == nil && (lamports == 0 || lamports > most) {
		return 0, fmt.Errorf("spl: %s says that the rent of %d bytes is %d lamports, want 1 to %d", e.name, size, lamports, most)
	}
	return lamports, err
}

// accounts reads accounts as of at least a slot; one that does not exist is nil. It also returns the lowest slot as of which
// an answer was. Without whole, the data is left out. Each call asks for the clock as well, which always exists: an endpoint
// that has forgotten it would have us take what it has lost for what never was.
func (c *Chain) accounts(ctx context.Context, level string, keys []solana.PublicKey, slot uint64, whole bool) ([]*account, uint64, error) {
	parts := slices.Collect(slices.Chunk(keys, maxAccounts))
	answers := make([]inContext[[]*account], len(parts))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(c.parallel)
	for i, part := range parts {
		g.Go(func() error {
			config := map[string]any{"encoding": "base64", "commitment": level}
			if !whole {
				config["dataSlice"] = map[string]int{"offset": 0, "length": 0}
			}
			asked := append(slices.Clone(part), solana.SysVarClockPubkey)
			if err := c.rpc.read(ctx, "getMultipleAccounts", config, slot, &answers[i], asked); err != nil {
				return err
			}
			if n := len(answers[i].Value); n != len(asked) {
				return fmt.Errorf("spl: read %d accounts at %s: it answered %d", len(asked), c.rpc.name, n)
			}
			if answers[i].Value[len(part)] == nil {
				return fmt.Errorf("spl: read accounts at %s: it does not know the clock, and may have forgotten others", c.rpc.name)
			}
			answers[i].Value = answers[i].Value[:len(part)]
			if s := answers[i].Context.Slot; s < slot {
				return fmt.Errorf("spl: read accounts at %s: as of slot %d, want %d: %w", c.rpc.name, s, slot, errBehind)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, 0, err
	}
	out := make([]*account, 0, len(keys))
	lowest := ^uint64(0)
	for _, a := range answers {
		out = append(out, a.Value...)
		lowest = min(lowest, a.Context.Slot)
	}
	return out, lowest, nil
}

// signatureRow is one line of an address's history.
type signatureRow struct {
	Signature string
	Slot      uint64
	Err       json.RawMessage
}

// failed says whether the transaction has failed.
func (r signatureRow) failed() bool { return len(r.Err) > 0 && string(r.Err) != "null" }

// signatures lists every final transaction that names an address, newest first, as of at least a slot. It asks on until an
// answer is empty: a short page may be one that was cut.
func (e *endpoint) signatures(ctx context.Context, at solana.PublicKey, slot uint64) ([]signatureRow, error) {
	var out []signatureRow
	for range maxPages {
		config := map[string]any{"commitment": finalized, "limit": maxSignatures}
		if len(out) > 0 {
			config["before"] = out[len(out)-1].Signature
		}
		var page []signatureRow
		if err := e.read(ctx, "getSignaturesForAddress", config, slot, &page, at); err != nil {
			return nil, err
		}
		switch {
		case len(page) == 0:
			return out, nil
		case len(page) > maxSignatures:
			return nil, fmt.Errorf("spl: a page of the history of %s at %s has %d rows, want at most %d", at, e.name, len(page), maxSignatures)
		}
		if len(out) > 0 && page[0].Signature == out[0].Signature {
			return nil, fmt.Errorf("spl: the history of %s at %s begins again on every page", at, e.name)
		}
		for _, r := range page {
			if n := len(out); n > 0 && r.Slot > out[n-1].Slot {
				return nil, fmt.Errorf("spl: the history of %s at %s is out of order: slot %d after %d", at, e.name, r.Slot, out[n-1].Slot)
			}
			out = append(out, r)
		}
	}
	return nil, fmt.Errorf("spl: the history of %s at %s has more than %d rows", at, e.name, maxPages*maxSignatures)
}
