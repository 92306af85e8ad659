package spl

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gagliardetto/solana-go"
	"golang.org/x/sync/errgroup"

	"github.com/idlegrid/idlegrid/settlement"
)

var (
	// ErrNoAccount is returned for an owner who has no token account of the mint.
	ErrNoAccount = errors.New("spl: no token account")
	// ErrNoMint is returned for an address at which there is no mint of SPL Token or Token-2022.
	ErrNoMint = errors.New("spl: no mint")
)

// Config says where to send and with which keys to sign.
type Config struct {
	// URL is a JSON-RPC endpoint, http or https. Its path, query and user never stand in an error.
	URL string
	// Name is the endpoint's name in evidence. Empty: the URL's host, with its port.
	Name string
	// Payer pays fees, markers and accounts. [NewKey] makes one of an ed25519 key.
	Payer Signer
	// Owners own the token accounts that money leaves, besides the payer.
	Owners []Signer
	// Format is the layout of transactions, 0: V1. See Probe for what a cluster accepts.
	Format Format
	// Tables are lookup tables that transactions of V0 may use. A transaction names recipients by their place in them: what
	// they hold has to be known, or read alike at several endpoints, and they must be the operator's own.
	Tables []*Table
	// CreateMissing makes recipients' missing token accounts, at the payer's cost, instead of refusing their lines.
	CreateMissing bool
	// MaxCreations is the most accounts that one Prepare may make, 0: 1,200, whose rent was 1.8 SOL at 5,080 lamports a byte.
	MaxCreations int
	// OffCurve are the recipients that may be paid although no key belongs to their address: multisigs and other programs'
	// wallets.
	OffCurve []settlement.Account
	// TransferFees pays out tokens of which a transfer fee is withheld: the recipient gets less than the line's units, see
	// [Chain.Received].
	TransferFees bool
	// PriorityFee is what a transaction pays on top of 5,000 lamports per signature, in lamports.
	PriorityFee uint64
	// Memo writes the batch's ID, such as "7/0/12", into the transaction, for people. It costs an address, so that a batch of
	// V1 has one line less.
	Memo bool
	// Timeout is the most that one call may take, 0: 30 s.
	Timeout time.Duration
	// Parallel is how many calls may run at once, 0: 8, at most 256. With 1 the calls are always the same and in the same order.
	Parallel int
}

// Chain implements settlement.Chain, Finder, Reclaimer and Historian. Its methods are safe for concurrent use.
type Chain struct {
	rpc       *endpoint
	config    Config
	payer     solana.PublicKey
	ring      *Keyring
	offCurve  map[solana.PublicKey]bool
	parallel  int
	mu        sync.Mutex
	secret    []byte                      // of the markers' seeds, once it was needed
	addresses map[wallet]solana.PublicKey // token accounts that were found
	plain     map[solana.PublicKey]bool   // wallets that were seen to be no token account and no program
	creating  map[solana.PublicKey]uint64 // token account -> last block in which its creation can land
	taking    map[solana.PublicKey]uint64 // marker -> last block in which its reclaim can land
}

// New checks the configuration. It does not connect, and signs nothing.
func New(c Config) (*Chain, error) {
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	def(&c.MaxCreations, 1200)
	def(&c.Parallel, 8)
	if c.Timeout == 0 {
		c.Timeout = callTimeout
	}
	if c.Format == 0 {
		c.Format = V1
	}
	switch {
	case c.Format.MaxBytes() == 0:
		return nil, fmt.Errorf("spl: Format is %d, want V1, V0 or Legacy", uint8(c.Format))
	case len(c.Tables) > 0 && c.Format != V0:
		return nil, fmt.Errorf("spl: Tables has %d tables, format %s knows none", len(c.Tables), c.Format)
	case c.MaxCreations < 0:
		return nil, fmt.Errorf("spl: MaxCreations is %d, want 0 or more", c.MaxCreations)
	case c.Timeout < 0:
		return nil, fmt.Errorf("spl: Timeout is %s, want 0 or more", c.Timeout)
	case c.Parallel < 0 || c.Parallel > 256:
		return nil, fmt.Errorf("spl: Parallel is %d, want 0 to 256", c.Parallel)
	case c.Payer == nil:
		return nil, errors.New("spl: Payer is nil")
	}
	e, err := newEndpoint(c)
	if err != nil {
		return nil, err
	}
	ring, err := NewKeyring(append([]Signer{c.Payer}, c.Owners...)...)
	if err != nil {
		return nil, fmt.Errorf("spl: Payer and Owners: %w", err)
	}
	out := &Chain{
		rpc: e, config: c, ring: ring, parallel: c.Parallel, payer: ring.entries[0].key,
		offCurve: map[solana.PublicKey]bool{}, addresses: map[wallet]solana.PublicKey{}, plain: map[solana.PublicKey]bool{},
		creating: map[solana.PublicKey]uint64{}, taking: map[solana.PublicKey]uint64{},
	}
	for i, a := range c.OffCurve {
		k, err := solana.PublicKeyFromBase58(string(a))
		if err != nil {
			return nil, fmt.Errorf("spl: OffCurve[%d] is %q: %w", i, a, err)
		}
		out.offCurve[k] = true
	}
	return out, nil
}

// Address returns the wallet address of a key, in base58.
func Address(key ed25519.PublicKey) settlement.Account {
	return text(solana.PublicKeyFromBytes(key))
}

// Name returns the endpoint's name in evidence.
func (c *Chain) Name() string { return c.rpc.name }

// Send implements settlement.Chain. Nothing that a node answers to it is evidence, so that no answer is read but errors.
func (c *Chain) Send(ctx context.Context, txs []settlement.Tx) error {
	all := make([]error, len(txs))
	var g errgroup.Group
	g.SetLimit(c.parallel)
	for i, tx := range txs {
		g.Go(func() error {
			all[i] = c.send(ctx, tx)
			return nil
		})
	}
	_ = g.Wait() // the errors are in all
	return errors.Join(all...)
}

// send hands over the same bytes, without preflight and without retries by the node.
func (c *Chain) send(ctx context.Context, tx settlement.Tx) error {
	var signature string
	config := map[string]any{"encoding": "base64", "skipPreflight": true, "maxRetries": 0}
	if err := c.rpc.call(ctx, "sendTransaction", []any{base64.StdEncoding.EncodeToString(tx.Raw), config}, &signature); err != nil {
		return fmt.Errorf("spl: send %q: %w", tx.ID, err)
	}
	if signature != tx.ID {
		return fmt.Errorf("spl: send %q: %s answers with another signature, %.100q", tx.ID, c.rpc.name, signature)
	}
	return nil
}

// Balance returns what an owner holds of the asset in its associated token account, in base units, as of the newest final
// block. Without such an account it returns ErrNoAccount.
func (c *Chain) Balance(ctx context.Context, a settlement.Asset, owner settlement.Account) (uint64, error) {
	m, at, err := c.mint(ctx, a, finalized)
	if err != nil {
		return 0, err
	}
	o, err := parseOwner(owner)
	if err != nil {
		return 0, err
	}
	held, err := c.address(wallet{o, at, m.program})
	if err != nil {
		return 0, err
	}
	list, _, err := c.accounts(ctx, finalized, []solana.PublicKey{held}, 0, true)
	if err != nil {
		return 0, err
	}
	h, ok := readHolding(list[0])
	if !ok || h.mint != at {
		return 0, fmt.Errorf("%w of %q for mint %q", ErrNoAccount, owner, a.Mint)
	}
	return h.units, nil
}

// Received returns how much of a line of units arrives now: less than the units if the mint withholds a transfer fee.
func (c *Chain) Received(ctx context.Context, a settlement.Asset, units uint64) (uint64, error) {
	now, err := c.rpc.clock(ctx, confirmed)
	if err != nil {
		return 0, err
	}
	m, _, err := c.mint(ctx, a, confirmed)
	if err != nil {
		return 0, err
	}
	return units - m.fee(now.epoch, units), nil
}

// mint reads the asset's mint and compares the decimals.
func (c *Chain) mint(ctx context.Context, a settlement.Asset, level string) (mint, solana.PublicKey, error) {
	k, err := parseMint(a)
	if err != nil {
		return mint{}, k, err
	}
	list, _, err := c.accounts(ctx, level, []solana.PublicKey{k}, 0, true)
	if err != nil {
		return mint{}, k, err
	}
	m, err := asMint(list[0], a)
	return m, k, err
}

// asMint reads what stands at the asset's address.
func asMint(at *account, a settlement.Asset) (mint, error) {
	m, ok := readMint(at)
	if !ok {
		return m, fmt.Errorf("%w at %q", ErrNoMint, a.Mint)
	}
	if m.decimals != a.Decimals {
		return m, fmt.Errorf("spl: mint %q has %d decimals, not %d", a.Mint, m.decimals, a.Decimals)
	}
	return m, nil
}

// underway says whether a transaction that was sent for an address can still land, by one of the maps of last blocks. It
// forgets those that cannot.
func (c *Chain) underway(of map[solana.PublicKey]uint64, height uint64) func(solana.PublicKey) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	still := map[solana.PublicKey]bool{}
	for k, last := range of {
		if height > last {
			delete(of, k)
		} else {
			still[k] = true
		}
	}
	return func(k solana.PublicKey) bool { return still[k] }
}

// remember notes the last block in which what was sent for addresses can land.
func (c *Chain) remember(of map[solana.PublicKey]uint64, keys []solana.PublicKey, last uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range keys {
		of[k] = last
	}
}

// sortedKeys returns the keys in rising order, each once.
func sortedKeys(keys []solana.PublicKey) []solana.PublicKey {
	slices.SortFunc(keys, func(a, b solana.PublicKey) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(keys)
}
