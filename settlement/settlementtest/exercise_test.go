package settlementtest_test

import (
	"testing"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/settlementtest"
)

// memoryRig offers everything.
func memoryRig(*testing.T) settlementtest.Rig {
	m := settlement.NewMemory()
	rig := settlementtest.Rig{
		Chain:    m,
		Second:   m.Endpoint("second"),
		Token:    settlement.Asset{Mint: "IO", Decimals: 8},
		Dollar:   settlement.Asset{Mint: "USDC", Decimals: 6},
		Vault:    "vault",
		Desk:     "desk",
		Treasury: "treasury",
		Ann:      "ann",
		Bob:      "bob",
		Absent:   "nobody",
		Advance:  m.Advance,
		Supply:   m.Supply,
		Balance: func(a settlement.Asset, owner settlement.Account) uint64 {
			units, _ := m.Balance(a, owner)
			return units
		},
		Fork: m.Fork,
		Rent: m.Rent,
		Swap: func(token uint64) uint64 { return token / 4 },
	}
	rig.Open = func(owner settlement.Account) { m.Open(rig.Token, owner, 0) }
	rig.Close = func(owner settlement.Account) { m.Remove(rig.Token, owner) }
	rig.Poison = func(k settlement.MarkerID) { m.Poison(k); m.Advance(33) }
	m.Open(rig.Token, rig.Vault, settlementtest.Endowment)
	m.Open(rig.Token, rig.Desk, settlementtest.Endowment)
	m.Open(rig.Dollar, rig.Desk, 0)
	m.Open(rig.Dollar, rig.Treasury, settlementtest.Endowment)
	m.Open(rig.Token, rig.Ann, 0)
	m.Open(rig.Token, rig.Bob, 0)
	m.Open(rig.Token, "pool", 0)
	m.Open(rig.Dollar, "pool", settlementtest.Endowment)
	m.Pool("pool", rig.Token, rig.Dollar, 1, 4)
	return rig
}

func TestMemory(t *testing.T) { settlementtest.Exercise(t, memoryRig) }

// TestMemoryAlone has one endpoint, and is therefore trusted.
func TestMemoryAlone(t *testing.T) {
	settlementtest.Exercise(t, func(t *testing.T) settlementtest.Rig {
		rig := memoryRig(t)
		rig.Second = nil
		return rig
	})
}
