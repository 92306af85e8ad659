package onchain_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement/onchain"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// oracle is the definition of a root: all 2^depth leaves in full, halved by recursion.
func oracle(entries []onchain.Entry) onchain.Hash {
	var leaves [][]byte
	for i, e := range entries {
		h := sha256.New()
		h.Write([]byte{0})
		_ = binary.Write(h, binary.LittleEndian, uint32(i))
		h.Write(e.Account[:])
		_ = binary.Write(h, binary.LittleEndian, e.Total)
		leaves = append(leaves, h.Sum(nil))
	}
	for len(leaves)&(len(leaves)-1) != 0 {
		leaves = append(leaves, make([]byte, 32))
	}
	var root func(l [][]byte) []byte
	root = func(l [][]byte) []byte {
		if len(l) == 1 {
			return l[0]
		}
		sum := sha256.Sum256(slices.Concat([]byte{1}, root(l[:len(l)/2]), root(l[len(l)/2:])))
		return sum[:]
	}
	return onchain.Hash(root(leaves))
}

func TestTreeAgainstOracle(t *testing.T) {
	for n := 1; n <= 70; n++ {
		entries := entriesWith(n, 0, fake(1000), uint64(n))
		tree := treeOf(t, entries)
		require.Equal(t, oracle(entries), tree.Root(), n)
		require.Equal(t, uint64(n*n), tree.Sum())
		require.Equal(t, n, tree.Len())
		for i, e := range entries {
			require.Equal(t, e, tree.Entry(i))
			p, err := tree.Proof(i)
			require.NoError(t, err)
			require.Len(t, p, tree.Depth())
			require.True(t, onchain.Verify(tree.Root(), uint32(i), e, p), "%d of %d", i, n)
			require.False(t, onchain.Verify(tree.Root(), uint32(i)+1<<tree.Depth(), e, p), "an index of the same path")
			require.False(t, onchain.Verify(tree.Root(), uint32(i), onchain.Entry{Account: e.Account, Total: e.Total + 1}, p))
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add(uint8(10), uint8(3), uint32(3), uint64(5), []byte{})
	f.Add(uint8(10), uint8(3), uint32(3), uint64(5), []byte{0, 1})
	f.Fuzz(func(t *testing.T, n, index uint8, claimed uint32, total uint64, flips []byte) {
		entries := entriesWith(int(n)+1, 0, fake(1000), 5)
		tree := treeOf(t, entries)
		i := int(index) % tree.Len()
		p, err := tree.Proof(i)
		require.NoError(t, err)
		changed := claimed != uint32(i) || total != 5
		if len(flips) > 1 && len(p) > 0 {
			p[int(flips[0])%len(p)][flips[1]%32] ^= 1
			changed = true
		}
		got := onchain.Verify(tree.Root(), claimed, onchain.Entry{Account: tree.Entry(i).Account, Total: total}, p)
		require.Equal(t, !changed, got)
	})
}

func TestTreeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		entries []onchain.Entry
		want    string
	}{
		"none":  {nil, "onchain: tree: 0 entries, want 1 to 1310715"},
		"many":  {make([]onchain.Entry, onchain.MaxEntries+1), "onchain: tree: 1310716 entries, want 1 to 1310715"},
		"zero":  {[]onchain.Entry{{Account: fake(1)}, {}}, "onchain: tree: entry 1: Account is zero"},
		"twice": {[]onchain.Entry{{Account: fake(1)}, {Account: fake(1)}}, "onchain: tree: entry 1: Account " + hex.EncodeToString(slices.Concat(first(fake(1)))) + " stands at 0 already"},
		"sum":   {[]onchain.Entry{{Account: fake(1), Total: 1<<64 - 1}, {Account: fake(2), Total: 1}}, "onchain: tree: entry 1: the sum of Total exceeds 2^64-1"},
	} {
		_, err := onchain.NewTree(c.entries)
		require.EqualError(t, err, c.want, name)
	}
	tree := treeOf(t, []onchain.Entry{{Account: fake(1), Total: 1<<64 - 2}, {Account: fake(2), Total: 1}})
	require.Equal(t, uint64(1<<64-1), tree.Sum())
	for _, i := range []int{-1, 2} {
		_, err := tree.Proof(i)
		require.EqualError(t, err, fmt.Sprintf("onchain: proof: index %d, want 0 to 1", i))
	}
	require.False(t, onchain.Verify(tree.Root(), 0, tree.Entry(0), make(onchain.Proof, onchain.MaxDepth+1)))
}

func first(a onchain.Address) []byte { return a[:] }

func TestFollows(t *testing.T) {
	entry := func(i int, total uint64) onchain.Entry { return onchain.Entry{Account: fake(i), Total: total} }
	old := treeOf(t, []onchain.Entry{entry(1, 5), entry(2, 5)})
	require.NoError(t, treeOf(t, []onchain.Entry{entry(1, 5), entry(2, 6), entry(3, 0)}).Follows(old))
	require.ErrorContains(t, treeOf(t, []onchain.Entry{entry(1, 9)}).Follows(old), "1 entries, the earlier one has 2")
	require.ErrorContains(t, treeOf(t, []onchain.Entry{entry(2, 5), entry(1, 5)}).Follows(old), "entry 0: Account is")
	require.ErrorContains(t, treeOf(t, []onchain.Entry{entry(1, 5), entry(2, 4)}).Follows(old), "entry 1: Total is 4, was 5")
}

// Whoever has a key has a point of the curve; the addresses that the chain accepts as nobody's are checked by Initialize.
func TestVaultAuthorityIsNobodys(t *testing.T) {
	seen := map[uint8]bool{}
	for i := range 64 {
		_, bump := onchain.VaultAuthority(address(svmtest.Key("program")), fake(i))
		seen[bump] = true
	}
	require.Greater(t, len(seen), 2, "one address in two is a point")
}

func TestInstructionsRefuse(t *testing.T) {
	d := onchain.Distributor{}
	good := onchain.Settings{Authority: fake(1), Guardian: fake(2), Delay: 1, Cap: 1}
	for want, change := range map[string]func(*onchain.Settings){
		"onchain: initialize: Guardian is the Authority":                     func(s *onchain.Settings) { s.Guardian = s.Authority },
		"onchain: initialize: Delay is 0 slots, want 1 to 100000000":         func(s *onchain.Settings) { s.Delay = 0 },
		"onchain: initialize: Delay is 100000001 slots, want 1 to 100000000": func(s *onchain.Settings) { s.Delay = onchain.MaxDelay + 1 },
		"onchain: initialize: Cap is 0, want at least 1":                     func(s *onchain.Settings) { s.Cap = 0 },
	} {
		s := good
		change(&s)
		_, err := d.Initialize(s)
		require.EqualError(t, err, want)
	}
	_, err := d.SetRoot(fake(1), onchain.Root{Hash: onchain.Hash{1}})
	require.EqualError(t, err, "onchain: set root: Epoch is 0, want 1 or more")
	_, err = d.SetRoot(fake(1), onchain.Root{Epoch: 1})
	require.EqualError(t, err, "onchain: set root: Hash is zero")
	_, err = d.Claim(0, onchain.Entry{}, make(onchain.Proof, 33))
	require.EqualError(t, err, "onchain: claim: a proof of 33 hashes, want at most 32")
	for _, n := range []int{0, onchain.MaxEntries + 1} {
		_, err = onchain.LedgerSize(n)
		require.EqualError(t, err, fmt.Sprintf("onchain: ledger: %d leaves, want 1 to 1310715", n))
	}
	size, err := onchain.LedgerSize(onchain.MaxEntries)
	require.NoError(t, err)
	require.Equal(t, 10<<20, size)
}

func TestDecodersRefuse(t *testing.T) {
	state := make([]byte, onchain.StateSize)
	_, err := onchain.DecodeState(state)
	require.ErrorContains(t, err, "it is not initialized")
	copy(state, "idgstate")
	_, err = onchain.DecodeState(state)
	require.NoError(t, err)
	_, err = onchain.DecodeState(state[1:])
	require.EqualError(t, err, "onchain: state: 279 bytes, want 280")
	state[264] = 2
	_, err = onchain.DecodeState(state)
	require.ErrorContains(t, err, "paused is 2, want 0 or 1")
	ledger := make([]byte, 48)
	_, err = onchain.DecodeLedger(ledger)
	require.ErrorContains(t, err, "it is not initialized")
	copy(ledger, "idgledgr")
	_, err = onchain.DecodeLedger(ledger)
	require.NoError(t, err)
	for _, n := range []int{0, 40, 47} {
		_, err = onchain.DecodeLedger(ledger[:n])
		require.ErrorContains(t, err, fmt.Sprintf("onchain: ledger: %d bytes", n))
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(append([]byte("idgstate"), make([]byte, onchain.StateSize-8)...))
	f.Add(append([]byte("idgledgr"), make([]byte, 40)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := onchain.DecodeState(b); err == nil {
			require.Len(t, b, onchain.StateSize)
			require.Equal(t, s.NextSlot == 0, s.NextSlot == 0 && s.Next == (onchain.Root{}))
		}
		if l, err := onchain.DecodeLedger(b); err == nil {
			require.Equal(t, len(b), 40+8*len(l.Paid))
		}
	})
}

func TestCodes(t *testing.T) {
	seen := map[string]bool{}
	for c := onchain.Code(0); c <= onchain.SumExceeded; c++ {
		require.NotContains(t, c.String(), "code")
		seen[c.String()] = true
	}
	require.Len(t, seen, int(onchain.SumExceeded)+1)
	require.Equal(t, "code 21", (onchain.SumExceeded + 1).String())
	require.Equal(t, "sum exceeded", onchain.SumExceeded.String())
	require.Equal(t, "paused", onchain.Paused.String())
}

func BenchmarkNewTree(b *testing.B) {
	entries := entriesWith(10_000, 0, fake(1_000_000), 5)
	b.Run("entries=10k", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := onchain.NewTree(entries); err != nil {
				b.Fatal(err)
			}
		}
	})
}
