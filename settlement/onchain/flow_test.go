package onchain_test

import (
	"crypto/ed25519"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement/onchain"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// What the reference demands of 10,000 recipients, depth 14.
func TestCost(t *testing.T) {
	const n, index = 10_000, 4242
	w := newWorld(t)
	ann := w.account(svmtest.Address(svmtest.Key("ann")))
	d := w.distributor("d", limit)
	w.initialize("d", d, n)
	tree := treeOf(t, entriesWith(n, index, ann, 777))
	require.Equal(t, 14, tree.Depth())

	root := w.setRoot(d, 1, tree)
	paid := w.must([]ed25519.PrivateKey{w.boss}, claim(t, d, tree, index))
	require.EqualValues(t, 777, w.units(ann))
	require.EqualValues(t, 5000, root.Fee)
	require.LessOrEqual(t, float64(root.Fee)/n, 0.5)
	require.LessOrEqual(t, paid.Units, uint64(4500))
	require.LessOrEqual(t, len(onchain.Program()), 8000)
	require.LessOrEqual(t, paid.Bytes, 1232, "fits the old formats")
	rent := w.rent(len(w.data(d.Ledger)))
	require.EqualValues(t, (128+40+8*n)*5080, rent)
	again := w.send([]ed25519.PrivateKey{w.boss}, claim(t, d, tree, index))
	require.Contains(t, again.Err, "Custom")
	t.Logf("program %d bytes; set root %d CU, %d bytes; claim that activates %d CU, %d bytes; refused repeat %d CU; ledger's rent %d lamports, %.1f a recipient",
		len(onchain.Program()), root.Units, root.Bytes, paid.Units, paid.Bytes, again.Units, rent, float64(rent)/n)
	tree = treeOf(t, entriesWith(n, index, ann, 778))
	w.setRoot(d, 2, tree)
	other := w.must([]ed25519.PrivateKey{w.boss}, claim(t, d, tree, index))
	t.Logf("claim again %d CU", other.Units)
}

func TestClaimAfterManyEpochsPaysAll(t *testing.T) {
	w := newWorld(t)
	ann := w.account(svmtest.Address(svmtest.Key("ann")))
	d := w.distributor("d", 1_000_000)
	w.initialize("d", d, 50)
	var tree *onchain.Tree
	for epoch := uint64(1); epoch <= 25; epoch++ {
		next := treeOf(t, entriesWith(20+int(epoch), 7, ann, 100*epoch)) // recipients come in, past a power of two
		if tree != nil {
			require.NoError(t, next.Follows(tree))
		}
		tree = next
		w.setRoot(d, epoch, tree)
		if epoch == 1 {
			w.must([]ed25519.PrivateKey{w.boss}, claim(t, d, tree, 7))
		}
	}
	require.EqualValues(t, 100, w.units(ann))
	require.EqualValues(t, 2400, w.ledger(d).Due(7, tree.Entry(7)))
	w.must([]ed25519.PrivateKey{w.boss}, claim(t, d, tree, 7))
	require.EqualValues(t, 2500, w.units(ann))
	require.EqualValues(t, 1_000_000-2500, w.units(d.Vault))
	s := w.state(d)
	require.EqualValues(t, 2500, s.Paid)
	require.EqualValues(t, 25, s.Active.Epoch)
	require.EqualValues(t, 2500, w.ledger(d).Paid[7])
	require.Zero(t, w.ledger(d).Due(7, tree.Entry(7)))
}

// An old tree's root that is set again by mistake pays what it says less what was paid: never more.
func TestStaleRootPaysLess(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.account(svmtest.Address(svmtest.Key("ann"))), w.account(svmtest.Address(svmtest.Key("bob")))
	d := w.distributor("d", 1_000_000)
	w.initialize("d", d, 2)
	old := treeOf(t, []onchain.Entry{{Account: ann, Total: 300}, {Account: bob, Total: 100}})
	now := treeOf(t, []onchain.Entry{{Account: ann, Total: 500}, {Account: bob, Total: 400}})
	w.setRoot(d, 1, old)
	w.setRoot(d, 2, now)
	w.must([]ed25519.PrivateKey{w.boss}, claim(t, d, now, 0))
	w.setRootOf(d, onchain.Root{Epoch: 3, Sum: now.Sum(), Hash: old.Root()})
	r := w.send([]ed25519.PrivateKey{w.boss}, claim(t, d, old, 0))
	require.Contains(t, r.Err, custom(onchain.NothingDue))
	w.must([]ed25519.PrivateKey{w.boss}, claim(t, d, old, 1))
	require.EqualValues(t, 500, w.units(ann))
	require.EqualValues(t, 100, w.units(bob))
	w.setRoot(d, 4, now)
	w.must([]ed25519.PrivateKey{w.boss}, claim(t, d, now, 1))
	require.EqualValues(t, 400, w.units(bob))
}

// A wrong root is replaced while it waits; the delay begins anew, and the root that counts goes on to count.
func TestWaitingRootIsReplaced(t *testing.T) {
	w := newWorld(t)
	ann := w.account(svmtest.Address(svmtest.Key("ann")))
	d := w.distributor("d", 1_000_000)
	w.initialize("d", d, 4)
	first := treeOf(t, entriesWith(3, 1, ann, 10))
	wrong := treeOf(t, entriesWith(3, 1, ann, 999))
	right := treeOf(t, entriesWith(3, 1, ann, 20))
	w.setRoot(d, 1, first)
	in, err := d.SetRoot(address(w.authority), onchain.Root{Epoch: 2, Sum: wrong.Sum(), Hash: wrong.Root()})
	require.NoError(t, err)
	w.must([]ed25519.PrivateKey{w.authority}, in)
	require.EqualValues(t, 1, w.state(d).Active.Epoch, "the first one counted by then")
	require.NoError(t, w.Advance(t.Context(), delay-3))
	w.must([]ed25519.PrivateKey{w.boss}, claim(t, d, first, 1))
	in, err = d.SetRoot(address(w.authority), onchain.Root{Epoch: 2, Sum: right.Sum(), Hash: right.Root()})
	require.NoError(t, err)
	w.must([]ed25519.PrivateKey{w.authority}, in)
	require.Equal(t, right.Root(), w.state(d).Next.Hash)
	require.NoError(t, w.Advance(t.Context(), 5))
	r := w.send([]ed25519.PrivateKey{w.boss}, claim(t, d, wrong, 1))
	require.Contains(t, r.Err, custom(onchain.BadProof))
	require.NoError(t, w.Advance(t.Context(), delay))
	w.must([]ed25519.PrivateKey{w.boss}, claim(t, d, right, 1))
	require.EqualValues(t, 20, w.units(ann))
}

// A root counts from the slot of its setting and the delay on, and not in the slot before.
func TestDelayIsExact(t *testing.T) {
	w := newWorld(t)
	ann := w.account(svmtest.Address(svmtest.Key("ann")))
	d := w.distributor("d", 1_000_000)
	w.initialize("d", d, 4)
	tree := treeOf(t, entriesWith(3, 1, ann, 10))
	in, err := d.SetRoot(address(w.authority), onchain.Root{Epoch: 1, Sum: tree.Sum(), Hash: tree.Root()})
	require.NoError(t, err)
	set := w.must([]ed25519.PrivateKey{w.authority}, in)
	require.Equal(t, set.Slot+delay, w.state(d).NextSlot)
	require.NoError(t, w.Advance(t.Context(), delay-2))
	early := w.send([]ed25519.PrivateKey{w.boss}, claim(t, d, tree, 1))
	require.Equal(t, set.Slot+delay-1, early.Slot)
	require.Contains(t, early.Err, custom(onchain.NotActive))
	due := w.must([]ed25519.PrivateKey{w.guardian}, claim(t, d, tree, 1))
	require.Equal(t, set.Slot+delay, due.Slot)
}

// Authority or guardian stop everything; both together let it go on. What waits does not begin to count meanwhile.
func TestPause(t *testing.T) {
	w := newWorld(t)
	ann := w.account(svmtest.Address(svmtest.Key("ann")))
	d := w.distributor("d", 1_000_000)
	w.initialize("d", d, 4)
	tree := treeOf(t, entriesWith(3, 1, ann, 10))
	for i, key := range []ed25519.PrivateKey{w.authority, w.guardian} {
		w.must([]ed25519.PrivateKey{key}, d.Pause(address(key)))
		require.True(t, w.state(d).Paused)
		if i == 0 {
			w.setRoot(d, 1, tree)
			w.setRoot(d, 1, tree) // replaces: the first is not active
		}
		r := w.send([]ed25519.PrivateKey{w.boss}, claim(t, d, tree, 1))
		require.Contains(t, r.Err, custom(onchain.Paused))
		require.Zero(t, w.state(d).Active.Epoch)
		w.must([]ed25519.PrivateKey{w.authority, w.guardian}, d.Resume(address(w.authority), address(w.guardian)))
		require.False(t, w.state(d).Paused)
	}
	w.must([]ed25519.PrivateKey{w.boss}, claim(t, d, tree, 1))
	require.EqualValues(t, 10, w.units(ann))
}

// Claims of a tree whose leaves come to more than the root's sum stop at the sum.
func TestSumBoundsClaims(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.account(svmtest.Address(svmtest.Key("ann"))), w.account(svmtest.Address(svmtest.Key("bob")))
	d := w.distributor("d", 1_000_000)
	w.initialize("d", d, 2)
	tree := treeOf(t, []onchain.Entry{{Account: ann, Total: 600}, {Account: bob, Total: 401}})
	w.setRootOf(d, onchain.Root{Epoch: 1, Sum: 1000, Hash: tree.Root()})
	w.must([]ed25519.PrivateKey{w.boss}, claim(t, d, tree, 0))
	r := w.send([]ed25519.PrivateKey{w.boss}, claim(t, d, tree, 1))
	require.Contains(t, r.Err, custom(onchain.SumExceeded))
	require.Zero(t, w.units(bob))
	w.setRootOf(d, onchain.Root{Epoch: 2, Sum: 1001, Hash: tree.Root()})
	w.must([]ed25519.PrivateKey{w.boss}, claim(t, d, tree, 1))
	require.EqualValues(t, 401, w.units(bob))
	require.EqualValues(t, 1001, w.state(d).Paid)
}
