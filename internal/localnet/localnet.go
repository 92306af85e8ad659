package localnet

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// Wallet is somebody's account at the start.
type Wallet struct {
	Name string
	IO   tokenomics.Amount
	USDC tokenomics.USD
	None bool // no token account is made: what is paid to this wallet is refused
}

// Config says what network to set up.
type Config struct {
	SVM     svmtest.Config
	First   tokenomics.Epoch // the first epoch that the network closes; what came before is emitted already
	Desk    tokenomics.Amount
	Wallets []Wallet
}

// Net is a running chain and the rules of a network on it.
type Net struct {
	Node   *svmtest.Node
	Chain  *spl.Chain // its first endpoint
	Params network.Params
	second *spl.Chain
	start  []Balance // of every wallet
}

// Balance is what one wallet has.
type Balance struct {
	Name  string
	Asset settlement.Asset
	Owner settlement.Account
	Units uint64
}

// Address returns the address of a wallet.
func Address(name string) settlement.Account { return svmtest.Address(svmtest.Key("wallet/" + name)) }

const (
	genesis = "genesis holders" // all IO that nobody else has at the start
	payer   = "payer"           // pays the chain's fees

	endpoints = 2 // so that nothing is believed that only one of them says
)

// Start starts the chain and makes the mints and wallets.
func Start(ctx context.Context, c Config) (*Net, error) {
	c.SVM.Endpoints = endpoints
	node, err := svmtest.Start(ctx, c.SVM)
	if err != nil {
		return nil, err
	}
	l := &Net{Node: node}
	if err := l.setUp(ctx, c); err != nil {
		return nil, errors.Join(fmt.Errorf("localnet: %w", err), node.Close())
	}
	return l, nil
}

// Chains are the endpoints of the chain, as a Runner wants them.
func (l *Net) Chains() []settlement.Chain { return []settlement.Chain{l.Chain, l.second} }

// Close ends the chain.
func (l *Net) Close() error { return l.Node.Close() }

func (l *Net) setUp(ctx context.Context, c Config) error {
	authority := svmtest.Key("authority")
	for _, k := range []ed25519.PrivateKey{authority, svmtest.Key("wallet/" + payer)} {
		if err := l.Node.Airdrop(ctx, svmtest.Address(k), 1_000_000_000_000); err != nil {
			return err
		}
	}
	io, err := l.Node.CreateMint(ctx, authority, svmtest.Key("mint/IO"), tokenomics.AmountPlaces)
	if err != nil {
		return err
	}
	usdc, err := l.Node.CreateMint(ctx, authority, svmtest.Key("mint/USDC"), tokenomics.USDPlaces)
	if err != nil {
		return err
	}
	if err := l.rules(c, io, usdc); err != nil {
		return err
	}
	wallets, err := l.wallets(c)
	if err != nil {
		return err
	}
	owners := make([]spl.Signer, 0, len(wallets))
	for _, w := range wallets {
		owner, err := spl.NewKey(svmtest.Key("wallet/" + w.Name))
		if err != nil {
			return err
		}
		owners = append(owners, owner)
		for _, b := range []Balance{{w.Name, io, Address(w.Name), uint64(w.IO)}, {w.Name, usdc, Address(w.Name), uint64(w.USDC)}} {
			if w.None {
				continue
			}
			if err := l.fund(ctx, authority, b); err != nil {
				return err
			}
		}
	}
	if err := l.Node.RevokeMintAuthority(ctx, authority, io); err != nil {
		return err
	}
	if err := l.Node.Advance(ctx, svmtest.BlocksToFinal+1); err != nil { // so that no fork can take the set-up away
		return err
	}
	fees, err := spl.NewKey(svmtest.Key("wallet/" + payer))
	if err != nil {
		return err
	}
	chains := make([]*spl.Chain, endpoints)
	for i, url := range l.Node.URLs() {
		if chains[i], err = spl.New(spl.Config{URL: url, Payer: fees, Owners: owners}); err != nil {
			return err
		}
	}
	l.Chain, l.second = chains[0], chains[1]
	return nil
}

// rules are io.net's, with the mints of this chain.
func (l *Net) rules(c Config, io, usdc settlement.Asset) error {
	l.Params = network.IONet(network.Accounts{
		Rewards: Address("rewards"), Escrow: Address("escrow"), Treasury: Address("treasury"), Desk: Address("desk"),
	}, c.First)
	l.Params.IO, l.Params.USDC = io, usdc
	// A network on this machine lives for an evening: a tier is given as soon as it is met.
	l.Params.Tiers.Version, l.Params.Tiers.DwellSeconds = "localnet/1", 0
	l.Params.Settlement.Version = "localnet/1"
	l.Params.Settlement.Assets = []settlement.Asset{io, usdc}
	return l.Params.Validate()
}

// wallets are the network's own, the given ones, and whoever holds the rest of the supply.
func (l *Net) wallets(c Config) ([]Wallet, error) {
	t := l.Params.Tokenomics
	supply, err := tokenomics.NewSupply(t, c.First)
	if err != nil {
		return nil, err
	}
	vault := supply.Books().Reserve
	all := append([]Wallet{{Name: "rewards", IO: vault}, {Name: "escrow"}, {Name: "treasury"}, {Name: "desk", IO: c.Desk}}, c.Wallets...)
	rest := t.Cap
	seen := map[string]bool{genesis: true, payer: true}
	for _, w := range all {
		if seen[w.Name] {
			return nil, fmt.Errorf("wallet %q stands twice", w.Name)
		}
		seen[w.Name] = true
		if rest, err = rest.Sub(w.IO); err != nil {
			return nil, fmt.Errorf("wallets hold more than the cap: %w", err)
		}
	}
	return append(all, Wallet{Name: genesis, IO: rest}), nil
}

func (l *Net) fund(ctx context.Context, authority ed25519.PrivateKey, b Balance) error {
	if err := l.Node.CreateAccount(ctx, authority, b.Asset, b.Owner); err != nil {
		return err
	}
	l.start = append(l.start, b)
	if b.Units == 0 {
		return nil
	}
	return l.Node.MintTo(ctx, authority, b.Asset, b.Owner, b.Units)
}

// Settle carries everything that is open to the chain, moving its blocks, and returns when nothing is open or can be done
// any more: then its error says what could not be. Apply is what a command goes through.
func (l *Net) Settle(ctx context.Context, n *network.Network, apply func(network.Command) error, now func() time.Time) error {
	runner := &settlement.Runner{
		Chains: l.Chains(), Quorum: int(l.Params.Settlement.Quorum),
		Open:        func() []settlement.Entry { return n.Journal().Open() },
		Reclaimable: func(at time.Time, height uint64) []settlement.MarkerID { return n.Journal().Reclaimable(at, height) },
		Apply: func(_ time.Time, e settlement.Event) ([]settlement.Effect, error) {
			return nil, apply(network.Settle{Event: e})
		},
	}
	var trouble error // of the last round: somebody who cannot pay keeps nobody else from it
	for idle := 0; idle < 3; {
		var moved bool
		if moved, trouble = runner.Step(ctx, now()); moved {
			idle = 0
		} else {
			idle++
		}
		if err := l.Node.Advance(ctx, svmtest.BlocksToFinal+1); err != nil {
			return errors.Join(trouble, err)
		}
	}
	return trouble
}
