package spl_test

import (
	"crypto/ed25519"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/settlementtest"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// bench is a node with two mints and a boss who may do everything.
type bench struct {
	testing.TB
	*svmtest.Node
	boss          ed25519.PrivateKey
	token, dollar settlement.Asset
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{TB: t, Node: svmtest.ForTest(t, svmtest.Config{}), boss: svmtest.Key("boss")}
	require.NoError(t, b.Airdrop(t.Context(), svmtest.Address(b.boss), 1e12))
	var err error
	b.token, err = b.CreateMint(t.Context(), b.boss, svmtest.Key("IO"), 8)
	require.NoError(t, err)
	b.dollar, err = b.CreateMint(t.Context(), b.boss, svmtest.Key("USDC"), 6)
	require.NoError(t, err)
	return b
}

// open makes a token account for whoever has that name, and mints units into it.
func (b *bench) open(a settlement.Asset, name string, units uint64) settlement.Account {
	b.Helper()
	owner := svmtest.Address(svmtest.Key(name))
	require.NoError(b, b.CreateAccount(b.Context(), b.boss, a, owner))
	if units > 0 {
		require.NoError(b, b.MintTo(b.Context(), b.boss, a, owner, units))
	}
	return owner
}

// chain returns a chain that signs for the names.
func (b *bench) chain(c spl.Config, names ...string) *spl.Chain {
	b.Helper()
	c.URL = b.URL()
	if c.Payer == nil {
		c.Payer = b.boss
	}
	for _, n := range names {
		c.Owners = append(c.Owners, svmtest.Key(n))
	}
	out, err := spl.New(c)
	require.NoError(b, err)
	require.NoError(b, b.Advance(b.Context(), svmtest.BlocksToFinal))
	return out
}

func TestConformance(t *testing.T) {
	settlementtest.Exercise(t, func(t *testing.T) settlementtest.Rig {
		b := newBench(t)
		rig := settlementtest.Rig{
			Token:    b.token,
			Dollar:   b.dollar,
			Vault:    b.open(b.token, "vault", settlementtest.Endowment),
			Desk:     b.open(b.token, "desk", settlementtest.Endowment),
			Treasury: b.open(b.dollar, "treasury", settlementtest.Endowment),
			Ann:      b.open(b.token, "ann", 0),
			Bob:      b.open(b.token, "bob", 0),
			Absent:   svmtest.Address(svmtest.Key("nobody")),
			Advance:  func(n int) { require.NoError(t, b.Advance(t.Context(), n)) },
		}
		b.open(b.dollar, "desk", 0)
		chain := b.chain(spl.Config{}, "vault", "desk", "treasury")
		rig.Chain = chain
		rig.Balance = func(a settlement.Asset, owner settlement.Account) uint64 {
			units, err := chain.Balance(t.Context(), a, owner)
			if err != nil {
				require.ErrorIs(t, err, spl.ErrNoAccount)
			}
			return units
		}
		rig.Supply = func(a settlement.Asset) uint64 {
			units, err := chain.Supply(t.Context(), a)
			require.NoError(t, err)
			return units
		}
		return rig
	})
}
