package staking_test

import (
	"encoding/hex"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
	"github.com/idlegrid/idlegrid/staking"
)

// The layout is a contract between versions: it changes only with the domain.
func TestSnapshotGolden(t *testing.T) {
	golden.Check(t, "testdata/snapshot.golden", hex.Dump(staking.Sample(t).Snapshot()))
}

// A restored pool is the same pool: same bytes, same answers, and the same future.
func TestRestore(t *testing.T) {
	first := world{staking.Sample(t), t}
	second := first.twin()
	require.Equal(t, first.Snapshot(), second.Snapshot())
	require.Equal(t, first.Books(), second.Books())
	require.Equal(t, first.Now(), second.Now())
	for id, b := range first.Bonds() {
		got, ok := second.Bond(id)
		require.True(t, ok)
		require.Equal(t, b, got)
	}
	for id, o := range first.Offers() {
		got, ok := second.Offer(id)
		require.True(t, ok)
		require.Equal(t, o, got)
	}
	for id, c := range first.Cases() {
		got, ok := second.Case(id)
		require.True(t, ok)
		require.Equal(t, c, got)
	}
	for _, id := range []staking.HolderID{"sam", "eve", "ann", "amy", "abe", "bob", "cyd", "dan", "gus", "ron"} {
		require.Equal(t, holderOf(first, id), holderOf(second, id))
		require.Equal(t, first.Claimable("a100", id), second.Claimable("a100", id))
		require.Equal(t, first.Linked("abe", id), second.Linked("abe", id))
	}
	for _, w := range []world{first, second} {
		w.do(begin(437), accept("open", "eve", io(90)))
		w.do(begin(438), staking.Withdrawn{Bond: "left", Holder: "eve"})
		w.do(begin(439), staking.Rewarded{Bond: "a100", Epoch: 438, Amount: 1_001})
		w.do(begin(439), staking.AppealDecided{Evidence: "appealed", Won: true})
		w.do(begin(439), staking.WalletsLinked{A: "cyd", B: "sam"})
	}
	require.Equal(t, first.Digest(), second.Digest())
}

// A pool without anything, and one at the ends of the range of instants, come back as well.
func TestRestoreEdges(t *testing.T) {
	empty := newWorld(t)
	require.Equal(t, empty.Digest(), empty.twin().Digest())
	require.True(t, empty.twin().Now().IsZero())
	for _, year := range []int{1900, 2199} {
		w := newWorld(t, func(p *staking.Params) { p.CoWait, p.CoCooldown = days(3_660), days(3_660) })
		at := begin(1).AddDate(year-2024, 0, 0)
		w.do(at, staking.BondOpened{Bond: "a100", Owner: "sam", MultiplierCenti: 500, GPUs: 1})
		w.deposit(at, io(2_000))
		w.do(at, post(func(o *staking.OfferPosted) { o.Expires = at.Add(1) }))
		w.do(at, accept("o1", "ann", io(500)))
		w.do(at, leave("ann", "o1"))
		w.do(at, infracted("e", staking.Spoofing, at, 1))
		w.requalify(at, 400, true)
		twin := w.twin()
		require.Equal(t, w.Digest(), twin.Digest())
		for due, ok := w.Next(); ok && due.Year() < 2200; due, ok = w.Next() {
			require.Equal(t, w.pass(due), twin.pass(due))
		}
	}
}

func TestRestoreRefuses(t *testing.T) {
	good := staking.Sample(t).Snapshot()
	for name, b := range map[string][]byte{
		"nothing":       nil,
		"another state": []byte("\x00\x00\x00\x01x"),
		"a byte less":   good[:len(good)-1],
		"a byte more":   append(slices.Clone(good), 0),
		"twice":         append(slices.Clone(good), good...),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := staking.Restore(staking.SampleParams(), b)
			require.ErrorIs(t, err, staking.ErrSnapshot)
		})
	}
	other := staking.SampleParams()
	other.MaxClaims++
	_, err := staking.Restore(other, good)
	require.ErrorIs(t, err, staking.ErrParams)
	other.Version = "another"
	_, err = staking.Restore(other, good)
	require.EqualError(t, err, `staking: parameters: the snapshot was made with "ionet-2025-07", not with this "another"`)
	other.Version = ""
	_, err = staking.Restore(other, good)
	require.ErrorIs(t, err, staking.ErrParams)
}

// Every single byte that is changed is either noticed or gives a state that is consistent and writes those very bytes.
func TestRestoreEveryByte(t *testing.T) {
	good := staking.Sample(t).Snapshot()
	noticed, accepted := 0, 0
	for i := range good {
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			bad := slices.Clone(good)
			bad[i] ^= flip
			p, err := staking.Restore(staking.SampleParams(), bad)
			if err != nil {
				noticed++
				continue
			}
			accepted++
			require.NoError(t, p.Audit())
			require.Equal(t, bad, p.Snapshot(), "byte %d", i)
		}
	}
	t.Logf("of %d changes %d are noticed", noticed+accepted, noticed)
	require.Greater(t, noticed, accepted*2)
}

// Every prefix is refused, and none panics.
func TestRestoreEveryPrefix(t *testing.T) {
	good := staking.Sample(t).Snapshot()
	for n := range good {
		_, err := staking.Restore(staking.SampleParams(), good[:n])
		require.Error(t, err)
	}
}
