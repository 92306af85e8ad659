package staking_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
)

// inState brings the lots of a bond with 2,000 IO of sam's and 500 of ann's into a state, and returns when.
func inState(t *testing.T, role staking.Role, s staking.LotState) (world, time.Time) {
	t.Helper()
	w := newWorld(t, moreCo)
	w.open(io(2_000))
	w.sell(begin(100), "ann")
	at := begin(101)
	if s > staking.LotActive {
		if role == staking.Owner {
			w.do(at, leave("sam", ""))
		} else {
			w.do(at, leave("ann", "o1"))
		}
	}
	for at.Before(begin(9_000)) && w.lot(lotOf(role)).State != s {
		at, _ = w.Next()
		w.pass(at)
	}
	require.Equal(t, s, w.lot(lotOf(role)).State)
	return w, at
}

func lotOf(role staking.Role) staking.LotID { return staking.LotID(role) } // sam's is 1, ann's is 2

// Every event on a lot in every state: what is refused, and with what.
func TestLotStates(t *testing.T) {
	const owner, co = staking.Owner, staking.CoStaker
	const active, waiting, cooling, matured = staking.LotActive, staking.LotWaiting, staking.LotCooling, staking.LotMatured
	deposit := staking.Deposited{Bond: "a100", Holder: "sam", Amount: io(1_000)}
	fill := accept("o2", "ann", io(1))
	for name, c := range map[string]struct {
		role  staking.Role
		state staking.LotState
		event staking.Event
		want  error
	}{
		"owner, active, unstaked":        {owner, active, leave("sam", ""), nil},
		"owner, active, withdrawn":       {owner, active, withdraw("sam"), staking.ErrNoStake},
		"owner, active, deposited":       {owner, active, deposit, nil},
		"owner, active, overflow":        {owner, active, takeOut(io(1_000)), nil},
		"owner, cooling, unstaked":       {owner, cooling, leave("sam", ""), staking.ErrNoStake},
		"owner, cooling, withdrawn":      {owner, cooling, withdraw("sam"), staking.ErrNoStake},
		"owner, cooling, deposited":      {owner, cooling, deposit, staking.ErrCooling},
		"owner, cooling, overflow":       {owner, cooling, takeOut(1), staking.ErrAmount},
		"owner, matured, unstaked":       {owner, matured, leave("sam", ""), staking.ErrNoStake},
		"owner, matured, withdrawn":      {owner, matured, withdraw("sam"), nil},
		"owner, matured, deposited":      {owner, matured, deposit, nil},
		"owner, matured, overflow":       {owner, matured, takeOut(1), staking.ErrAmount},
		"co-staker, active, unstaked":    {co, active, leave("ann", "o1"), nil},
		"co-staker, active, withdrawn":   {co, active, withdraw("ann"), staking.ErrNoStake},
		"co-staker, active, deposited":   {co, active, staking.Deposited{Bond: "a100", Holder: "ann", Amount: 1}, staking.ErrNotOwner},
		"co-staker, active, accepted":    {co, active, fill, nil},
		"co-staker, waiting, unstaked":   {co, waiting, leave("ann", "o1"), staking.ErrNoStake},
		"co-staker, waiting, withdrawn":  {co, waiting, withdraw("ann"), staking.ErrNoStake},
		"co-staker, waiting, deposited":  {co, waiting, deposit, nil},
		"co-staker, waiting, accepted":   {co, waiting, fill, staking.ErrCooling},
		"co-staker, cooling, unstaked":   {co, cooling, leave("ann", "o1"), staking.ErrNoStake},
		"co-staker, cooling, withdrawn":  {co, cooling, withdraw("ann"), staking.ErrNoStake},
		"co-staker, cooling, deposited":  {co, cooling, deposit, nil},
		"co-staker, cooling, accepted":   {co, cooling, fill, staking.ErrCooling},
		"co-staker, matured, unstaked":   {co, matured, leave("ann", "o1"), staking.ErrNoStake},
		"co-staker, matured, withdrawn":  {co, matured, withdraw("ann"), nil},
		"co-staker, matured, accepted":   {co, matured, fill, nil},
		"co-staker, matured, owner's":    {co, matured, withdraw("sam"), staking.ErrNoStake},
		"co-staker, matured, a stranger": {co, matured, withdraw("bob"), staking.ErrNoStake},
	} {
		t.Run(name, func(t *testing.T) {
			w, at := inState(t, c.role, c.state)
			if c.event == staking.Event(fill) {
				w.do(at, expiring("o2", at.Add(days(1))))
			}
			if c.want != nil {
				w.refuse(at, c.event, c.want)
				return
			}
			w.do(at, c.event)
		})
	}
}

// Stake in every state but the last is slashed, until the very instant at which it matures.
func TestLotStatesSlashed(t *testing.T) {
	for name, c := range map[string]struct {
		role  staking.Role
		state staking.LotState
		hit   bool
	}{
		"owner, active":      {staking.Owner, staking.LotActive, true},
		"owner, cooling":     {staking.Owner, staking.LotCooling, true},
		"co-staker, active":  {staking.CoStaker, staking.LotActive, true},
		"co-staker, waiting": {staking.CoStaker, staking.LotWaiting, true},
		"co-staker, cooling": {staking.CoStaker, staking.LotCooling, true},
		"co-staker, matured": {staking.CoStaker, staking.LotMatured, false},
	} {
		t.Run(name, func(t *testing.T) {
			w, at := inState(t, c.role, c.state)
			lot := w.lot(lotOf(c.role))
			if c.state == staking.LotCooling || c.state == staking.LotWaiting {
				at = lot.Until.Add(-time.Nanosecond)
			}
			w.do(at, staking.Infracted{Evidence: "e1", Bond: "a100", Kind: staking.Spoofing, At: at, Measure: 1})
			require.Equal(t, c.hit, w.lot(lot.ID).Lost > 0)
		})
	}
	w, at := inState(t, staking.Owner, staking.LotMatured) // ann's has matured as well
	w.refuse(at, staking.Infracted{Evidence: "e1", Bond: "a100", Kind: staking.Spoofing, At: at, Measure: 1}, staking.ErrNoStake)
}
