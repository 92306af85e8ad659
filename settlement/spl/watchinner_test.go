package spl_test

import (
	"crypto/ed25519"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/gagliardetto/solana-go"
	"github.com/gagliardetto/solana-go/rpc"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/onchain"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// claims deploys the distributor, with one claim of units for the treasury, and returns the claim: a call after which money comes
// in by an instruction that the program makes.
func (s *shop) claims(units uint64) svmtest.Instruction {
	s.Helper()
	bytesOf := func(a settlement.Account) onchain.Address { return onchain.Address(key(a)) }
	at := func(name string) onchain.Address { return bytesOf(svmtest.Address(svmtest.Key(name))) }
	d := onchain.Distributor{Program: at("program"), State: at("state"), Ledger: at("ledger")}
	require.NoError(s, s.AddProgram(s.Context(), svmtest.AddressOf(d.Program), onchain.Program()))
	require.NoError(s, s.Airdrop(s.Context(), svmtest.Address(svmtest.Key("authority")), 1e12))
	holder, _ := onchain.VaultAuthority(d.Program, d.State)
	require.NoError(s, s.CreateAccount(s.Context(), s.boss, s.dollar, svmtest.AddressOf(holder)))
	require.NoError(s, s.MintTo(s.Context(), s.boss, s.dollar, svmtest.AddressOf(holder), 100e6))
	d.Vault = bytesOf(s.at(s.dollar, svmtest.AddressOf(holder)))
	tree, err := onchain.NewTree([]onchain.Entry{{Account: bytesOf(s.treasury.Account), Total: units}, {Account: at("nobody"), Total: 1}})
	require.NoError(s, err)

	size, err := onchain.LedgerSize(2)
	require.NoError(s, err)
	init, err := d.Initialize(onchain.Settings{Authority: at("authority"), Guardian: at("guardian"), Delay: 1, Cap: 100e6})
	require.NoError(s, err)
	s.execute([]string{"ann", "state", "ledger", "authority"}, s.make(at("ann"), d.State, onchain.StateSize, d.Program),
		s.make(at("ann"), d.Ledger, size, d.Program), plain(init))
	root, err := d.SetRoot(at("authority"), onchain.Root{Epoch: 1, Sum: tree.Sum(), Hash: tree.Root()})
	require.NoError(s, err)
	s.execute([]string{"authority"}, plain(root))
	s.blocks(2)
	proof, err := tree.Proof(0)
	require.NoError(s, err)
	claim, err := d.Claim(0, tree.Entry(0), proof)
	require.NoError(s, err)
	return plain(claim)
}

// make is the System Program's instruction that makes an account of a size for a program.
func (s *shop) make(payer, at onchain.Address, size int, owner onchain.Address) svmtest.Instruction {
	s.Helper()
	rent, err := rpc.New(s.URL()).GetMinimumBalanceForRentExemption(s.Context(), uint64(size), rpc.CommitmentConfirmed)
	require.NoError(s, err)
	data := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint32(nil, 0), rent)
	return plain(onchain.Instruction{Data: append(binary.LittleEndian.AppendUint64(data, uint64(size)), owner[:]...), Accounts: []onchain.Meta{
		{Address: payer, Signer: true, Writable: true}, {Address: at, Signer: true, Writable: true},
	}})
}

func plain(in onchain.Instruction) svmtest.Instruction {
	out := svmtest.Instruction{Program: svmtest.AddressOf(in.Program), Data: in.Data}
	for _, a := range in.Accounts {
		out.Accounts = append(out.Accounts, svmtest.AccountMeta{Address: svmtest.AddressOf(a.Address), Signer: a.Signer, Writable: a.Writable})
	}
	return out
}

func (s *shop) execute(names []string, list ...svmtest.Instruction) svmtest.Receipt {
	s.Helper()
	var keys []ed25519.PrivateKey
	for _, n := range names {
		keys = append(keys, svmtest.Key(n))
	}
	r, err := s.Execute(s.Context(), keys, list...)
	require.NoError(s, err)
	require.Empty(s, r.Err, "%v", r.Logs)
	return r
}

// TestDepositByAProgram: money that an inner instruction brings, next to money that an outer one brings, is one inflow of the sum,
// told once.
func TestDepositByAProgram(t *testing.T) {
	s := newShop(t, svmtest.Config{})
	claim := s.claims(16e6)
	require.Empty(t, s.final())
	a := s.bill("a", 25e6)
	outer := s.transfer(s.dollar, tokenProgram, "ann", s.treasury.Account, 9e6, a.References...)
	pay := svmtest.Instruction{Program: svmtest.AddressOf(onchain.TokenProgram()), Data: outer.Data}
	for _, m := range outer.Accounts {
		pay.Accounts = append(pay.Accounts, svmtest.AccountMeta{Address: settlement.Account(m.Key.String()), Signer: m.Signer, Writable: m.Writable})
	}
	r := s.execute([]string{"ann"}, claim, pay)
	require.Equal(t, []string{"credited a 25000000"}, s.final())
	in := slices.Collect(s.till.Inflows())
	require.Len(t, in, 1)
	require.Equal(t, r.Signature, in[0].Inflow.ID.Tx)
	require.Empty(t, in[0].Inflow.Payer, "two paid, so no refund goes out by itself")
	require.Empty(t, s.scan(), "told once")
	units, err := s.Balance(t.Context(), s.dollar, s.treasury.Owner)
	require.NoError(t, err)
	require.EqualValues(t, 25e6, units)

	// Both transfers are understood, the inner one without a reference.
	w, err := s.watcher.Scan(t.Context(), spl.Cursor{}, nil)
	require.NoError(t, err)
	i := slices.IndexFunc(w.Events, seen)
	told := w.Events[i].(settlement.InflowSeen).Inflow
	require.Equal(t, []settlement.Transfer{{Units: 16e6}, {Units: 9e6, Refs: a.References}}, trimmed(told.Transfers, solana.PublicKey(a.References[0])))
}

// trimmed leaves of the addresses that may be references only those that are.
func trimmed(list []settlement.Transfer, ref solana.PublicKey) []settlement.Transfer {
	for i := range list {
		list[i].Refs = slices.DeleteFunc(list[i].Refs, func(r settlement.Reference) bool { return solana.PublicKey(r) != ref })
		if len(list[i].Refs) == 0 {
			list[i].Refs = nil
		}
	}
	return list
}
