package settlementtest_test

import (
	"testing"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/settlementtest"
)

func memoryRig(*testing.T) settlementtest.Rig {
	m := settlement.NewMemory()
	rig := settlementtest.Rig{
		Chain:    m,
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
	}
	m.Open(rig.Token, rig.Vault, settlementtest.Endowment)
	m.Open(rig.Token, rig.Desk, settlementtest.Endowment)
	m.Open(rig.Dollar, rig.Desk, 0)
	m.Open(rig.Dollar, rig.Treasury, settlementtest.Endowment)
	m.Open(rig.Token, rig.Ann, 0)
	m.Open(rig.Token, rig.Bob, 0)
	return rig
}

func TestMemory(t *testing.T) { settlementtest.Exercise(t, memoryRig) }
