package onchain_test

import (
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/onchain"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// attack is an instruction that has to be refused. It begins as an honest one that would succeed, if base is given, and change
// breaks one thing of it.
type attack struct {
	name   string
	base   func() onchain.Instruction
	change func(*onchain.Instruction)
	keys   []ed25519.PrivateKey // who signs, besides the boss, who pays
	want   string               // part of the runtime's error
}

// victim is a distributor under attack, and what the attackers have at hand.
type victim struct {
	*world
	d, other    onchain.Distributor // of which other is another one, of the same program
	ann, bob    onchain.Address     // recipients at 1 and 2
	tree        *onchain.Tree
	foreign     *onchain.Tree // in which bob has all
	strangersAt onchain.Address
	watched     []onchain.Address
}

const leaves = 20

func newVictim(t *testing.T) *victim {
	w := newWorld(t)
	v := &victim{world: w}
	v.ann, v.bob = w.account(svmtest.Address(svmtest.Key("ann"))), w.account(svmtest.Address(svmtest.Key("bob")))
	v.d, v.other = w.distributor("d", 1_000_000), w.distributor("other", 1_000_000)
	entries := entriesWith(12, 1, v.ann, 500)
	entries[2].Account = v.bob
	v.tree = treeOf(t, entries)
	entries[2].Total = 5000
	v.foreign = treeOf(t, entries)
	v.strangersAt = address(svmtest.Key("stranger"))
	v.watched = []onchain.Address{
		v.d.State, v.d.Ledger, v.d.Vault, v.other.State, v.other.Ledger, v.other.Vault, v.ann, v.bob, address(w.authority), address(w.guardian),
	}
	require.NoError(t, w.Airdrop(t.Context(), svmtest.AddressOf(v.strangersAt), 1e12))
	return v
}

// resist runs the attacks one after the other and checks after each that it was refused, for the reason given, and that no byte
// and no lamport of anybody has changed. The callers send the honest instruction last, which has to succeed: else a table whose
// attacks fail for some other reason would not be noticed.
func (v *victim) resist(t *testing.T, attacks []attack) {
	t.Helper()
	before := v.photo(v.watched...)
	for _, a := range attacks {
		in := a.base()
		in.Accounts = slices.Clone(in.Accounts)
		if a.change != nil {
			a.change(&in)
		}
		r := v.send(append([]ed25519.PrivateKey{v.boss}, a.keys...), in)
		require.Contains(t, r.Err, a.want, "%s: %v", a.name, r.Logs)
		require.Equal(t, before, v.photo(v.watched...), a.name)
	}
	t.Logf("%d attacks", len(attacks))
}

func custom(c onchain.Code) string { return fmt.Sprintf(`{"Custom":%d}`, uint32(c)) }

// Changes of one thing.

func at(i int, to onchain.Address) func(*onchain.Instruction) {
	return func(in *onchain.Instruction) { in.Accounts[i].Address = to }
}

func readOnly(i int) func(*onchain.Instruction) {
	return func(in *onchain.Instruction) { in.Accounts[i].Writable = false }
}

func unsigned(i int) func(*onchain.Instruction) {
	return func(in *onchain.Instruction) { in.Accounts[i].Signer = false }
}

func cut(n int) func(*onchain.Instruction) {
	return func(in *onchain.Instruction) { in.Data = in.Data[:len(in.Data)-n] }
}

func grow(n int) func(*onchain.Instruction) {
	return func(in *onchain.Instruction) { in.Data = append(in.Data, make([]byte, n)...) }
}

func word(at int, to uint64) func(*onchain.Instruction) {
	return func(in *onchain.Instruction) { binary.LittleEndian.PutUint64(in.Data[at:], to) }
}

func half(at int, to uint32) func(*onchain.Instruction) {
	return func(in *onchain.Instruction) { binary.LittleEndian.PutUint32(in.Data[at:], to) }
}

func fewer(in *onchain.Instruction) { in.Accounts = in.Accounts[:len(in.Accounts)-1] }

func more(in *onchain.Instruction) {
	in.Accounts = append(in.Accounts, onchain.Meta{Address: address(svmtest.Key("nobody"))})
}

// make makes an account of the program's, or of another's, with real instructions.
func (v *victim) make(name string, size int, owner onchain.Address) onchain.Address {
	v.t.Helper()
	key := svmtest.Key(name)
	v.must([]ed25519.PrivateKey{v.boss, key}, v.create(address(key), size, owner))
	return address(key)
}

func TestInitializeResists(t *testing.T) {
	v := newVictim(t)
	d := v.d
	size, err := onchain.LedgerSize(leaves)
	require.NoError(t, err)
	state, ledger, other := svmtest.Key("d state"), svmtest.Key("d ledger"), svmtest.Key("other state")
	v.make("d state", onchain.StateSize, v.program)
	v.make("d ledger", size, v.program)
	v.initialize("other", v.other, leaves)
	foreignState := v.make("foreign state", onchain.StateSize, onchain.Address{})
	foreignLedger := v.make("foreign ledger", size, onchain.Address{})
	small := v.make("small", onchain.StateSize-8, v.program)
	big := v.make("big", onchain.StateSize+8, v.program)
	empty := v.make("empty", 40, v.program)
	odd := v.make("odd", size+4, v.program)
	bobs := v.account(svmtest.Address(svmtest.Key("bob")))
	vaults := v.badVaults(d)

	base := func() onchain.Instruction {
		in, err := d.Initialize(v.settings())
		require.NoError(t, err)
		return in
	}
	all := []ed25519.PrivateKey{state, ledger, v.authority}
	with := func(names ...string) []ed25519.PrivateKey {
		keys := slices.Clone(all)
		for _, n := range names {
			keys = append(keys, svmtest.Key(n))
		}
		return keys
	}
	attacks := []attack{
		{"state does not sign", base, unsigned(0), all, custom(onchain.BadSigner)},
		{"ledger does not sign", base, unsigned(1), all, custom(onchain.BadSigner)},
		{"authority does not sign", base, unsigned(3), all, custom(onchain.BadSigner)},
		{"state is read-only", base, readOnly(0), all, custom(onchain.BadWritable)},
		{"ledger is read-only", base, readOnly(1), all, custom(onchain.BadWritable)},
		{"state is nobody's", base, at(0, foreignState), with("foreign state"), custom(onchain.BadOwner)},
		{"state does not exist", base, at(0, address(svmtest.Key("none"))), with("none"), custom(onchain.BadOwner)},
		{"state is small", base, at(0, small), with("small"), custom(onchain.BadState)},
		{"state is big", base, at(0, big), with("big"), custom(onchain.BadState)},
		{"state is made already", base, at(0, v.other.State), append(with(), other), custom(onchain.BadState)},
		{"ledger is nobody's", base, at(1, foreignLedger), with("foreign ledger"), custom(onchain.BadOwner)},
		{"ledger has no entry", base, at(1, empty), with("empty"), custom(onchain.BadLedger)},
		{"ledger ends within an entry", base, at(1, odd), with("odd"), custom(onchain.BadLedger)},
		{"ledger is another's", base, at(1, v.other.Ledger), append(with(), svmtest.Key("other ledger")), custom(onchain.BadLedger)},
		{"ledger is another's state", base, at(1, v.other.State), append(with(), other), custom(onchain.BadLedger)},
		{"ledger is the state", base, at(1, d.State), all, custom(onchain.BadDuplicate)},
		{"guardian is the authority", base, at(4, address(v.authority)), all, custom(onchain.BadDuplicate)},
		{"vault is another's", base, at(2, v.other.Vault), all, custom(onchain.BadVault)},
		{"vault is bob's", base, at(2, bobs), all, custom(onchain.BadVault)},
		{"vault is no token account", base, at(2, v.strangersAt), all, custom(onchain.BadVault)},
		{"vault is the mint", base, at(2, bytesOf(t, v.asset.Mint)), all, custom(onchain.BadVault)},
		{"vault has a delegate", base, at(2, vaults["delegate"]), all, custom(onchain.BadVault)},
		{"vault has a close authority", base, at(2, vaults["close"]), all, custom(onchain.BadVault)},
		{"vault is frozen", base, at(2, vaults["frozen"]), all, custom(onchain.BadVault)},
		{"vault is of Token-2022", base, at(2, vaults["2022"]), all, custom(onchain.BadVault)},
		{"vault is a program's that looks like a token account", base, at(2, vaults["foreign"]), all, custom(onchain.BadVault)},
		{"no delay", base, word(8, 0), all, custom(onchain.BadParams)},
		{"delay too long", base, word(8, onchain.MaxDelay+1), all, custom(onchain.BadParams)},
		{"no cap", base, word(16, 0), all, custom(onchain.BadParams)},
		{"bump too large", base, word(24, 256), all, custom(onchain.BadParams)},
		{"bump of another address", base, word(24, 3), all, custom(onchain.BadVault)},
		{"data too short", base, cut(8), all, custom(onchain.BadData)},
		{"data cut within a number", base, cut(1), all, custom(onchain.BadData)},
		{"data too long", base, grow(8), all, custom(onchain.BadData)},
		{"head not zero", base, half(4, 1), all, custom(onchain.BadData)},
		{"unknown kind", base, half(0, 5), all, custom(onchain.BadData)},
		{"no data", base, cut(32), all, custom(onchain.BadData)},
		{"too few accounts", base, fewer, all, custom(onchain.BadAccounts)},
		{"too many accounts", base, more, all, custom(onchain.BadAccounts)},
	}
	before := []func() onchain.Instruction{
		func() onchain.Instruction { return claim(t, d, v.tree, 1) },
		func() onchain.Instruction { return v.root(1, v.tree) },
		func() onchain.Instruction { return d.Pause(address(v.authority)) },
		func() onchain.Instruction { return d.Resume(address(v.authority), address(v.guardian)) },
	}
	for i, b := range before {
		attacks = append(attacks, attack{fmt.Sprintf("before the beginning %d", i), b, nil, []ed25519.PrivateKey{v.authority, v.guardian}, custom(onchain.BadState)})
	}
	v.resist(t, attacks)
	v.must(append([]ed25519.PrivateKey{v.boss}, all...), base())
	require.Equal(t, onchain.State{
		Authority: address(v.authority), Guardian: address(v.guardian), Ledger: d.Ledger, Vault: d.Vault, Delay: delay, Cap: limit, Bump: v.state(d).Bump,
	}, v.state(d))
	v.resist(t, []attack{{"a second time", base, nil, all, custom(onchain.BadState)}})
}

// badVaults puts accounts into the chain that the vault's authority owns and that must not serve as a vault all the same. None
// of them could be made by instructions, as nobody signs for that address before the program does.
func (v *victim) badVaults(d onchain.Distributor) map[string]onchain.Address {
	v.t.Helper()
	good, _, err := v.AccountAt(v.t.Context(), svmtest.AddressOf(d.Vault))
	require.NoError(v.t, err)
	out := map[string]onchain.Address{}
	put := func(name string, owner settlement.Account, change func([]byte)) {
		a := good
		a.Data = slices.Clone(good.Data)
		change(a.Data)
		a.Owner = owner
		out[name] = address(svmtest.Key("vault " + name))
		require.NoError(v.t, v.SetAccount(v.t.Context(), svmtest.AddressOf(out[name]), a))
	}
	put("delegate", good.Owner, func(b []byte) { b[72] = 1 })
	put("close", good.Owner, func(b []byte) { b[129] = 1 })
	put("frozen", good.Owner, func(b []byte) { b[108] = 2 })
	put("2022", "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb", func([]byte) {})
	put("foreign", svmtest.AddressOf(v.program), func([]byte) {})
	return out
}

// root is the authority's instruction.
func (v *victim) root(epoch uint64, tree *onchain.Tree) onchain.Instruction {
	in, err := v.d.SetRoot(address(v.authority), onchain.Root{Epoch: epoch, Sum: tree.Sum(), Hash: tree.Root()})
	require.NoError(v.t, err)
	return in
}

func TestSetRootResists(t *testing.T) {
	v := newVictim(t)
	v.initialize("d", v.d, leaves)
	v.initialize("other", v.other, leaves)
	v.setRoot(v.d, 1, v.tree)
	v.must([]ed25519.PrivateKey{v.boss}, claim(t, v.d, v.tree, 1)) // so that root 1 is active
	fakeState := v.fakeState()
	base := func() onchain.Instruction { return v.root(2, v.foreign) }
	resume := func() onchain.Instruction { return v.d.Resume(address(v.authority), address(v.guardian)) }
	pause := func() onchain.Instruction { return v.d.Pause(address(v.authority)) }
	stranger := svmtest.Key("stranger")
	own := []ed25519.PrivateKey{v.authority}
	both := []ed25519.PrivateKey{v.authority, v.guardian}
	v.resist(t, []attack{
		{"authority does not sign", base, unsigned(1), nil, custom(onchain.BadSigner)},
		{"a stranger signs", base, at(1, v.strangersAt), []ed25519.PrivateKey{stranger}, custom(onchain.BadSigner)},
		{"the guardian signs", base, at(1, address(v.guardian)), both, custom(onchain.BadSigner)},
		{"epoch 0", base, word(8, 0), own, custom(onchain.BadEpoch)},
		{"the active epoch", base, word(8, 1), own, custom(onchain.BadEpoch)},
		{"an epoch left out", base, word(8, 3), own, custom(onchain.BadEpoch)},
		{"the last epoch there can be", base, word(8, 1<<64-1), own, custom(onchain.BadEpoch)},
		{"sum shrinks by 1", base, word(16, v.tree.Sum()-1), own, custom(onchain.BadSum)},
		{"sum 0", base, word(16, 0), own, custom(onchain.BadSum)},
		{"sum beyond the cap by 1", base, word(16, v.tree.Sum()+limit+1), own, custom(onchain.BadSum)},
		{"the largest sum", base, word(16, 1<<64-1), own, custom(onchain.BadSum)},
		{"zero root", base, func(in *onchain.Instruction) { clear(in.Data[24:]) }, own, custom(onchain.BadRoot)},
		{"too short", base, cut(8), own, custom(onchain.BadData)},
		{"too long", base, grow(8), own, custom(onchain.BadData)},
		{"head not zero", base, half(4, 7), own, custom(onchain.BadData)},
		{"state is read-only", base, readOnly(0), own, custom(onchain.BadWritable)},
		{"state is another program's", base, at(0, fakeState), own, custom(onchain.BadOwner)},
		{"state is the ledger", base, at(0, v.d.Ledger), own, custom(onchain.BadState)},
		{"state is the authority", base, at(0, address(v.authority)), own, custom(onchain.BadDuplicate)},
		{"one account", base, fewer, own, custom(onchain.BadAccounts)},
		{"three accounts", base, more, own, custom(onchain.BadAccounts)},
		{"pause by a stranger", pause, at(1, v.strangersAt), []ed25519.PrivateKey{stranger}, custom(onchain.BadSigner)},
		{"pause unsigned", pause, unsigned(1), nil, custom(onchain.BadSigner)},
		{"pause too long", pause, grow(8), own, custom(onchain.BadData)},
		{"pause with three accounts", pause, more, own, custom(onchain.BadAccounts)},
		{"resume by the authority alone", resume, unsigned(2), own, custom(onchain.BadSigner)},
		{"resume by the guardian alone", resume, unsigned(1), []ed25519.PrivateKey{v.guardian}, custom(onchain.BadSigner)},
		{"resume by a stranger and the guardian", resume, at(1, v.strangersAt), []ed25519.PrivateKey{stranger, v.guardian}, custom(onchain.BadSigner)},
		{"resume by the authority and a stranger", resume, at(2, v.strangersAt), []ed25519.PrivateKey{v.authority, stranger}, custom(onchain.BadSigner)},
		{"resume by the authority twice", resume, at(2, address(v.authority)), own, custom(onchain.BadDuplicate)},
		{"resume in the wrong order", resume, func(in *onchain.Instruction) {
			in.Accounts[1], in.Accounts[2] = in.Accounts[2], in.Accounts[1]
		}, both, custom(onchain.BadSigner)},
		{"resume too long", resume, grow(8), both, custom(onchain.BadData)},
		{"resume with two accounts", resume, fewer, both, custom(onchain.BadAccounts)},
	})
	exact := v.root(2, v.foreign)
	word(16, v.tree.Sum()+limit)(&exact)
	v.must([]ed25519.PrivateKey{v.authority}, exact)
	require.Equal(t, v.tree.Sum()+limit, v.state(v.d).Next.Sum, "as much as the cap allows")
}

// fakeState puts a copy of the state into an account of another program.
func (v *victim) fakeState() onchain.Address {
	v.t.Helper()
	copied, _, err := v.AccountAt(v.t.Context(), svmtest.AddressOf(v.d.State))
	require.NoError(v.t, err)
	copied.Owner = v.asset.Mint // any but the program
	at := address(svmtest.Key("fake state"))
	require.NoError(v.t, v.SetAccount(v.t.Context(), svmtest.AddressOf(at), copied))
	return at
}

func TestClaimResists(t *testing.T) {
	v := newVictim(t)
	v.initialize("d", v.d, leaves)
	v.initialize("other", v.other, leaves)
	base := func() onchain.Instruction { return claim(t, v.d, v.tree, 2) }
	v.resist(t, []attack{{"no root", base, nil, nil, custom(onchain.NotActive)}})
	v.must([]ed25519.PrivateKey{v.authority}, v.root(1, v.tree))
	v.resist(t, []attack{{"the root does not count yet", base, nil, nil, custom(onchain.NotActive)}})
	require.NoError(t, v.Advance(t.Context(), delay))
	v.setRoot(v.other, 1, v.foreign)
	v.must([]ed25519.PrivateKey{v.boss}, claim(t, v.d, v.tree, 1))

	entry := v.tree.Entry(2)
	proof, err := v.tree.Proof(2)
	require.NoError(t, err)
	fakeState := v.fakeState()
	otherHolder, _ := onchain.VaultAuthority(v.program, v.other.State)
	unused := v.make("unused ledger", len(v.data(v.d.Ledger)), v.program)
	stranger := svmtest.Key("stranger")
	fresh := v.account(svmtest.Address(svmtest.Key("fresh")))
	with := func(index uint32, total uint64, p onchain.Proof) func() onchain.Instruction {
		return func() onchain.Instruction {
			in, err := v.d.Claim(index, onchain.Entry{Account: entry.Account, Total: total}, p)
			require.NoError(t, err)
			return in
		}
	}
	long := make([]byte, 32)
	v.resist(t, []attack{
		{"a repeat", func() onchain.Instruction { return claim(t, v.d, v.tree, 1) }, nil, nil, custom(onchain.NothingDue)},
		{"a foreign root's proof", func() onchain.Instruction { return claim(t, v.d, v.foreign, 2) }, nil, nil, custom(onchain.BadProof)},
		{"a larger total", with(2, 501, proof), nil, nil, custom(onchain.BadProof)},
		{"the largest total", with(2, 1<<64-1, proof), nil, nil, custom(onchain.BadProof)},
		{"a smaller total", with(2, 499, proof), nil, nil, custom(onchain.BadProof)},
		{"total 0", with(2, 0, proof), nil, nil, custom(onchain.BadProof)},
		{"another index", with(3, 500, proof), nil, nil, custom(onchain.BadProof)},
		{"the sibling's index and proof", func() onchain.Instruction {
			p, err := v.tree.Proof(3)
			require.NoError(t, err)
			return with(3, 500, p)()
		}, nil, nil, custom(onchain.BadProof)},
		{"an index of the same path beyond the tree", with(2+16, 500, proof), nil, nil, custom(onchain.BadIndex)},
		{"an index beyond the ledger", with(leaves, 500, proof), nil, nil, custom(onchain.BadIndex)},
		{"the largest index", with(1<<32-1, 500, proof), nil, nil, custom(onchain.BadIndex)},
		{"an index whose place overflows 32 bits", with(1<<29, 500, proof), nil, nil, custom(onchain.BadIndex)},
		{"a leaf that is not used", with(15, 0, proof), nil, nil, custom(onchain.BadProof)},
		{"another recipient", base, at(3, v.ann), nil, custom(onchain.BadProof)},
		{"another account of the recipient", base, at(3, fresh), nil, custom(onchain.BadProof)},
		{"no proof", with(0, 500, nil), nil, nil, custom(onchain.BadProof)},
		{"no proof for an index", with(2, 500, nil), nil, nil, custom(onchain.BadIndex)},
		{"a proof cut short", with(2, 500, proof[:3]), nil, nil, custom(onchain.BadProof)},
		{"a proof without its first hash", with(1, 500, proof[1:]), nil, nil, custom(onchain.BadProof)},
		{"a proof with one more", with(2, 500, append(slices.Clone(proof), onchain.Hash{})), nil, nil, custom(onchain.BadProof)},
		{"a proof in reverse", func() onchain.Instruction {
			p := slices.Clone(proof)
			slices.Reverse(p)
			return with(2, 500, p)()
		}, nil, nil, custom(onchain.BadProof)},
		{"a proof of depth 32", with(2, 500, make(onchain.Proof, 32)), nil, nil, custom(onchain.BadProof)},
		{"a proof of depth 33", with(2, 500, make(onchain.Proof, 32)), func(in *onchain.Instruction) { in.Data = append(in.Data, long...) }, nil, custom(onchain.BadData)},
		{"half a hash too little", base, cut(16), nil, custom(onchain.BadData)},
		{"half a hash too much", base, grow(16), nil, custom(onchain.BadData)},
		{"one byte too much", base, grow(1), nil, custom(onchain.BadData)},
		{"one byte too little", base, cut(1), nil, custom(onchain.BadData)},
		{"head only", base, func(in *onchain.Instruction) { in.Data = in.Data[:8] }, nil, custom(onchain.BadData)},
		{"no data", base, func(in *onchain.Instruction) { in.Data = nil }, nil, custom(onchain.BadData)},
		{"four bytes", base, func(in *onchain.Instruction) { in.Data = in.Data[:4] }, nil, custom(onchain.BadData)},
		{"unknown kind", base, half(0, 1<<31), nil, custom(onchain.BadData)},
		{"another's ledger", base, at(1, v.other.Ledger), nil, custom(onchain.BadLedger)},
		{"a ledger that is nobody's yet", base, at(1, unused), nil, custom(onchain.BadLedger)},
		{"a ledger of a stranger", base, at(1, v.strangersAt), nil, custom(onchain.BadLedger)},
		{"another's state", base, at(0, v.other.State), nil, custom(onchain.BadLedger)},
		{"another's state and ledger", base, func(in *onchain.Instruction) {
			in.Accounts[0].Address, in.Accounts[1].Address = v.other.State, v.other.Ledger
		}, nil, custom(onchain.BadVault)},
		{"a fake state", base, at(0, fakeState), nil, custom(onchain.BadOwner)},
		{"a ledger as state", base, at(0, unused), nil, custom(onchain.BadState)},
		{"another's vault", base, at(2, v.other.Vault), nil, custom(onchain.BadVault)},
		{"a recipient's account as vault", base, at(2, v.ann), nil, custom(onchain.BadVault)},
		{"the vault as recipient", base, at(3, v.d.Vault), nil, custom(onchain.BadDuplicate)},
		{"another's vault authority", base, at(4, otherHolder), nil, "PrivilegeEscalation"},
		{"a stranger as vault authority", base, at(4, v.strangersAt), nil, "PrivilegeEscalation"},
		{"a stranger who signs as vault authority", base, func(in *onchain.Instruction) {
			in.Accounts[4] = onchain.Meta{Address: v.strangersAt, Signer: true}
		}, []ed25519.PrivateKey{stranger}, `{"Custom":4}`}, // the token program's OwnerMismatch, not ours
		{"the System Program for the token program", base, at(5, onchain.Address{}), nil, custom(onchain.BadProgram)},
		{"Token-2022 for the token program", base, at(5, bytesOf(t, "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")), nil, custom(onchain.BadProgram)},
		{"ourselves for the token program", base, at(5, v.program), nil, custom(onchain.BadProgram)},
		{"state is read-only", base, readOnly(0), nil, custom(onchain.BadWritable)},
		{"ledger is read-only", base, readOnly(1), nil, custom(onchain.BadWritable)},
		{"vault is read-only", base, readOnly(2), nil, custom(onchain.BadWritable)},
		{"recipient is read-only", base, readOnly(3), nil, custom(onchain.BadWritable)},
		{"too few accounts", base, fewer, nil, custom(onchain.BadAccounts)},
		{"too many accounts", base, more, nil, custom(onchain.BadAccounts)},
	})
	v.resistAtTheToken(t, base)
	v.must([]ed25519.PrivateKey{v.guardian}, v.d.Pause(address(v.guardian)))
	v.resist(t, []attack{{"paused", base, nil, nil, custom(onchain.Paused)}})
	v.must([]ed25519.PrivateKey{v.authority, v.guardian}, v.d.Resume(address(v.authority), address(v.guardian)))
	v.must([]ed25519.PrivateKey{v.boss}, base())
	require.EqualValues(t, 500, v.units(v.bob))
	require.EqualValues(t, 1000, v.state(v.d).Paid)
}

// resistAtTheToken is for what the token program refuses: the ledger must not have moved on either.
func (v *victim) resistAtTheToken(t *testing.T, base func() onchain.Instruction) {
	t.Helper()
	ctx := t.Context()
	require.NoError(t, v.Freeze(ctx, v.boss, v.asset, svmtest.Address(svmtest.Key("bob"))))
	v.resist(t, []attack{{"recipient is frozen", base, nil, nil, `{"Custom":17}`}}) // the token program's AccountFrozen
	require.NoError(t, v.Thaw(ctx, v.boss, v.asset, svmtest.Address(svmtest.Key("bob"))))

	good, _, err := v.AccountAt(ctx, svmtest.AddressOf(v.bob))
	require.NoError(t, err)
	vault, _, err := v.AccountAt(ctx, svmtest.AddressOf(v.d.Vault))
	require.NoError(t, err)
	for _, c := range []struct {
		name, want string
		at         onchain.Address
		old        svmtest.Account
		change     func(*svmtest.Account)
	}{
		{"recipient is closed", "InvalidAccountData", v.bob, good, func(a *svmtest.Account) { *a = svmtest.Account{Lamports: 1e9} }},
		{"recipient is of another mint", `{"Custom":3}`, v.bob, good, func(a *svmtest.Account) { a.Data[0] ^= 1 }}, // MintMismatch
		{"vault is short by 1", `{"Custom":1}`, v.d.Vault, vault, func(a *svmtest.Account) { // InsufficientFunds
			binary.LittleEndian.PutUint64(a.Data[64:], 499)
		}},
	} {
		bad := c.old
		bad.Data = slices.Clone(c.old.Data)
		c.change(&bad)
		require.NoError(t, v.SetAccount(ctx, svmtest.AddressOf(c.at), bad))
		v.resist(t, []attack{{c.name, base, nil, nil, c.want}})
		require.NoError(t, v.SetAccount(ctx, svmtest.AddressOf(c.at), c.old))
	}
}

// With the largest cap a sum that shrinks would wrap around to one that the cap allows.
func TestSumDoesNotWrap(t *testing.T) {
	v := newVictim(t)
	size, err := onchain.LedgerSize(leaves)
	require.NoError(t, err)
	settings := v.settings()
	settings.Cap = 1<<64 - 1
	in, err := v.d.Initialize(settings)
	require.NoError(t, err)
	keys := []ed25519.PrivateKey{v.boss, svmtest.Key("d state"), svmtest.Key("d ledger"), v.authority}
	v.must(keys, v.create(v.d.State, onchain.StateSize, v.program), v.create(v.d.Ledger, size, v.program), in)
	v.initialize("other", v.other, leaves)
	v.setRoot(v.d, 1, v.tree)
	v.must([]ed25519.PrivateKey{v.boss}, claim(t, v.d, v.tree, 1))
	base := func() onchain.Instruction { return v.root(2, v.tree) }
	own := []ed25519.PrivateKey{v.authority}
	v.resist(t, []attack{
		{"sum shrinks by 1", base, word(16, v.tree.Sum()-1), own, custom(onchain.BadSum)},
		{"sum below what was paid", base, word(16, 1), own, custom(onchain.BadSum)},
	})
	most := base()
	word(16, 1<<64-1)(&most)
	v.must(own, most)
	require.Equal(t, uint64(1<<64-1), v.state(v.d).Next.Sum)
}
