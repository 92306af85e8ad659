package spl_test

import (
	"fmt"
	"testing"

	"github.com/gagliardetto/solana-go"
	"github.com/gagliardetto/solana-go/rpc"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// A customer pays twice out of an account that is not the associated one of its wallet: the money goes back there, and the
// chain alone explains it.
func TestRefundGoesToTheAccountThatPaid(t *testing.T) {
	s := newShop(t, svmtest.Config{})
	ctx := t.Context()
	s.holding("purse", s.dollar, "bob")
	purse := svmtest.Address(svmtest.Key("purse"))
	s.transact([]string{"bob"}, s.transfer(s.dollar, tokenProgram, "bob", purse, 60e6))
	a := s.bill("a", 25e6)
	for range 2 {
		in := s.transfer(s.dollar, tokenProgram, "bob", s.treasury.Account, 25e6, a.References...)
		in.Accounts[0].Key = key(purse)
		s.transact([]string{"bob"}, in)
	}
	require.Equal(t, []string{"credited a 25000000", "owed 25000000"}, s.final())
	var refund settlement.Intent
	for o := range s.till.Refunds() {
		refund = o.Intent
	}
	require.Equal(t, purse, refund.To)

	require.NoError(t, s.Airdrop(ctx, svmtest.Address(svmtest.Key("payer")), 1e9))
	c := s.chain(spl.Config{Payer: signer(t, "payer"), CreateMissing: true}, "desk")
	j, err := settlement.NewJournal(settlement.Params{Version: "test", MaxLines: 58, Quorum: 1, Assets: []settlement.Asset{s.dollar}})
	require.NoError(t, err)
	_, err = j.Apply(swapTime, settlement.Decided{Epoch: 3, Intents: []settlement.Intent{refund}})
	require.NoError(t, err)
	runner := settlement.Runner{Chains: []settlement.Chain{c}, Quorum: 1, Open: j.Open, Apply: j.Apply}
	for range 3 {
		_, err = runner.Step(ctx, swapTime)
		require.NoError(t, err)
		s.blocks(svmtest.BlocksToFinal)
	}
	paid, ok := j.Payment(refund.ID)
	require.True(t, ok)
	require.Equal(t, settlement.StatePaid, paid.State, "%+v", paid)
	held, err := rpc.New(s.URL()).GetTokenAccountBalance(ctx, key(purse), rpc.CommitmentFinalized)
	require.NoError(t, err)
	require.Equal(t, "35000000", held.Value.Amount, "60 less 25 twice, and 25 back")
	require.Empty(t, s.scan(), "what our own key signed is no inflow")

	report, err := settlement.Reconcile(ctx, j, c)
	require.NoError(t, err)
	require.Empty(t, report.Differences)
	require.Equal(t, 1, report.Lines)
	for e := range j.Batches() {
		found, err := c.Find(ctx, []settlement.Batch{e.Batch})
		require.NoError(t, err)
		want := e.Batch.Lines[0]
		want.Intents = nil
		require.Equal(t, []settlement.Line{want}, found.Results[0].Lines)
	}
}

// A refund goes to a wallet or to a token account that can be paid, and nothing is made for one.
func TestRefundRefused(t *testing.T) {
	b := newBench(t)
	vault := b.open(b.token, "vault", 1000)
	ann := b.open(b.token, "ann", 0)
	for _, x := range []struct {
		name, owner string
		asset       settlement.Asset
	}{{"purse", "ann", b.token}, {"dollars", "ann", b.dollar}, {"own", "vault", b.token}} {
		b.holding(x.name, x.asset, x.owner)
	}
	pda, _, err := solana.FindProgramAddress([][]byte{[]byte("x")}, solana.MemoProgramID)
	require.NoError(t, err)
	name := func(n string) settlement.Account { return svmtest.Address(svmtest.Key(n)) }
	annsAccount := settlement.Account(ata(t, b.token, ann, solana.TokenProgramID).String())
	c := b.chain(spl.Config{CreateMissing: true}, "vault")

	to := []settlement.Account{ann, name("purse"), name("dollars"), name("own"), annsAccount, settlement.Account(pda.String()), name("nobody")}
	refunds := batch(0, b.token, vault, to...)
	for i := range refunds.Lines {
		refunds.Lines[i].Kind = settlement.Refund
	}
	var want []settlement.Fault
	for i, reason := range []string{
		fmt.Sprintf("recipient %q: what stands at its address for mint %q is no such token account", to[2], b.token.Mint),
		fmt.Sprintf("recipient %q is an account of the sender", to[3]),
		fmt.Sprintf("recipient %q is the associated token account of %q, which is to be named", to[4], ann),
		fmt.Sprintf("recipient %q has no key: it is not on the curve, and not allowed for by OffCurve", to[5]),
		fmt.Sprintf("recipient %q: has no token account for mint %q: one must be created first", to[6], b.token.Mint),
	} {
		want = append(want, settlement.Fault{Line: 2 + i, Reason: reason})
	}
	require.Equal(t, want, faults(t, c, refunds))

	// A payment is not for a token account.
	got := faults(t, c, batch(1, b.token, vault, name("purse"), ann))
	require.Len(t, got, 1)
	require.Contains(t, got[0].Reason, "is itself an account of a token program, not a wallet")

	refunds.Lines = refunds.Lines[:2]
	tx, err := prepare(t, c, refunds)
	require.NoError(t, err)
	mint := solana.MustPublicKeyFromBase58(string(b.token.Mint))
	b.do([]string{"boss"}, spl.Instruction{Program: solana.TokenProgramID, Accounts: []spl.Meta{
		{Key: keyOf("purse"), Writable: true}, {Key: mint}, {Key: keyOf("boss"), Signer: true},
	}, Data: []byte{10}})
	got = faults(t, c, refunds)
	require.Len(t, got, 1)
	require.Contains(t, got[0].Reason, "is frozen")
	send(t, c, tx)
	b.blocks(svmtest.BlocksToFinal)
	res := look(t, c, refunds, tx)
	require.Equal(t, settlement.Reverted, res.Sight)
	require.Equal(t, 1, res.Failure.Faults[0].Line, "frozen after it was signed: the failure names the line")
}
