package onchain_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/onchain"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

const (
	delay = 100
	limit = 10_000_000 // by which a sum may grow
)

// world is a chain with the program, one token, a payer, an authority and a guardian.
type world struct {
	*svmtest.Node
	t                         testing.TB
	boss, authority, guardian ed25519.PrivateKey
	asset                     settlement.Asset
	program                   onchain.Address
}

func newWorld(t testing.TB) *world {
	w := &world{
		Node: svmtest.ForTest(t, svmtest.Config{}), t: t, program: address(svmtest.Key("program")),
		boss: svmtest.Key("boss"), authority: svmtest.Key("authority"), guardian: svmtest.Key("guardian"),
	}
	for _, key := range []ed25519.PrivateKey{w.boss, w.authority, w.guardian} {
		require.NoError(t, w.Airdrop(t.Context(), svmtest.Address(key), 1_000_000_000_000))
	}
	require.NoError(t, w.AddProgram(t.Context(), svmtest.AddressOf(w.program), onchain.Program()))
	var err error
	w.asset, err = w.CreateMint(t.Context(), w.boss, svmtest.Key("mint"), 6)
	require.NoError(t, err)
	return w
}

// account makes a token account of a wallet.
func (w *world) account(wallet settlement.Account) onchain.Address {
	w.t.Helper()
	require.NoError(w.t, w.CreateAccount(w.t.Context(), w.boss, w.asset, wallet))
	a, err := w.TokenAddress(w.t.Context(), w.asset, wallet)
	require.NoError(w.t, err)
	return bytesOf(w.t, a)
}

// distributor names the accounts of a distributor and makes its vault, with units in it.
func (w *world) distributor(name string, units uint64) onchain.Distributor {
	w.t.Helper()
	d := onchain.Distributor{Program: w.program, State: address(svmtest.Key(name + " state")), Ledger: address(svmtest.Key(name + " ledger"))}
	holder, _ := onchain.VaultAuthority(d.Program, d.State)
	d.Vault = w.account(svmtest.AddressOf(holder))
	require.NoError(w.t, w.MintTo(w.t.Context(), w.boss, w.asset, svmtest.AddressOf(holder), units))
	return d
}

// rent asks for the rent of an account.
func (w *world) rent(size int) uint64 {
	w.t.Helper()
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "getMinimumBalanceForRentExemption", "params": []any{size}})
	require.NoError(w.t, err)
	resp, err := http.Post(w.URL(), "application/json", bytes.NewReader(body))
	require.NoError(w.t, err)
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(w.t, err)
	var out struct{ Result uint64 }
	require.NoError(w.t, json.Unmarshal(text, &out), "%s", text)
	require.NotZero(w.t, out.Result, "%s", text)
	return out.Result
}

// create returns the System Program's instruction that makes an account of a size for an owner.
func (w *world) create(at onchain.Address, size int, owner onchain.Address) onchain.Instruction {
	data := binary.LittleEndian.AppendUint32(nil, 0)
	data = binary.LittleEndian.AppendUint64(data, w.rent(size))
	data = binary.LittleEndian.AppendUint64(data, uint64(size))
	return onchain.Instruction{Data: append(data, owner[:]...), Accounts: []onchain.Meta{
		{Address: address(w.boss), Signer: true, Writable: true}, {Address: at, Signer: true, Writable: true},
	}}
}

// initialize makes a distributor for a number of leaves.
func (w *world) initialize(name string, d onchain.Distributor, leaves int) {
	w.t.Helper()
	size, err := onchain.LedgerSize(leaves)
	require.NoError(w.t, err)
	in, err := d.Initialize(w.settings())
	require.NoError(w.t, err)
	keys := []ed25519.PrivateKey{w.boss, svmtest.Key(name + " state"), svmtest.Key(name + " ledger"), w.authority}
	w.must(keys, w.create(d.State, onchain.StateSize, d.Program), w.create(d.Ledger, size, d.Program), in)
}

func (w *world) settings() onchain.Settings {
	return onchain.Settings{Authority: address(w.authority), Guardian: address(w.guardian), Delay: delay, Cap: limit}
}

// send executes what the keys sign.
func (w *world) send(keys []ed25519.PrivateKey, list ...onchain.Instruction) svmtest.Receipt {
	w.t.Helper()
	out := make([]svmtest.Instruction, len(list))
	for i, in := range list {
		out[i] = svmtest.Instruction{Program: svmtest.AddressOf(in.Program), Data: in.Data}
		for _, a := range in.Accounts {
			out[i].Accounts = append(out[i].Accounts, svmtest.AccountMeta{Address: svmtest.AddressOf(a.Address), Signer: a.Signer, Writable: a.Writable})
		}
	}
	r, err := w.Execute(w.t.Context(), keys, out...)
	require.NoError(w.t, err)
	return r
}

// must is send of what has to succeed.
func (w *world) must(keys []ed25519.PrivateKey, list ...onchain.Instruction) svmtest.Receipt {
	w.t.Helper()
	r := w.send(keys, list...)
	require.Empty(w.t, r.Err, "%v", r.Logs)
	return r
}

// setRoot sets a tree's root with the sum that it has, and waits until it counts.
func (w *world) setRoot(d onchain.Distributor, epoch uint64, tree *onchain.Tree) svmtest.Receipt {
	w.t.Helper()
	return w.setRootOf(d, onchain.Root{Epoch: epoch, Sum: tree.Sum(), Hash: tree.Root()})
}

func (w *world) setRootOf(d onchain.Distributor, root onchain.Root) svmtest.Receipt {
	w.t.Helper()
	in, err := d.SetRoot(address(w.authority), root)
	require.NoError(w.t, err)
	r := w.must([]ed25519.PrivateKey{w.authority}, in)
	require.NoError(w.t, w.Advance(w.t.Context(), delay))
	return r
}

// claim is the honest claim of an entry.
func claim(t testing.TB, d onchain.Distributor, tree *onchain.Tree, index int) onchain.Instruction {
	t.Helper()
	proof, err := tree.Proof(index)
	require.NoError(t, err)
	in, err := d.Claim(uint32(index), tree.Entry(index), proof)
	require.NoError(t, err)
	return in
}

func (w *world) data(at onchain.Address) []byte {
	w.t.Helper()
	a, found, err := w.AccountAt(w.t.Context(), svmtest.AddressOf(at))
	require.NoError(w.t, err)
	require.True(w.t, found)
	return a.Data
}

func (w *world) state(d onchain.Distributor) onchain.State {
	w.t.Helper()
	s, err := onchain.DecodeState(w.data(d.State))
	require.NoError(w.t, err)
	return s
}

func (w *world) ledger(d onchain.Distributor) onchain.Ledger {
	w.t.Helper()
	l, err := onchain.DecodeLedger(w.data(d.Ledger))
	require.NoError(w.t, err)
	return l
}

// units returns what a token account holds.
func (w *world) units(at onchain.Address) uint64 {
	w.t.Helper()
	return binary.LittleEndian.Uint64(w.data(at)[64:])
}

// photo is all that must not change when an instruction is refused.
func (w *world) photo(at ...onchain.Address) string {
	w.t.Helper()
	var b bytes.Buffer
	for _, a := range at {
		x, found, err := w.AccountAt(w.t.Context(), svmtest.AddressOf(a))
		require.NoError(w.t, err)
		fmt.Fprintln(&b, found, x.Owner, x.Lamports, x.Data)
	}
	return b.String()
}

func address(key ed25519.PrivateKey) onchain.Address {
	return onchain.Address(key.Public().(ed25519.PublicKey))
}

func bytesOf(t testing.TB, a settlement.Account) onchain.Address {
	t.Helper()
	b, err := svmtest.BytesOf(a)
	require.NoError(t, err)
	return b
}

// fake returns an address that is nobody's.
func fake(i int) onchain.Address {
	var a onchain.Address
	binary.LittleEndian.PutUint64(a[:], uint64(i)+1)
	a[31] = 0x55
	return a
}

// entriesWith returns n entries, i+1 times units in each, of which one is for an account that exists.
func entriesWith(n, index int, account onchain.Address, units uint64) []onchain.Entry {
	out := make([]onchain.Entry, n)
	for i := range out {
		out[i] = onchain.Entry{Account: fake(i), Total: units}
	}
	out[index].Account = account
	return out
}

func treeOf(t testing.TB, entries []onchain.Entry) *onchain.Tree {
	t.Helper()
	tree, err := onchain.NewTree(entries)
	require.NoError(t, err)
	return tree
}
