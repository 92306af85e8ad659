package spl_test

import (
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/gagliardetto/solana-go"
	"github.com/gagliardetto/solana-go/rpc"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// bench is a node with two mints and a boss who may do everything.
type bench struct {
	testing.TB
	*svmtest.Node
	boss          ed25519.PrivateKey
	token, dollar settlement.Asset
}

func newBench(t testing.TB) *bench {
	t.Helper()
	return newBenchWith(t, svmtest.Config{})
}

func newBenchWith(t testing.TB, c svmtest.Config) *bench {
	t.Helper()
	b := &bench{TB: t, Node: svmtest.ForTest(t, c), boss: svmtest.Key("boss")}
	require.NoError(t, b.Airdrop(t.Context(), svmtest.Address(b.boss), 1e12))
	var err error
	b.token, err = b.CreateMint(t.Context(), b.boss, svmtest.Key("IO"), 8)
	require.NoError(t, err)
	b.dollar, err = b.CreateMint(t.Context(), b.boss, svmtest.Key("USDC"), 6)
	require.NoError(t, err)
	return b
}

// signer returns the signer of whoever has that name.
func signer(t testing.TB, name string) spl.Signer {
	t.Helper()
	k, err := spl.NewKey(svmtest.Key(name))
	require.NoError(t, err)
	return k
}

// open makes a token account for whoever has that name, and mints units into it.
func (b *bench) open(a settlement.Asset, name string, units uint64) settlement.Account {
	b.Helper()
	owner := svmtest.Address(svmtest.Key(name))
	require.NoError(b, b.CreateAccount(b.Context(), b.boss, a, owner))
	if units > 0 {
		require.NoError(b, b.MintTo(b.Context(), b.boss, a, owner, units))
	}
	return owner
}

// recipients opens n accounts.
func (b *bench) recipients(n int) []settlement.Account {
	b.Helper()
	out := make([]settlement.Account, n)
	for i := range out {
		out[i] = b.open(b.token, fmt.Sprint("recipient ", i), 0)
	}
	return out
}

// chain returns a chain that signs for the names, after all that was done is final.
func (b *bench) chain(c spl.Config, names ...string) *spl.Chain {
	b.Helper()
	if c.URL == "" {
		c.URL = b.URL()
	}
	if c.Payer == nil {
		c.Payer = signer(b, "boss")
	}
	for _, n := range names {
		c.Owners = append(c.Owners, signer(b, n))
	}
	out, err := spl.New(c)
	require.NoError(b, err)
	b.blocks(svmtest.BlocksToFinal)
	return out
}

func (b *bench) blocks(n int) {
	b.Helper()
	require.NoError(b, b.Advance(b.Context(), n))
}

// batch returns a batch of payments of one unit each.
func batch(index uint32, a settlement.Asset, from settlement.Account, to ...settlement.Account) settlement.Batch {
	b := settlement.Batch{ID: settlement.BatchID{Epoch: 1, Index: index}}
	for _, x := range to {
		b.Lines = append(b.Lines, settlement.Line{Kind: settlement.Pay, Asset: a, From: from, To: x, Units: 1})
	}
	return b
}

// prepare prepares one batch.
func prepare(t testing.TB, c *spl.Chain, b settlement.Batch) (settlement.Tx, error) {
	t.Helper()
	p, err := c.Prepare(t.Context(), []settlement.Batch{b})
	if err != nil {
		return settlement.Tx{}, err
	}
	require.Len(t, p, 1)
	return p[0].Tx, p[0].Err
}

// faults prepares a batch whose lines are at fault.
func faults(t testing.TB, c *spl.Chain, b settlement.Batch) []settlement.Fault {
	t.Helper()
	_, err := prepare(t, c, b)
	var lines *settlement.LineError
	require.ErrorAs(t, err, &lines)
	return lines.Faults
}

// send sends attempts.
func send(t testing.TB, c *spl.Chain, txs ...settlement.Tx) {
	t.Helper()
	require.NoError(t, c.Send(t.Context(), txs))
}

// look returns what the chain knows of one attempt.
func look(t testing.TB, c *spl.Chain, b settlement.Batch, tx settlement.Tx) settlement.Result {
	t.Helper()
	s, err := c.Look(t.Context(), []settlement.Attempt{{Marker: b.MarkerID(), Tx: tx}})
	require.NoError(t, err)
	require.Len(t, s.Results, 1)
	return s.Results[0]
}

// pay prepares and sends a batch, makes it final and returns what became of it.
func (b *bench) pay(c *spl.Chain, p settlement.Batch) (settlement.Tx, settlement.Result) {
	b.Helper()
	tx, err := prepare(b, c, p)
	require.NoError(b, err)
	send(b, c, tx)
	b.blocks(svmtest.BlocksToFinal)
	return tx, look(b, c, p, tx)
}

// do signs instructions with the names' keys, of which the first pays, and executes them in a block of their own.
func (b *bench) do(names []string, in ...spl.Instruction) {
	b.Helper()
	require.NoError(b, b.try(names, in...))
}

// try is do for what may be refused.
func (b *bench) try(names []string, in ...spl.Instruction) error {
	b.Helper()
	client := rpc.New(b.URL())
	latest, err := client.GetLatestBlockhash(b.Context(), rpc.CommitmentProcessed)
	require.NoError(b, err)
	var e spl.Encoder
	raw, err := e.AppendMessage(nil, &spl.Message{
		Format: spl.V1, Payer: keyOf(names[0]), Blockhash: latest.Value.Blockhash, ComputeUnits: 1_000_000, Loaded: 8 << 20, Instructions: in,
	})
	require.NoError(b, err)
	require.NoError(b, ringOf(b, names...).Sign(b.Context(), raw))
	_, err = client.SendRawTransactionWithOpts(b.Context(), raw, rpc.TransactionOpts{PreflightCommitment: rpc.CommitmentProcessed})
	b.blocks(1)
	return err
}

// ata returns the associated token account of whoever has that address.
func ata(t testing.TB, a settlement.Asset, owner settlement.Account, program solana.PublicKey) solana.PublicKey {
	t.Helper()
	at, _, err := solana.FindAssociatedTokenAddressWithProgram(solana.MustPublicKeyFromBase58(string(owner)), solana.MustPublicKeyFromBase58(string(a.Mint)), program)
	require.NoError(t, err)
	return at
}

// give is a System transfer.
func give(from string, to solana.PublicKey, lamports uint64) spl.Instruction {
	d := binary.LittleEndian.AppendUint64([]byte{2, 0, 0, 0}, lamports)
	return spl.Instruction{Program: solana.SystemProgramID, Accounts: []spl.Meta{{Key: keyOf(from), Signer: true, Writable: true}, {Key: to, Writable: true}}, Data: d}
}

// own is a call of a token program about an account, by its owner.
func own(program, account solana.PublicKey, owner string, data ...byte) spl.Instruction {
	return spl.Instruction{Program: program, Accounts: []spl.Meta{{Key: account, Writable: true}, {Key: keyOf(owner), Signer: true}}, Data: data}
}

// reown gives a token account to another owner.
func (b *bench) reown(a settlement.Asset, from, to string) {
	b.Helper()
	at := ata(b, a, svmtest.Address(svmtest.Key(from)), solana.TokenProgramID)
	k := keyOf(to)
	b.do([]string{"boss", from}, own(solana.TokenProgramID, at, from, append([]byte{6, 2, 1}, k[:]...)...))
}

// shut closes a token account; its rent goes to the owner.
func (b *bench) shut(a settlement.Asset, name string) {
	b.Helper()
	at := ata(b, a, svmtest.Address(svmtest.Key(name)), solana.TokenProgramID)
	b.do([]string{"boss", name}, spl.Instruction{Program: solana.TokenProgramID, Accounts: []spl.Meta{
		{Key: at, Writable: true}, {Key: keyOf(name), Writable: true}, {Key: keyOf(name), Signer: true},
	}, Data: []byte{9}})
}

// thaw makes a frozen account usable again.
func (b *bench) thaw(a settlement.Asset, name string) {
	b.Helper()
	at := ata(b, a, svmtest.Address(svmtest.Key(name)), solana.TokenProgramID)
	b.do([]string{"boss"}, spl.Instruction{Program: solana.TokenProgramID, Accounts: []spl.Meta{
		{Key: at, Writable: true}, {Key: solana.MustPublicKeyFromBase58(string(a.Mint))}, {Key: keyOf("boss"), Signer: true},
	}, Data: []byte{11}})
}
