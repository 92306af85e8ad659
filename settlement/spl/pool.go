package spl

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
)

const (
	tokenApproveChecked = 13
	poolBps             = 10_000
	approveUnits        = 10_000
)

// ErrPool is returned for a pool that cannot quote.
var ErrPool = errors.New("spl: pool")

// Pool is a Swapper that stands in for a pool on networks that have none, such as a local one: two transfers against the
// token accounts of one owner, who has approved the swap wallet as a delegate of what is sold. The wallet alone signs. It
// quotes like a constant-product pool, or at a fixed rate, but no program enforces that: its owner trusts whoever holds the
// wallet's key with what was approved. It is for tests, and for a desk of one's own.
type Pool struct {
	chain  *Chain
	config PoolConfig
	owner  solana.PublicKey
}

// PoolConfig says against whom and at which price is swapped.
type PoolConfig struct {
	// Owner owns the token accounts of both assets.
	Owner settlement.Account
	// FeeBps is kept of what is given, in basis points below 10,000; rounded up in the pool's favour.
	FeeBps uint32
	// Out and In, if they are not 0, fix the rate: Out base units are given for In base units, rounded down. If both are 0 the
	// price is that of a constant product of what the owner's two accounts hold.
	Out, In uint64
}

// NewPool checks the configuration. It reads balances through the chain.
func NewPool(c *Chain, config PoolConfig) (*Pool, error) {
	owner, err := solana.PublicKeyFromBase58(string(config.Owner))
	if err != nil {
		return nil, fmt.Errorf("%w: Owner is %q: %w", ErrPool, config.Owner, err)
	}
	if config.FeeBps >= poolBps {
		return nil, fmt.Errorf("%w: FeeBps is %d, want less than %d", ErrPool, config.FeeBps, poolBps)
	}
	if (config.Out == 0) != (config.In == 0) {
		return nil, fmt.Errorf("%w: Out is %d and In %d, want both or none", ErrPool, config.Out, config.In)
	}
	return &Pool{c, config, owner}, nil
}

// Quote implements settlement.Swapper. With x and y what the owner holds of both assets in the newest confirmed block and d
// what is given less the fee, a constant product gives floor(y*d/(x+d)) and moves the price by d/(x+d).
func (p *Pool) Quote(ctx context.Context, in, out settlement.Asset, units uint64) (settlement.SwapQuote, error) {
	q := settlement.SwapQuote{In: in, Out: out, Units: units, Route: "pool"}
	at, err := p.accounts(in, out)
	if err != nil {
		return q, err
	}
	found, slot, err := p.chain.accounts(ctx, confirmed, at[:], 0, true)
	if err != nil {
		return q, fmt.Errorf("%w: %w", ErrPool, err)
	}
	x, okX := readHolding(found[0])
	y, okY := readHolding(found[1])
	if !okX || !okY {
		return q, fmt.Errorf("%w: %q has no token account for mint %q or %q", ErrPool, p.config.Owner, in.Mint, out.Mint)
	}
	d := scale(units, poolBps-uint64(p.config.FeeBps), big.NewInt(poolBps))
	var expect *big.Int
	if p.config.In != 0 {
		expect = d.Mul(d, new(big.Int).SetUint64(p.config.Out))
		expect.Quo(expect, new(big.Int).SetUint64(p.config.In))
	} else {
		sum := new(big.Int).Add(new(big.Int).SetUint64(x.units), d)
		if sum.Sign() == 0 {
			return q, fmt.Errorf("%w: it is empty", ErrPool)
		}
		// Rounded up: (d*10^4 + sum - 1) / sum.
		impact := new(big.Int).Mul(d, big.NewInt(poolBps))
		impact.Add(impact, sum).Sub(impact, big.NewInt(1)).Quo(impact, sum)
		q.ImpactBps = impact.Uint64()
		expect = new(big.Int).Mul(new(big.Int).SetUint64(y.units), d)
		expect.Quo(expect, sum)
	}
	if expect.Sign() == 0 || !expect.IsUint64() || expect.Uint64() > y.units {
		return q, fmt.Errorf("%w: %d units of mint %q are worth %s of mint %q, it holds %d", ErrPool, units, in.Mint, expect, out.Mint, y.units)
	}
	q.Expect = expect.Uint64()
	q.Least, q.Slot = q.Expect, slot
	return q, nil
}

// Build implements settlement.Swapper: what is given goes to the owner, what was quoted to order.Into.
func (p *Pool) Build(_ context.Context, o settlement.SwapOrder) ([]settlement.Instruction, error) {
	at, err := p.accounts(o.Quote.In, o.Quote.Out)
	if err != nil {
		return nil, err
	}
	transfer := func(from, to settlement.Account, units uint64) settlement.Instruction {
		return settlement.Instruction{
			Program: settlement.Account(solana.TokenProgramID.String()),
			Accounts: []settlement.AccountUse{
				{Account: from, Writable: true},
				{Account: to, Writable: true},
				{Account: o.Wallet, Signer: true},
			},
			Data: binary.LittleEndian.AppendUint64([]byte{tokenTransfer}, units),
		}
	}
	return []settlement.Instruction{
		transfer(o.From, text(at[0]), o.Quote.Units),
		transfer(text(at[1]), o.Into, o.Quote.Expect),
	}, nil
}

// Approve lets a swap wallet take units of an asset out of the owner's account, as an order of the owner, and replaces what
// was approved before. The owner pays the fee. It is sent once, and not waited for.
func (p *Pool) Approve(ctx context.Context, owner Signer, to settlement.Account, a settlement.Asset, units uint64) error {
	if owner.PublicKey() != p.config.Owner {
		return fmt.Errorf("%w: approve: the signer is %q, the owner %q", ErrPool, owner.PublicKey(), p.config.Owner)
	}
	ring, err := NewKeyring(owner)
	if err != nil {
		return fmt.Errorf("%w: approve: %w", ErrPool, err)
	}
	mint, err := parseMint(a)
	if err != nil {
		return err
	}
	from, err := p.chain.address(wallet{p.owner, mint, solana.TokenProgramID})
	if err != nil {
		return err
	}
	delegate, err := parseOwner(to)
	if err != nil {
		return fmt.Errorf("%w: approve: %w", ErrPool, err)
	}
	hash, err := p.chain.rpc.blockhash(ctx, confirmed)
	if err != nil {
		return fmt.Errorf("%w: approve: %w", ErrPool, err)
	}
	var e Encoder
	raw, err := e.AppendMessage(nil, &Message{
		Format: p.chain.config.Format, Payer: p.owner, Blockhash: hash.hash, ComputeUnits: approveUnits, Loaded: gatherLoaded,
		Instructions: []Instruction{{
			Program:  solana.TokenProgramID,
			Accounts: []Meta{{from, false, true}, {mint, false, false}, {delegate, false, false}, {p.owner, true, false}},
			Data:     append(binary.LittleEndian.AppendUint64([]byte{tokenApproveChecked}, units), a.Decimals),
		}},
	})
	if err != nil {
		return fmt.Errorf("%w: approve: %w", ErrPool, err)
	}
	if err := ring.Sign(ctx, raw); err != nil {
		return fmt.Errorf("%w: approve: %w", ErrPool, err)
	}
	id, err := TxID(raw)
	if err != nil {
		return fmt.Errorf("%w: approve: %w", ErrPool, err)
	}
	return p.chain.send(ctx, settlement.Tx{ID: id, Raw: raw})
}

// accounts returns the owner's token accounts of both assets.
func (p *Pool) accounts(in, out settlement.Asset) ([2]solana.PublicKey, error) {
	var at [2]solana.PublicKey
	for i, a := range []settlement.Asset{in, out} {
		mint, err := parseMint(a)
		if err != nil {
			return at, err
		}
		if at[i], err = p.chain.address(wallet{p.owner, mint, solana.TokenProgramID}); err != nil {
			return at, err
		}
	}
	return at, nil
}

// scale returns floor(n*num/den).
func scale(n, num uint64, den *big.Int) *big.Int {
	v := new(big.Int).Mul(new(big.Int).SetUint64(n), new(big.Int).SetUint64(num))
	return v.Quo(v, den)
}
