package settlement_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
)

var (
	io      = settlement.Asset{Mint: "IO", Decimals: 8}
	usdc    = settlement.Asset{Mint: "USDC", Decimals: 6}
	morning = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
)

// params are small, so that a few intents make several batches.
func params() settlement.Params {
	return settlement.Params{Version: "test", MaxLines: 3, Quorum: 2, ReclaimAfterSeconds: 3600, Assets: []settlement.Asset{io, usdc}}
}

// pay returns a payment of IO from the vault, with an ID from its cause.
func pay(to settlement.Account, units uint64, cause string) settlement.Intent {
	return settlement.Intent{
		ID: settlement.NewIntentID(settlement.Pay, cause), Kind: settlement.Pay, Asset: io, From: "vault", To: to, Units: units, Cause: cause,
	}
}

// burn returns a burn of IO of the vault.
func burn(units uint64, cause string) settlement.Intent {
	return settlement.Intent{
		ID: settlement.NewIntentID(settlement.Burn, cause), Kind: settlement.Burn, Asset: io, From: "vault", Units: units, Cause: cause,
	}
}

// bundled puts a copy of the intent into a bundle.
func bundled(in settlement.Intent, name string) settlement.Intent {
	in.Bundle = name
	return in
}

// swap returns a swap of IO of the desk for at least 1 unit of USDC.
func swap(units uint64, cause string) settlement.Intent {
	return settlement.Intent{
		ID: settlement.NewIntentID(settlement.Swap, cause), Kind: settlement.Swap, Asset: io, From: "desk", To: "treasury", Units: units, Into: usdc, Least: 1, Cause: cause,
	}
}

// seen are two endpoints that have both seen the final block at that height.
func seen(height uint64) []settlement.Witness {
	w := settlement.Witness{Endpoint: "a", Height: height, Slot: height + 9, Context: height + 9}
	v := w
	v.Endpoint, v.Context = "b", height+10
	return []settlement.Witness{w, v}
}

// id returns the ID of a payment of that cause.
func id(cause string) settlement.IntentID { return settlement.NewIntentID(settlement.Pay, cause) }

// newJournal returns an empty journal.
func newJournal(t testing.TB) *settlement.Journal {
	t.Helper()
	j, err := settlement.NewJournal(params())
	require.NoError(t, err)
	return j
}

// apply applies events, which must be accepted, and audits after each.
func apply(t testing.TB, j *settlement.Journal, events ...settlement.Event) (effects []settlement.Effect) {
	t.Helper()
	for _, e := range events {
		var err error
		effects, err = j.Apply(morning, e)
		require.NoError(t, err)
		require.NoError(t, j.Audit())
	}
	return effects
}

// tx returns an attempt of that name.
func tx(id string) settlement.Tx { return settlement.Tx{ID: id, Raw: []byte(id), LastValid: 150} }

// lines writes a batch's lines as text.
func lines(b settlement.Batch) string {
	var out []string
	for _, l := range b.Lines {
		to := "→" + string(l.To)
		if l.Kind == settlement.Burn {
			to = ""
		}
		out = append(out, fmt.Sprintf("%s %s%s %d %s", l.Kind, l.From, to, l.Units, l.Asset.Mint))
	}
	return strings.Join(out, ", ")
}
