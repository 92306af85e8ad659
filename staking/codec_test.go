package staking_test

import (
	"encoding/hex"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
	"github.com/idlegrid/idlegrid/staking"
)

// sample is a pool that has every kind of object in every state.
func sample(t testing.TB) world {
	w := newWorld(t)
	w.open(io(600), io(400))
	w.do(begin(101), staking.BondOpened{Bond: "empty", Owner: "eve", MultiplierCenti: 25, GPUs: 4})
	w.do(begin(101), offer())
	w.do(begin(102), staking.OfferClosed{Offer: "o1"})
	w.do(begin(102), offer(func(o *staking.OfferPosted) { o.Offer, o.Expires = "o2", begin(103) }))
	w.do(begin(104), offer(func(o *staking.OfferPosted) { o.Offer, o.Amount = "o3", io(300) }))
	w.do(begin(104), staking.OfferAccepted{Offer: "o3", Holder: "ann", Amount: io(300)})
	w.do(begin(104), offer(func(o *staking.OfferPosted) { o.Offer, o.Amount = "o4", io(200) }))
	w.do(begin(106), staking.Rewarded{Bond: "a100", Epoch: 105, Amount: 87_866_191})
	return w
}

// The layout is a contract between versions: it changes only with the domain.
func TestSnapshotGolden(t *testing.T) {
	w := sample(t)
	golden.Check(t, "testdata/snapshot.golden", hex.Dump(w.Snapshot()))
}

// A restored pool is the same pool: same bytes, and the same future.
func TestRestore(t *testing.T) {
	w := sample(t)
	twin, err := staking.Restore(w.Params(), w.Snapshot())
	require.NoError(t, err)
	require.Equal(t, w.Snapshot(), twin.Snapshot())
	require.Equal(t, w.Books(), twin.Books())
	for id, b := range w.Bonds() {
		got, ok := twin.Bond(id)
		require.True(t, ok)
		require.Equal(t, b, got)
	}
	for id, o := range w.Offers() {
		got, ok := twin.Offer(id)
		require.True(t, ok)
		require.Equal(t, o, got)
	}
	second := world{twin, t}
	for _, w := range []world{w, second} {
		w.refuse(begin(106), offer(func(o *staking.OfferPosted) { o.Offer = "o5" }), staking.ErrOpenOffers)
		w.do(begin(106), staking.OfferAccepted{Offer: "o4", Holder: "ann", Amount: io(200)})
		w.do(begin(108), staking.Rewarded{Bond: "a100", Epoch: 107, Amount: 1_001})
	}
	require.Equal(t, w.Digest(), second.Digest())
}

func TestRestoreRefuses(t *testing.T) {
	w := sample(t)
	good := w.Snapshot()
	for name, c := range map[string]struct {
		bytes []byte
		want  error
	}{
		"nothing":       {nil, staking.ErrSnapshot},
		"another state": {[]byte("\x00\x00\x00\x01x"), staking.ErrSnapshot},
		"a byte less":   {good[:len(good)-1], staking.ErrSnapshot},
		"a byte more":   {append(append([]byte{}, good...), 0), staking.ErrSnapshot},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := staking.Restore(w.Params(), c.bytes)
			require.ErrorIs(t, err, c.want)
		})
	}
	other := w.Params()
	other.MaxClaims++
	_, err := staking.Restore(other, good)
	require.ErrorIs(t, err, staking.ErrParams)
	other.Version = ""
	_, err = staking.Restore(other, good)
	require.ErrorIs(t, err, staking.ErrParams)
}

// Every single byte that is changed is either noticed or gives a state that is consistent and writes those very bytes.
func TestRestoreEveryByte(t *testing.T) {
	w := sample(t)
	good := w.Snapshot()
	noticed := 0
	for i := range good {
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			bad := append([]byte{}, good...)
			bad[i] ^= flip
			p, err := staking.Restore(w.Params(), bad)
			if err != nil {
				noticed++
				continue
			}
			require.NoError(t, p.Audit())
			require.Equal(t, bad, p.Snapshot(), "byte %d", i)
		}
	}
	require.Greater(t, noticed, len(good)*2, "of %d changes", len(good)*3)
}

// Every prefix is refused, and none panics.
func TestRestoreEveryPrefix(t *testing.T) {
	w := sample(t)
	good := w.Snapshot()
	for n := range good {
		_, err := staking.Restore(w.Params(), good[:n])
		require.Error(t, err)
	}
}

// A seeded world has one digest, on any machine and with any number of threads.
func TestDeterminism(t *testing.T) {
	digest := func() string {
		var out strings.Builder
		for seed := range uint64(5) {
			g := newGenerator(seed)
			w := newWorld(t, g.params)
			for range 2_000 {
				at, e := g.next()
				_, _ = w.Apply(at, e)
			}
			require.NoError(t, w.Audit())
			fmt.Fprintf(&out, "%d %x\n", seed, w.Digest())
		}
		return out.String()
	}
	threads := runtime.GOMAXPROCS(1)
	one := digest()
	runtime.GOMAXPROCS(max(2, threads))
	many := digest()
	runtime.GOMAXPROCS(threads)
	require.Equal(t, one, many)
	golden.Check(t, "testdata/digest.txt", one)
}
