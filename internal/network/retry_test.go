package network_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// refusedOf returns the refused payments.
func (w *world) refusedOf() []settlement.Payment {
	w.t.Helper()
	var out []settlement.Payment
	for p := range w.net.Journal().Payments() {
		if p.State == settlement.StateRefused {
			out = append(out, p)
		}
	}
	return out
}

// hired is a machine of a supplier, hired for an hour by eve, and the bill's first payments decided.
func hired(t *testing.T, supplier string, with tokenomics.Currency) (*world, time.Time) {
	t.Helper()
	w := newWorld(t, network.IONet(accounts(), epoch), "ann", "eve")
	w.join(hour, "n1", supplier, a4000, 1, network.List{Connectivity: 4, HourMicro: 400_000})
	w.do(hour, network.Submit{Job: "j", Wallet: "eve", Currency: with, Replicas: 1, GPUsPerReplica: 1, Seconds: 3600})
	end := hour.Add(time.Hour)
	w.do(end, network.Tick{})
	return w, end
}

// TestRetry pays a supplier who had no token account as soon as he has one, and takes his bill to its end.
func TestRetry(t *testing.T) {
	w, end := hired(t, "nobody", tokenomics.USDC)
	w.settle(end)
	refused := w.refusedOf()
	require.Len(t, refused, 1)
	id := refused[0].Intent.ID.String()
	require.Equal(t, network.StageUnpaid, w.net.Bills(1)[0].Stage)

	w.do(end, network.Retry{Payment: id}) // too early: refused again
	require.Empty(t, w.refusedOf())
	require.NotEqual(t, network.StageUnpaid, w.net.Bills(1)[0].Stage)
	w.settle(end)
	require.Equal(t, network.StageUnpaid, w.net.Bills(1)[0].Stage)
	second := w.refusedOf()
	require.Len(t, second, 1)
	require.Equal(t, id, second[0].Intent.ID.String(), "a payment keeps its name")
	require.NotEqual(t, refused[0].Batch, second[0].Batch)

	w.open(w.net.Params().IO, "nobody", 0)
	w.do(end, network.Retry{Payment: id})
	w.settle(end)
	b := w.net.Bills(1)[0]
	require.Equal(t, network.StageDone, b.Stage)
	got, _ := w.chain.Balance(w.net.Params().IO, "nobody")
	require.Equal(t, uint64(b.Suppliers[0].Amount), got)
	left, _ := w.chain.Balance(w.net.Params().IO, "escrow")
	require.Zero(t, left)
	require.Empty(t, w.refusedOf())
	w.balances()
	require.Equal(t, w.net.Digest(), w.replayed().Digest())
}

// TestRetryReward is the same of a block reward: the vault keeps it until then, and the books of the block stay whole.
func TestRetryReward(t *testing.T) {
	w := newWorld(t, network.IONet(accounts(), epoch), "ann")
	joined := hour.Add(-6 * time.Hour)
	w.join(joined, "n1", "nobody", a4000, 1, network.List{Connectivity: 4, HourMicro: 400_000})
	w.do(joined, network.Stake{Node: "n1", Amount: 200 * one})
	w.report(hour.Add(30*time.Minute), "n1")
	end := hour.Add(time.Hour)
	b := of[network.Closed](w.do(end, network.Tick{}))[0].Block
	w.settle(end)
	w.balances()
	w.open(w.net.Params().IO, "nobody", 0)
	w.do(end, network.Retry{Payment: w.refusedOf()[0].Intent.ID.String()})
	w.balances()
	w.settle(end)
	w.balances()
	got, _ := w.chain.Balance(w.net.Params().IO, "nobody")
	require.Equal(t, uint64(b.Paid()), got)
}

// TestRetryBundle has both legs of a conversion paid after all, or neither.
func TestRetryBundle(t *testing.T) {
	w, end := hired(t, "ann", tokenomics.USDC)
	collect := w.net.Journal().Open()[0]
	for _, e := range []settlement.Event{
		settlement.Signed{Batch: collect.Batch.ID, Tx: settlement.Tx{ID: "a", Raw: []byte{1}, LastValid: 9}},
		settlement.Landed{Batch: collect.Batch.ID, Tx: "a", Slot: 1, Witnesses: sworn(1)},
	} {
		w.do(end, network.Settle{Event: e})
	}
	convert := w.net.Journal().Open()[0]
	require.Len(t, convert.Batch.Lines, 2)
	w.do(end, network.Settle{Event: settlement.Rejected{Batch: convert.Batch.ID, Faults: []settlement.Fault{{Line: 0, Reason: "the desk is closed"}}}})
	refused := w.refusedOf()
	require.Len(t, refused, 2)
	require.Equal(t, network.StageUnpaid, w.net.Bills(1)[0].Stage)

	_, err := w.apply(end, network.Retry{Payment: refused[1].Intent.ID.String()})
	require.ErrorIs(t, err, settlement.ErrStale, "the batch is not sealed")
	w.do(end, network.Settle{Event: settlement.Signed{Batch: convert.Batch.ID, Revision: 1, Tx: settlement.Tx{ID: "seal", Raw: []byte{2}, LastValid: 9}}})
	w.do(end, network.Settle{Event: settlement.Landed{Batch: convert.Batch.ID, Tx: "seal", Slot: 2, Witnesses: sworn(2)}})
	w.do(end, network.Retry{Payment: refused[1].Intent.ID.String()})
	require.Empty(t, w.refusedOf())
	require.Equal(t, network.StageConverting, w.net.Bills(1)[0].Stage)
	open := w.net.Journal().Open()
	require.Len(t, open, 1)
	require.Equal(t, convert.Batch.Lines, open[0].Batch.Lines)
	require.Equal(t, convert.Batch.Bundle, open[0].Batch.Bundle)
	_, err = w.apply(end, network.Retry{Payment: refused[0].Intent.ID.String()})
	require.ErrorContains(t, err, "is planned, not refused")
}

// TestRetryRefused keeps to the rule of the home batch: while an attempt that carries the payment could land, it may not
// stand in another batch.
func TestRetryRefused(t *testing.T) {
	w, end := hired(t, "nobody", tokenomics.IO)
	payer := w.net.Payments(1)[0].Intent.ID.String()
	for text, says := range map[string]string{
		"":                              "want 64 hexadecimal digits",
		"xyz":                           "want 64 hexadecimal digits",
		payer[:62]:                      "want 64 hexadecimal digits",
		payer[:62] + "zz":               "want 64 hexadecimal digits",
		settlement.IntentID{}.String():  "no payment",
		payer:                           "is planned, not refused",
		settlement.IntentID{1}.String(): "no payment",
	} {
		_, err := w.apply(end, network.Retry{Payment: text})
		require.ErrorIs(t, err, network.ErrInvalid)
		require.ErrorContains(t, err, says)
	}
	settle := func(events ...settlement.Event) {
		for _, e := range events {
			w.do(end, network.Settle{Event: e})
		}
	}
	collect := w.net.Journal().Open()[0].Batch.ID
	settle(settlement.Signed{Batch: collect, Tx: settlement.Tx{ID: "a", Raw: []byte{1}, LastValid: 9}}, settlement.Landed{Batch: collect, Tx: "a", Slot: 1, Witnesses: sworn(1)})

	var share settlement.Entry // the parts, without the burn
	for _, e := range w.net.Journal().Open() {
		if e.Batch.Lines[0].Kind != settlement.Burn {
			share = e
		}
	}
	line := 0
	for i, l := range share.Batch.Lines {
		if l.To == "nobody" {
			line = i
		}
	}
	settle(
		settlement.Signed{Batch: share.Batch.ID, Tx: settlement.Tx{ID: "b", Raw: []byte{2}, LastValid: 9}},
		settlement.Expired{Batch: share.Batch.ID, Tx: "b", Witnesses: sworn(10)},
		settlement.Rejected{Batch: share.Batch.ID, Faults: []settlement.Fault{{Line: line, Reason: "no account"}}},
	)
	id := w.refusedOf()[0].Intent.ID.String()
	_, err := w.apply(end, network.Retry{Payment: id})
	require.ErrorIs(t, err, network.ErrInvalid)
	require.ErrorIs(t, err, settlement.ErrStale)

	// The attempt that was called dead lands after all: everything in it is paid, and nothing is left to retry.
	settle(settlement.Landed{Batch: share.Batch.ID, Tx: "b", Slot: 2, Witnesses: sworn(10)})
	require.Empty(t, w.refusedOf())
	require.Equal(t, network.StageSharing, w.net.Bills(1)[0].Stage, "the burn is open")
	_, err = w.apply(end, network.Retry{Payment: id})
	require.ErrorContains(t, err, "is paid, not refused")
	burn := w.net.Journal().Open()[0].Batch.ID
	settle(settlement.Signed{Batch: burn, Tx: settlement.Tx{ID: "c", Raw: []byte{3}, LastValid: 9}}, settlement.Landed{Batch: burn, Tx: "c", Slot: 3, Witnesses: sworn(10)})
	require.Equal(t, network.StageDone, w.net.Bills(1)[0].Stage)
	require.Equal(t, w.net.Digest(), w.replayed().Digest())
}
