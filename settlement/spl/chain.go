package spl

import (
	"context"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"sync"

	"github.com/gagliardetto/solana-go"
	"github.com/gagliardetto/solana-go/rpc"

	"github.com/idlegrid/idlegrid/settlement"
)

var (
	// ErrNoAccount is returned for an owner who has no token account of the mint.
	ErrNoAccount = errors.New("spl: no token account")
	// ErrNoMint is returned for an address at which there is no mint of the SPL Token program.
	ErrNoMint = errors.New("spl: no mint")
)

// Config says where to send and with which keys to sign.
type Config struct {
	URL           string               // JSON-RPC endpoint, http or https
	Payer         ed25519.PrivateKey   // pays fees, markers and accounts
	Owners        []ed25519.PrivateKey // own the accounts that money leaves, besides the payer
	CreateMissing bool                 // make recipients' missing token accounts instead of refusing their lines
	PriorityFee   uint64               // lamports per transaction on top of 5,000 per signature
}

// Chain implements settlement.Chain. Its methods are safe for concurrent use.
type Chain struct {
	rpc       *rpc.Client
	url       string
	payer     solana.PublicKey
	keys      map[solana.PublicKey]solana.PrivateKey
	secret    []byte // of the markers' seeds
	create    bool
	priority  uint64
	mu        sync.Mutex
	addresses map[wallet]solana.PublicKey // found token accounts: to find one takes 10 µs
	creating  map[solana.PublicKey]uint64 // token account -> last block in which its creation can land
}

type wallet struct{ owner, mint solana.PublicKey }

// New checks the configuration. It does not connect.
func New(c Config) (*Chain, error) {
	if u, err := url.Parse(c.URL); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("spl: URL is %q, want an http or https address", c.URL)
	}
	out := &Chain{
		rpc:       rpc.New(c.URL),
		url:       c.URL,
		keys:      map[solana.PublicKey]solana.PrivateKey{},
		create:    c.CreateMissing,
		priority:  c.PriorityFee,
		addresses: map[wallet]solana.PublicKey{},
		creating:  map[solana.PublicKey]uint64{},
	}
	for i, key := range append([]ed25519.PrivateKey{c.Payer}, c.Owners...) {
		name := "Payer"
		if i > 0 {
			name = fmt.Sprintf("Owners[%d]", i-1)
		}
		if len(key) != ed25519.PrivateKeySize {
			return nil, fmt.Errorf("spl: %s is a key of %d bytes, want %d", name, len(key), ed25519.PrivateKeySize)
		}
		k := solana.PrivateKey(key)
		out.keys[k.PublicKey()] = k
	}
	out.payer = solana.PrivateKey(c.Payer).PublicKey()
	secret, err := hkdf.Key(sha256.New, c.Payer.Seed(), nil, "idlegrid/settlement/spl/marker/v1", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("spl: derive the markers' secret: %w", err)
	}
	out.secret = secret
	return out, nil
}

// Address returns the wallet address of a key, in base58.
func Address(key ed25519.PublicKey) settlement.Account {
	return settlement.Account(solana.PublicKeyFromBytes(key).String())
}

// Send implements settlement.Chain.
func (c *Chain) Send(ctx context.Context, txs []settlement.Tx) error {
	var all []error
	for _, tx := range txs {
		all = append(all, c.send(ctx, tx))
	}
	return errors.Join(all...)
}

func (c *Chain) send(ctx context.Context, tx settlement.Tx) error {
	never := uint(0)
	_, err := c.rpc.SendRawTransactionWithOpts(ctx, tx.Raw, rpc.TransactionOpts{SkipPreflight: true, MaxRetries: &never})
	if err != nil {
		return fmt.Errorf("spl: send %q: %w", tx.ID, err)
	}
	return nil
}

// Balance returns what an owner holds of the asset in its associated token account, in base units, as of the newest final
// block. Without such an account it returns ErrNoAccount.
func (c *Chain) Balance(ctx context.Context, a settlement.Asset, owner settlement.Account) (uint64, error) {
	w, err := parseWallet(a, owner)
	if err != nil {
		return 0, err
	}
	at, err := c.address(w)
	if err != nil {
		return 0, err
	}
	found, err := c.accounts(ctx, rpc.CommitmentFinalized, []solana.PublicKey{at})
	if err != nil {
		return 0, err
	}
	t, ok := readHolding(found[0])
	if !ok || t.mint != w.mint {
		return 0, fmt.Errorf("%w of %q for mint %q", ErrNoAccount, owner, a.Mint)
	}
	return t.units, nil
}

// Supply returns how much of the asset there is, in base units, as of the newest final block. If there is no such mint it
// returns ErrNoMint.
func (c *Chain) Supply(ctx context.Context, a settlement.Asset) (uint64, error) {
	mint, err := solana.PublicKeyFromBase58(string(a.Mint))
	if err != nil {
		return 0, fmt.Errorf("spl: mint %q: %w", a.Mint, err)
	}
	found, err := c.accounts(ctx, rpc.CommitmentFinalized, []solana.PublicKey{mint})
	if err != nil {
		return 0, err
	}
	m, ok := readMint(found[0])
	if !ok {
		return 0, fmt.Errorf("%w at %q", ErrNoMint, a.Mint)
	}
	if m.decimals != a.Decimals {
		return 0, fmt.Errorf("spl: mint %q has %d decimals, not %d", a.Mint, m.decimals, a.Decimals)
	}
	return m.supply, nil
}
