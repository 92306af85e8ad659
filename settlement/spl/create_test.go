package spl_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/gagliardetto/solana-go"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

func newcomers(n int) []settlement.Account {
	out := make([]settlement.Account, n)
	for i := range out {
		out[i] = svmtest.Address(svmtest.Key(fmt.Sprint("newcomer ", i)))
	}
	return out
}

func TestCreateMissing(t *testing.T) {
	for _, row := range []struct {
		format spl.Format
		lines  int
		txs    int
	}{{spl.V1, 25, 3}, {spl.V0, 16, 2}, {spl.Legacy, 16, 2}} {
		t.Run(row.format.String(), func(t *testing.T) {
			b := newBench(t)
			own := b.open(b.token, "boss", 1000)
			node := newLiar(t, b.URL(), nil)
			c := b.chain(spl.Config{URL: node.URL, CreateMissing: true, Format: row.format})
			to := newcomers(row.lines)
			p := batch(0, b.token, own, to...)
			_, err := prepare(t, c, p)
			require.ErrorIs(t, err, settlement.ErrLater)
			require.ErrorContains(t, err, fmt.Sprint(row.lines, " token accounts are being made"))
			require.Len(t, node.of("sendTransaction"), row.txs)
			_, err = prepare(t, c, p)
			require.ErrorIs(t, err, settlement.ErrLater, "not confirmed yet")
			require.Empty(t, node.of("sendTransaction"), "they are on their way")
			b.blocks(1)
			_, res := b.pay(c, p)
			require.Equal(t, settlement.Succeeded, res.Sight, "%+v", res)
			for _, a := range to {
				b.holds(c, b.token, a, 1)
			}
		})
	}
}

// TestCreateLost makes accounts again when their creation was lost and can land no more, and not before.
func TestCreateLost(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1000)
	node := newLiar(t, b.URL(), nil)
	c := b.chain(spl.Config{URL: node.URL, CreateMissing: true})
	require.NoError(t, b.Inject(t.Context(), svmtest.Fault{Endpoint: -1, Method: "sendTransaction", Do: svmtest.AcceptedAndDropped}))
	p := batch(0, b.token, own, newcomers(1)...)
	for _, sends := range []int{1, 0, 1} {
		_, err := prepare(t, c, p)
		require.ErrorIs(t, err, settlement.ErrLater)
		require.Len(t, node.of("sendTransaction"), sends)
		b.blocks(80)
	}
	_, res := b.pay(c, p)
	require.Equal(t, settlement.Succeeded, res.Sight)
}

// TestCreateOnce does not pay the rent of one account twice: who closed it has got it.
func TestCreateOnce(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1000)
	ann := svmtest.Address(svmtest.Key("ann"))
	bob := svmtest.Address(svmtest.Key("bob"))
	c := b.chain(spl.Config{CreateMissing: true})
	p := batch(0, b.token, own, ann)
	_, err := prepare(t, c, p)
	require.ErrorIs(t, err, settlement.ErrLater)
	b.blocks(1)
	tx, res := b.pay(c, p)
	require.Equal(t, settlement.Succeeded, res.Sight)

	// Ann sends the unit away, closes the account and asks for the next payment.
	annsAccount, bossAccount := ata(t, b.token, ann, solana.TokenProgramID), ata(t, b.token, own, solana.TokenProgramID)
	b.do([]string{"boss", "ann"}, spl.Instruction{
		Program: solana.TokenProgramID, Data: []byte{3, 1, 0, 0, 0, 0, 0, 0, 0},
		Accounts: []spl.Meta{{Key: annsAccount, Writable: true}, {Key: bossAccount, Writable: true}, {Key: keyOf("ann"), Signer: true}},
	})
	b.shut(b.token, "ann")
	// Bob's address was only named by somebody, which must not keep him from being paid.
	bobsAccount := ata(t, b.token, bob, solana.TokenProgramID)
	transfer := give("boss", keyOf("ann"), 1_000_000)
	transfer.Accounts = append(transfer.Accounts, spl.Meta{Key: bobsAccount})
	b.do([]string{"boss"}, transfer)
	b.blocks(svmtest.BlocksToFinal)

	got := faults(t, c, batch(1, b.token, own, bob, ann))
	require.Len(t, got, 1)
	require.Equal(t, 1, got[0].Line)
	require.Contains(t, got[0].Reason, "existed and was closed, see")
	require.Contains(t, got[0].Reason, "not made at our cost again")
	require.NotContains(t, got[0].Reason, tx.ID+"x")
	b.blocks(1)
	_, res = b.pay(c, batch(2, b.token, own, bob))
	require.Equal(t, settlement.Succeeded, res.Sight)

	// If she opens it herself she is paid.
	b.open(b.token, "ann", 0)
	b.blocks(1)
	_, res = b.pay(c, batch(1, b.token, own, bob, ann))
	require.Equal(t, settlement.Succeeded, res.Sight)
}

// TestCreateWithin keeps to the most accounts that one Prepare may make, and to what the payer has.
func TestCreateWithin(t *testing.T) {
	b := newBench(t)
	vault := b.open(b.token, "vault", 1000)
	require.NoError(t, b.Airdrop(t.Context(), svmtest.Address(svmtest.Key("poor")), 650_240+1_488_440+5000-1))
	node := newLiar(t, b.URL(), nil)
	c := b.chain(spl.Config{URL: node.URL, CreateMissing: true, MaxCreations: 5}, "vault")
	to := newcomers(12)
	for _, missing := range []int{12, 7, 2} {
		out, err := c.Prepare(t.Context(), []settlement.Batch{batch(0, b.token, vault, to[:6]...), batch(1, b.token, vault, to[4:]...)})
		require.NoError(t, err)
		require.ErrorIs(t, out[1].Err, settlement.ErrLater, "%d are missing", missing)
		require.Len(t, node.of("sendTransaction"), 1)
		b.blocks(1)
	}
	_, res := b.pay(c, batch(0, b.token, vault, to...))
	require.Equal(t, settlement.Succeeded, res.Sight)

	poor := b.chain(spl.Config{CreateMissing: true, Payer: signer(t, "poor")}, "vault")
	_, err := prepare(t, poor, batch(2, b.token, vault, svmtest.Address(svmtest.Key("late"))))
	require.ErrorContains(t, err, "the payer holds 1493439 lamports that no other batch takes, this one takes 1493440")
}

// TestJournalWithCreateMissing runs the machine over accounts that have to be made.
func TestJournalWithCreateMissing(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1000)
	c := b.chain(spl.Config{CreateMissing: true})
	j, err := settlement.NewJournal(settlement.Params{Version: "test", MaxLines: 58, Quorum: 1, Assets: []settlement.Asset{b.token}})
	require.NoError(t, err)
	ann := svmtest.Address(svmtest.Key("ann"))
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	_, err = j.Apply(now, settlement.Decided{Epoch: 1, Intents: []settlement.Intent{{
		ID: settlement.NewIntentID(settlement.Pay, "ann"), Kind: settlement.Pay, Asset: b.token, From: own, To: ann, Units: 9,
	}}})
	require.NoError(t, err)
	r := settlement.Runner{Chains: []settlement.Chain{c}, Quorum: 1, Open: j.Open, Apply: j.Apply}
	for range 3 {
		_, err := r.Step(t.Context(), now)
		require.NoError(t, err)
		b.blocks(svmtest.BlocksToFinal)
	}
	require.Equal(t, settlement.Totals{Decided: 9, Paid: 9}, j.Totals(b.token))
}
