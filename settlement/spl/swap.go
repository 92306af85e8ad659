package spl

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
)

// Marketer tells our own price of the token. It is not the venue that quotes.
type Marketer interface {
	// Market returns both sides of the price, and the time by the caller's clock: a market's age is measured by it.
	Market(ctx context.Context) (m settlement.Market, now time.Time, err error)
}

// ConverterConfig says through whom, at which prices and out of which wallet swaps are made.
type ConverterConfig struct {
	// Wallet owns what is swapped. Its key is one of the chain's Owners. It is not the payer, so that what a swap may do with
	// its signature is bounded by what it holds: a lot.
	Wallet settlement.Account
	// Swapper quotes and builds.
	Swapper settlement.Swapper
	// Market is our own price.
	Market Marketer
	// Policy bounds the quotes.
	Policy settlement.SwapPolicy
	// Programs are those that a swap's instructions may call, at least one: for Jupiter its aggregator alone. Of the token
	// program, if it is listed, transfers are let through and nothing else.
	Programs []settlement.Account
	// SpareUnits is how many base units of what is given the wallet may hold beyond the lot: what strangers send must not stop
	// us, and what it holds is what a venue could take.
	SpareUnits uint64
	// SpareLamports is how many lamports the wallet may hold. It needs none: the payer pays.
	SpareLamports uint64
}

// Converter is a Chain that also carries swaps. Everything else it hands to the Chain. It is safe for concurrent use if its
// Swapper and its Marketer are.
//
// A swap's transaction is composed here: the marker; a fresh token account, at an address that nobody can guess; a transfer
// of the lot from the wallet's account to itself, which tells whoever reads the chain what is given; the venue's
// instructions; a transfer of what is to be left to itself, if anything is; the end of any right to spend that the venue gave
// away, which only the owner can end; and at last the transfer of Least from the fresh account to the recipient, or its burn. If the swap got one base unit less, the transaction fails
// as a whole. What it got beyond Least stays in the fresh account, which is the wallet's; the first batch that pays out of
// the wallet afterwards moves it to the wallet's own account first, and closes the fresh one.
type Converter struct {
	*Chain
	config   ConverterConfig
	wallet   solana.PublicKey
	programs map[solana.PublicKey]bool
}

// NewConverter checks the configuration against the chain's keys.
func NewConverter(c *Chain, config ConverterConfig) (*Converter, error) {
	v := &Converter{Chain: c, config: config, programs: map[solana.PublicKey]bool{}}
	var err error
	if v.wallet, err = solana.PublicKeyFromBase58(string(config.Wallet)); err != nil {
		return nil, fmt.Errorf("spl: converter: Wallet is %q: %w", config.Wallet, err)
	}
	switch {
	case v.wallet == c.payer:
		return nil, fmt.Errorf("spl: converter: Wallet is %q, the payer: it needs a key of its own", config.Wallet)
	case !c.ring.Has(v.wallet):
		return nil, fmt.Errorf("spl: converter: no key for Wallet %q", config.Wallet)
	case config.Swapper == nil || config.Market == nil:
		return nil, errors.New("spl: converter: Swapper or Market is missing")
	case len(config.Programs) == 0:
		return nil, errors.New("spl: converter: Programs is empty")
	}
	for i, p := range config.Programs {
		key, err := solana.PublicKeyFromBase58(string(p))
		if err != nil {
			return nil, fmt.Errorf("spl: converter: Programs[%d] is %q: %w", i, p, err)
		}
		v.programs[key] = true
	}
	if err := config.Policy.Validate(); err != nil {
		return nil, fmt.Errorf("spl: converter: Policy: %w", err)
	}
	return v, nil
}

// Prepare implements settlement.Chain. A batch of one Swap out of the wallet is quoted, composed, guarded and signed here:
// a refusal is a [*GuardError] or a [*settlement.QuoteError], wrapped, and may pass. Other batches go to the Chain, those
// that pay out of the wallet after its proceeds were gathered.
func (v *Converter) Prepare(ctx context.Context, batches []settlement.Batch) ([]settlement.Prepared, error) {
	out := make([]settlement.Prepared, len(batches))
	var rest []settlement.Batch
	var places []int
	for i, b := range batches {
		switch {
		case swaps(b):
			out[i].Tx, out[i].Err = v.prepareSwap(ctx, b)
			continue
		case v.paysFromWallet(b):
			if out[i].Err = v.gather(ctx, b); out[i].Err != nil {
				continue
			}
		}
		rest, places = append(rest, b), append(places, i)
	}
	if len(rest) == 0 {
		return out, nil
	}
	others, err := v.Chain.Prepare(ctx, rest)
	if err != nil {
		return nil, err
	}
	for i, p := range others {
		out[places[i]] = p
	}
	return out, nil
}

func swaps(b settlement.Batch) bool {
	for _, l := range b.Lines {
		if l.Kind == settlement.Swap {
			return true
		}
	}
	return false
}

// swap is one swap on its way to a signature.
type swap struct {
	batch settlement.Batch
	line  settlement.Line

	payer, wallet, source, fresh solana.PublicKey
	to, toOwner                  solana.PublicKey // zero if the proceeds are burned
	inMint, outMint              solana.PublicKey
	seed                         string // of the fresh account, whose base is the payer

	programs map[solana.PublicKey]bool
	ours     map[solana.PublicKey]string // what a venue may not name
	own      func(solana.PublicKey) bool

	fee, markerRent, freshRent uint64 // lamports
	quoted                     uint64 // what the venue promises at least
	spare                      uint64 // what the wallet holds beyond the lot
}

// prepareSwap walks the steps of the guard. Nothing is signed before the last one.
func (v *Converter) prepareSwap(ctx context.Context, b settlement.Batch) (settlement.Tx, error) {
	s, mark, err := v.newSwap(ctx, b)
	if err != nil {
		return settlement.Tx{}, err
	}
	if err := v.checkAccounts(ctx, s); err != nil {
		return settlement.Tx{}, err
	}
	q, err := v.quote(ctx, s)
	if err != nil {
		return settlement.Tx{}, err
	}
	foreign, err := v.config.Swapper.Build(ctx, settlement.SwapOrder{
		Quote: q, Wallet: v.config.Wallet, From: text(s.source), Into: text(s.fresh),
	})
	if err != nil {
		return settlement.Tx{}, fmt.Errorf("spl: build the swap of batch %s: %w", b.ID, err)
	}
	middle, err := s.checkForeign(foreign)
	if err != nil {
		return settlement.Tx{}, err
	}
	instructions, err := v.compose(ctx, s, mark, middle)
	if err != nil {
		return settlement.Tx{}, err
	}
	return v.simulateAndSign(ctx, s, instructions)
}

// newSwap finds the addresses of a batch that is one swap.
func (v *Converter) newSwap(ctx context.Context, b settlement.Batch) (*swap, marker, error) {
	if len(b.Lines) != 1 {
		return nil, marker{}, fmt.Errorf("spl: batch %s has %d lines and a swap, which has a batch of its own", b.ID, len(b.Lines))
	}
	l := b.Lines[0]
	if l.From != v.config.Wallet {
		return nil, marker{}, fmt.Errorf("spl: batch %s swaps out of %q, the swap wallet is %q", b.ID, l.From, v.config.Wallet)
	}
	s := &swap{batch: b, line: l, payer: v.payer, wallet: v.wallet, programs: v.programs, own: v.ring.Has}
	mark, err := v.marker(ctx, b.MarkerID())
	if err != nil {
		return nil, marker{}, err
	}
	if s.inMint, err = parseMint(l.Asset); err != nil {
		return nil, marker{}, err
	}
	if s.outMint, err = parseMint(l.Into); err != nil {
		return nil, marker{}, err
	}
	if s.source, err = v.address(wallet{s.wallet, s.inMint, solana.TokenProgramID}); err != nil {
		return nil, marker{}, err
	}
	s.ours = v.untouchable(s)
	s.ours[mark.at] = "the marker"
	if l.To != "" {
		if s.toOwner, err = solana.PublicKeyFromBase58(string(l.To)); err != nil {
			return nil, marker{}, lineFault("%q is no Solana address", l.To)
		}
		if s.to, err = v.address(wallet{s.toOwner, s.outMint, solana.TokenProgramID}); err != nil {
			return nil, marker{}, err
		}
		s.ours[s.to] = "the recipient's account"
	}
	s.seed = freshSeed(mark)
	if s.fresh, err = solana.CreateWithSeed(s.payer, s.seed, solana.TokenProgramID); err != nil {
		return nil, marker{}, fmt.Errorf("spl: account of the proceeds of batch %s: %w", b.ID, err)
	}
	return s, mark, nil
}

// untouchable is what no instruction of a venue may name: every key of ours but the wallet's.
func (v *Converter) untouchable(s *swap) map[solana.PublicKey]string {
	out := map[solana.PublicKey]string{}
	for _, e := range v.ring.entries {
		if e.key != s.wallet {
			out[e.key] = "a key"
		}
	}
	out[s.payer] = "the payer"
	return out
}

// lineFault is a refusal of the swap's line, which will not pass by itself.
func lineFault(format string, args ...any) error {
	return &settlement.LineError{Faults: []settlement.Fault{{Line: 0, Reason: fmt.Sprintf(format, args...)}}}
}

// checkAccounts is GuardWallet, and looks at mints and recipient.
func (v *Converter) checkAccounts(ctx context.Context, s *swap) error {
	keys := []solana.PublicKey{s.wallet, s.source, s.inMint, s.outMint}
	if s.line.To != "" {
		keys = append(keys, s.to)
	}
	found, _, err := v.accounts(ctx, confirmed, keys, 0, true)
	if err != nil {
		return err
	}
	for i, a := range []settlement.Asset{s.line.Asset, s.line.Into} {
		m, err := asMint(found[2+i], a)
		if err != nil {
			return err
		}
		if m.program != solana.TokenProgramID { // its transfers could take a fee, or call somebody
			return fmt.Errorf("spl: mint %q is of Token-2022, which is not swapped", a.Mint)
		}
	}
	if s.line.To != "" {
		if reason := trouble(found[4], s.outMint, &s.toOwner); reason != "" {
			return lineFault("recipient %q: %s", s.line.To, reason)
		}
	}
	h, ok := readHolding(found[1])
	if !ok || h.owner != s.wallet || h.mint != s.inMint {
		return fmt.Errorf("%w of the swap wallet %q for mint %q", ErrNoAccount, s.line.From, s.line.Asset.Mint)
	}
	most := s.line.Units + v.config.SpareUnits
	switch {
	case h.frozen:
		return guardf(GuardWallet, "its token account for mint %q is frozen", s.inMint)
	case h.units < s.line.Units:
		return guardf(GuardWallet, "it holds %d units of mint %q, the lot is %d", h.units, s.inMint, s.line.Units)
	case most >= s.line.Units && h.units > most: // a sum beyond 64 bits is no bound
		return guardf(GuardWallet, "it holds %d units of mint %q, the lot and what may be spare are %d", h.units, s.inMint, most)
	case rightsOf(found[1]) != rights{}:
		return guardf(GuardWallet, "somebody has a right over its token account for mint %q: %s", s.inMint, rightsOf(found[1]))
	case lamportsOf(found[0]) > v.config.SpareLamports:
		return guardf(GuardWallet, "it holds %d lamports, at most %d", lamportsOf(found[0]), v.config.SpareLamports)
	}
	s.spare = h.units - s.line.Units
	return nil
}

// quote asks the venue and compares its answer with our own price. The slot is read after the answer, so that an honest
// quote is not of the future.
func (v *Converter) quote(ctx context.Context, s *swap) (settlement.SwapQuote, error) {
	var none settlement.SwapQuote
	asked, err := v.rpc.clock(ctx, processed)
	if err != nil {
		return none, err
	}
	q, err := v.config.Swapper.Quote(ctx, s.line.Asset, s.line.Into, s.line.Units)
	if err != nil {
		return none, fmt.Errorf("spl: quote of batch %s: %w", s.batch.ID, err)
	}
	if q.Slot == 0 { // a venue that does not say quotes as of the question
		q.Slot = asked.slot
	}
	answered, err := v.rpc.clock(ctx, processed)
	if err != nil {
		return none, err
	}
	market, now, err := v.config.Market.Market(ctx)
	if err != nil {
		return none, fmt.Errorf("spl: own price for batch %s: %w", s.batch.ID, err)
	}
	if q.In != s.line.Asset || q.Out != s.line.Into || q.Units != s.line.Units {
		return none, fmt.Errorf("spl: quote of batch %s: %w", s.batch.ID, &settlement.QuoteError{
			Field: "Units", Have: q.Units, Limit: s.line.Units,
			Reason: fmt.Sprintf("is %d of mint %q for mint %q, asked was %d of %q for %q",
				q.Units, q.In.Mint, q.Out.Mint, s.line.Units, s.line.Asset.Mint, s.line.Into.Mint),
		})
	}
	if err := v.config.Policy.Check(now, answered.slot, market, q, s.line.Least); err != nil {
		return none, fmt.Errorf("spl: quote of batch %s: %w", s.batch.ID, err)
	}
	s.quoted = q.Least
	return q, nil
}
