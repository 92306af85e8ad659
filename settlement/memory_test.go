package settlement_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
)

var (
	_ settlement.Chain     = (*settlement.Memory)(nil)
	_ settlement.Finder    = (*settlement.MemoryEndpoint)(nil)
	_ settlement.Reclaimer = (*settlement.MemoryEndpoint)(nil)
	_ settlement.Historian = (*settlement.MemoryEndpoint)(nil)
)

// chainOf returns a chain on which the vault holds units of IO and ann, bob and the pool have accounts.
func chainOf(units uint64) *settlement.Memory {
	m := settlement.NewMemory()
	m.Open(io, "vault", units)
	m.Open(usdc, "vault", 0)
	m.Open(io, "pool", 0)
	m.Open(usdc, "pool", units)
	m.Open(io, "ann", 0)
	m.Open(io, "bob", 0)
	return m
}

// marker is the n-th of epoch 1.
func marker(n uint32) settlement.MarkerID {
	return settlement.MarkerID{Batch: settlement.BatchID{Epoch: 1, Index: n}}
}

func line(to settlement.Account, units uint64) settlement.Line {
	return settlement.Line{Kind: settlement.Pay, Asset: io, From: "vault", To: to, Units: units}
}

// sign prepares an attempt that makes the marker.
func sign(t *testing.T, c settlement.Chain, k settlement.MarkerID, lines ...settlement.Line) settlement.Attempt {
	t.Helper()
	made, err := c.Prepare(t.Context(), []settlement.Batch{{ID: k.Batch, Marker: k.N, Lines: lines}})
	require.NoError(t, err)
	require.NoError(t, made[0].Err)
	return settlement.Attempt{Marker: k, Tx: made[0].Tx}
}

func send(t *testing.T, c settlement.Chain, a settlement.Attempt) {
	t.Helper()
	require.NoError(t, c.Send(t.Context(), []settlement.Tx{a.Tx}))
}

// sight looks for one attempt.
func sight(t *testing.T, c settlement.Chain, a settlement.Attempt) settlement.Sight {
	t.Helper()
	s, err := c.Look(t.Context(), []settlement.Attempt{a})
	require.NoError(t, err)
	return s.Results[0].Sight
}

func found(t *testing.T, c settlement.Finder, k settlement.MarkerID) settlement.Finding {
	t.Helper()
	f, err := c.Find(t.Context(), []settlement.Batch{{ID: k.Batch, Marker: k.N}})
	require.NoError(t, err)
	return f.Results[0]
}

func TestMemoryRefuses(t *testing.T) {
	m := chainOf(10)
	require.Panics(t, func() { m.Open(io, "vault", ^uint64(0)) })
	require.Panics(t, func() { m.Remove(io, "vault") }, "it holds something")
	require.Panics(t, func() { m.Pool("pool", io, usdc, 1, 0) })
	require.Error(t, m.Send(t.Context(), []settlement.Tx{tx("nonsense")}))
	made, err := m.Prepare(t.Context(), []settlement.Batch{
		{Lines: []settlement.Line{line("ann", 11)}},
		{Lines: []settlement.Line{line("ann", 1), line("cat", 2), line("dee", 3)}},
		{Lines: []settlement.Line{line("ann", 6), line("bob", 5)}},
	})
	require.NoError(t, err)
	require.ErrorContains(t, made[0].Err, `account "vault" holds 10 units, 11 more are to go`)
	var lines *settlement.LineError
	require.ErrorAs(t, made[1].Err, &lines)
	require.Equal(t, []int{1, 2}, []int{lines.Faults[0].Line, lines.Faults[1].Line}, "every recipient without an account")
	require.ErrorContains(t, made[2].Err, `line 1: account "vault" holds 4 units, 5 more are to go`)
}

// TestMemoryExpires: an attempt lands 150 blocks after the one that it was prepared on, and not 151.
func TestMemoryExpires(t *testing.T) {
	for _, row := range []struct {
		blocks int
		lands  bool
	}{{149, true}, {150, true}, {151, false}, {152, false}} {
		m := chainOf(10)
		a := sign(t, m, marker(0), line("ann", 4))
		m.Advance(row.blocks)
		err := m.Send(t.Context(), []settlement.Tx{a.Tx})
		require.Equal(t, row.lands, err == nil, "%d blocks later: %v", row.blocks, err)
		require.NotEqual(t, settlement.Dead, sight(t, m, a), "not before that block is final")
		m.Advance(182 - row.blocks)
		if row.lands {
			require.Contains(t, []settlement.Sight{settlement.Pending, settlement.Succeeded}, sight(t, m, a))
			continue
		}
		require.Equal(t, settlement.Missing, sight(t, m, a), "block 151 is final, in which it could land")
		m.Advance(1)
		require.Equal(t, settlement.Dead, sight(t, m, a))
	}
}

// TestMemoryOnce: the marker lets one attempt pass, whichever comes first, and the same bytes count once.
func TestMemoryOnce(t *testing.T) {
	m := chainOf(10)
	a := sign(t, m, marker(0), line("ann", 4))
	m.Advance(1)
	b := sign(t, m, marker(0), line("ann", 4))
	require.NotEqual(t, a.Tx.ID, b.Tx.ID)
	for range 2 {
		send(t, m, b)
		send(t, m, a)
	}
	require.Equal(t, settlement.Pending, sight(t, m, a))
	m.Advance(32)
	require.Equal(t, settlement.Succeeded, sight(t, m, b))
	require.Equal(t, settlement.Reverted, sight(t, m, a))
	units, _ := m.Balance(io, "ann")
	require.EqualValues(t, 4, units)
	require.EqualValues(t, 10_000, m.Fees())
	require.EqualValues(t, 650_240, m.Rent())
	f := found(t, m, marker(0))
	require.Equal(t, b.Tx.ID, f.Tx)
	require.Equal(t, settlement.Ours, f.Origin)
	require.Len(t, f.Lines, 1)
}

// TestMemoryForks: what is in a dropped block is as if it had never been, and may land again; what is final stays.
func TestMemoryForks(t *testing.T) {
	m := chainOf(10)
	early := sign(t, m, marker(0), line("ann", 1))
	send(t, m, early)
	m.Advance(33)
	before, err := m.Look(t.Context(), nil)
	require.NoError(t, err)
	a := sign(t, m, marker(1), line("ann", 4))
	m.Advance(1)
	late := sign(t, m, marker(2), line("bob", 2)) // on a block that goes
	send(t, m, a)
	send(t, m, late)
	require.Equal(t, settlement.Pending, sight(t, m, a))
	require.Equal(t, 1, m.Fork(1))
	require.Equal(t, settlement.Missing, sight(t, m, a))
	units, _ := m.Balance(io, "ann")
	require.EqualValues(t, 1, units)
	require.EqualValues(t, 650_240, m.Rent())
	m.Advance(1)
	require.ErrorContains(t, m.Send(t.Context(), []settlement.Tx{late.Tx}), "on a block that is gone")
	send(t, m, a)
	m.Advance(32)
	require.Equal(t, settlement.Succeeded, sight(t, m, a))

	require.Equal(t, 32, m.Fork(1000), "no final block goes")
	require.Equal(t, settlement.Succeeded, sight(t, m, a))
	require.Equal(t, settlement.Succeeded, sight(t, m, early))
	after, err := m.Look(t.Context(), nil)
	require.NoError(t, err)
	require.Greater(t, after.Height, before.Height)
	require.Greater(t, after.Slot-after.Height, before.Slot-before.Height, "slots of dropped blocks are skipped")
}

// TestMemoryEndpoints: what the lies and the lag of an endpoint look like.
func TestMemoryEndpoints(t *testing.T) {
	m := chainOf(10)
	a := sign(t, m, marker(0), line("ann", 4))
	never := sign(t, m, marker(1), line("ann", 1))
	send(t, m, a)
	m.Advance(40)
	lags := m.Endpoint("lags")
	lags.Lag = 41
	require.Equal(t, settlement.Missing, sight(t, lags, a))
	require.Equal(t, settlement.Never, found(t, lags, marker(0)).Origin)
	lags.Lag = 20
	require.Equal(t, settlement.Pending, sight(t, lags, a))
	lags.Lag = 0
	require.Equal(t, settlement.Succeeded, sight(t, lags, a))

	forgets := m.Endpoint("forgets")
	forgets.Forget = true
	require.Equal(t, settlement.Missing, sight(t, forgets, a))
	require.Equal(t, settlement.Unclear, found(t, forgets, marker(0)).Origin)
	require.Error(t, forgets.History(t.Context(), func(settlement.Trace) error { return nil }))
	m.Advance(136)
	lies := m.Endpoint("lies")
	lies.SlotAsHeight = true
	require.Equal(t, settlement.Missing, sight(t, m, never))
	require.Equal(t, settlement.Dead, sight(t, lies, never), "the slot is past the last block, the height is not")
	m.Advance(10)
	require.Equal(t, settlement.Dead, sight(t, m, never))
	require.Equal(t, settlement.Marked, sight(t, forgets, a))

	m.Down = errNet
	_, err := m.Prepare(t.Context(), nil)
	require.ErrorIs(t, err, errNet)
	require.ErrorIs(t, m.Send(t.Context(), nil), errNet)
	_, err = m.Look(t.Context(), nil)
	require.ErrorIs(t, err, errNet)
	_, err = m.Find(t.Context(), nil)
	require.ErrorIs(t, err, errNet)
	_, err = m.Reclaim(t.Context(), nil)
	require.ErrorIs(t, err, errNet)
	require.ErrorIs(t, m.History(t.Context(), nil), errNet)
}

func TestMemorySwaps(t *testing.T) {
	m := chainOf(1000)
	m.Pool("pool", io, usdc, 2, 7)
	swap := settlement.Line{Kind: settlement.Swap, Asset: io, From: "vault", To: "vault", Units: 100, Into: usdc, Least: 28}
	send(t, m, sign(t, m, marker(0), swap))
	units, _ := m.Balance(usdc, "vault")
	require.EqualValues(t, 28, units, "100 x 2 / 7, rounded down")
	swap.Least = 29
	made, err := m.Prepare(t.Context(), []settlement.Batch{{Lines: []settlement.Line{swap}}})
	require.NoError(t, err)
	require.ErrorContains(t, made[0].Err, "the pool gives 28 of the 972 units it holds, at least 29 are wanted")
	swap.Least, swap.To = 1, ""
	send(t, m, sign(t, m, marker(1), swap))
	require.EqualValues(t, 972, m.Supply(usdc), "28 were burned")
	dear := sign(t, m, marker(2), swap)
	m.Pool("pool", io, usdc, 1, 1_000)
	send(t, m, dear)
	m.Advance(40)
	require.Equal(t, settlement.Reverted, sight(t, m, dear), "the price has moved")
	m.Pool("pool", io, usdc, ^uint64(0), 1)
	made, err = m.Prepare(t.Context(), []settlement.Batch{{Lines: []settlement.Line{swap}}})
	require.NoError(t, err)
	require.ErrorContains(t, made[0].Err, "more than 64 bits")
	swap.Asset, swap.Into = usdc, io
	made, err = m.Prepare(t.Context(), []settlement.Batch{{Lines: []settlement.Line{{Kind: settlement.Swap, Asset: usdc, From: "pool", To: "vault", Units: 1, Into: io, Least: 1}}}})
	require.NoError(t, err)
	require.ErrorContains(t, made[0].Err, `no pool gives "IO" for "USDC"`)
}

func TestMemoryMarkers(t *testing.T) {
	m := chainOf(10)
	m.Poison(marker(0))
	require.Equal(t, settlement.Never, found(t, m, marker(0)).Origin, "not final")
	m.Advance(40)
	require.Equal(t, settlement.Theirs, found(t, m, marker(0)).Origin)
	refused := sign(t, m, marker(0), line("ann", 1))
	send(t, m, refused)
	send(t, m, sign(t, m, marker(1), line("ann", 1)))
	m.Advance(40)
	require.Equal(t, settlement.Reverted, sight(t, m, refused))
	require.EqualValues(t, 650_240, m.Rent(), "the stranger's is not ours")
	for i, want := range [][]bool{{false, false, true}, {false, true, true}} {
		r, err := m.Reclaim(t.Context(), []settlement.MarkerID{marker(0), marker(1), marker(2)})
		require.NoError(t, err)
		require.Equal(t, want, r.Gone, "round %d", i)
		require.Zero(t, m.Rent())
		m.Advance(40)
	}
	require.Equal(t, settlement.Ours, found(t, m, marker(1)).Origin, "history tells, although it is gone")
	require.EqualValues(t, 3*5000, m.Fees())
}

// TestMemoryConserves plays at random, and counts afterwards: nothing has come or gone but by burning, and the history adds
// up to every balance, to the fees and to the rent.
func TestMemoryConserves(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 0))
		m := chainOf(1000)
		m.Pool("pool", io, usdc, 3, 2)
		owners := []settlement.Account{"vault", "ann", "bob", "pool"}
		var made []settlement.Attempt
		forks, burned := 0, uint64(0)
		for range 200 {
			switch r.IntN(9) {
			case 0:
				m.Advance(r.IntN(40))
			case 1:
				forks += m.Fork(r.IntN(10))
			case 2:
				m.Poison(marker(r.Uint32N(40)))
			case 3:
				_, err := m.Reclaim(t.Context(), []settlement.MarkerID{marker(r.Uint32N(40)), marker(r.Uint32N(40))})
				require.NoError(t, err)
			case 4:
				if len(made) > 0 {
					_ = m.Send(t.Context(), []settlement.Tx{made[r.IntN(len(made))].Tx}) // it may be too late
				}
			default:
				l := []settlement.Line{line("ann", r.Uint64N(9)), line("bob", r.Uint64N(9))}
				if r.IntN(3) == 0 {
					l = []settlement.Line{{Kind: settlement.Burn, Asset: io, From: "vault", Units: 1 + r.Uint64N(3)}}
				}
				if r.IntN(3) == 0 {
					l = []settlement.Line{{Kind: settlement.Swap, Asset: io, From: "vault", To: "vault", Units: r.Uint64N(20), Into: usdc}}
				}
				k := marker(r.Uint32N(40))
				p, err := m.Prepare(t.Context(), []settlement.Batch{{ID: k.Batch, Lines: l}})
				require.NoError(t, err)
				if p[0].Err == nil {
					made = append(made, settlement.Attempt{Marker: k, Tx: p[0].Tx})
				}
			}
		}
		require.Positive(t, forks)
		m.Advance(40)
		flow := map[settlement.Account]uint64{}
		var fees, rent uint64
		markers := map[settlement.Account]bool{}
		require.NoError(t, m.History(t.Context(), func(x settlement.Trace) error {
			fees += x.Fee
			rent += x.Rent - x.Returned
			for _, k := range x.Reclaimed {
				require.True(t, markers[k])
				delete(markers, k)
			}
			if x.Failed {
				require.Empty(t, x.Changes)
				return nil
			}
			if x.Marker != "" {
				require.False(t, markers[x.Marker], "a marker is made once")
				markers[x.Marker] = true
			}
			for _, l := range x.Lines {
				if l.Kind == settlement.Burn {
					burned += l.Units
				}
			}
			for _, c := range x.Changes {
				if c.Asset == io {
					flow[c.Owner] += c.After - c.Before
				}
			}
			return nil
		}))
		require.Equal(t, m.Fees(), fees)
		require.Equal(t, m.Rent(), rent)
		require.Equal(t, 1000-burned, m.Supply(io))
		var sum, dollars uint64
		for _, o := range owners {
			units, _ := m.Balance(io, o)
			sum += units
			if o == "vault" {
				units -= 1000
			}
			require.Equal(t, flow[o], units, "%s, seed %d", o, seed)
			usd, _ := m.Balance(usdc, o)
			dollars += usd
		}
		require.Equal(t, m.Supply(io), sum)
		require.Equal(t, uint64(1000), dollars)
	}
}

// TestMemoryOpensAfterFailure: what failed stays failed, although the same would succeed on the account that was opened
// meanwhile.
func TestMemoryOpensAfterFailure(t *testing.T) {
	m := chainOf(10)
	a := sign(t, m, marker(0), line("ann", 4))
	m.Remove(io, "ann")
	send(t, m, a)
	m.Open(io, "ann", 0)
	m.Advance(1)
	m.Fork(1)
	m.Advance(40)
	s, err := m.Look(t.Context(), []settlement.Attempt{a})
	require.NoError(t, err)
	require.Equal(t, settlement.Reverted, s.Results[0].Sight)
	require.Equal(t, []settlement.Fault{{Line: 0, Reason: `account "ann" holds no token account for mint "IO"`}}, s.Results[0].Failure.Faults)
	units, _ := m.Balance(io, "ann")
	require.Zero(t, units)
}
