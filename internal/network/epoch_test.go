package network_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// published brings the three machines of the published block to the beginning of its hour: seen, staked, co-staked.
func published(t testing.TB) *world {
	t.Helper()
	w := newWorld(t, atOnce(network.IONet(accounts(), epoch)), "ann", "bo", "cyd", "dee", "eve", "ivy")
	joined := hour.Add(-12 * time.Hour)
	w.join(joined, "a100", "ann", a100, 1, network.List{Connectivity: 4, HourMicro: 1_800_000})
	w.join(joined, "a4000", "bo", a4000, 1, network.List{Connectivity: 4, HourMicro: 400_000})
	w.join(joined, "rig6", "cyd", r3080, 6, network.List{Connectivity: 1, HourMicro: 250_000})
	for at := joined; at.Before(hour); at = at.Add(time.Hour) {
		w.do(at, network.Heartbeats{Up: []string{"a100", "a4000", "rig6"}})
	}
	eve := hour.Add(-time.Minute)
	w.do(eve, network.Stake{Node: "a100", Amount: 1000 * one})
	w.do(eve, network.Stake{Node: "a4000", Amount: 200 * one})
	w.do(eve, network.Stake{Node: "rig6", Amount: 1200 * one})
	w.do(eve, network.PostOffer{Offer: "offer-1", Node: "a100", Amount: 500 * one, ShareBps: 3100, Expires: hour})
	w.do(eve, network.AcceptOffer{Offer: "offer-1", Holder: "dee", Amount: 500 * one})
	return w
}

// attend has every machine of published report and be seen in the middle of the hour, and tells the others' scores.
func attend(w *world) {
	w.t.Helper()
	for _, name := range []string{"a100", "a4000", "rig6"} {
		w.report(hour.Add(30*time.Minute), name)
	}
	w.do(hour.Add(59*time.Minute), network.OtherScores{Epoch: epoch, Pool: tokenomics.PoolGPU, Score: 415_972_440 - 138_450})
	w.do(hour.Add(59*time.Minute), network.Heartbeats{Up: []string{"a100", "a4000", "rig6"}})
}

func TestPublishedBlock(t *testing.T) {
	w := published(t)
	attend(w)
	facts := w.do(hour.Add(time.Hour), network.Tick{})
	closed := of[network.Closed](facts)
	require.Len(t, closed, 1)
	b := closed[0].Block
	require.Equal(t, tokenomics.Epoch(epoch), b.Epoch)
	require.Equal(t, "4559.62004271", b.Emission.String())
	require.Empty(t, b.Excluded)
	reward := map[string]string{}
	for _, e := range b.Entries {
		reward[e.Node] = e.Reward.String()
		require.False(t, e.Hired)
	}
	require.Equal(t, map[string]string{"a100": "0.87866191", "a4000": "0.07190646", "rig6": "0.26351088"}, reward)
	require.Equal(t, []staking.Paid{
		{Bond: "a100", Holder: "ann", Role: staking.Owner, Number: 1, Epoch: epoch, Amount: 60_627_672},
		{Bond: "a100", Holder: "dee", Role: staking.CoStaker, Number: 2, Epoch: epoch, Amount: 27_238_519},
	}, b.Entries[0].Parts)
	require.Equal(t, b.Emission, b.Paid()+b.Pools[0].Held+b.Pools[1].Held)

	paid := of[network.Paid](w.settle(hour.Add(time.Hour)))
	require.Len(t, paid, 1)
	require.Len(t, paid[0].Lines, 4)
	w.balances()
	for owner, want := range map[settlement.Account]uint64{"ann": 60_627_672, "dee": 27_238_519, "bo": 7_190_646, "cyd": 26_351_088} {
		got, _ := w.chain.Balance(w.net.Params().IO, owner)
		require.Equal(t, 10_000*one+want, got, owner)
	}
	require.Equal(t, w.net.Digest(), w.replayed().Digest())
}

// TestBillStages takes a bill of each currency from the end of its lease to the burn.
func TestBillStages(t *testing.T) {
	for _, row := range []struct {
		currency tokenomics.Currency
		stages   []network.Stage // after each round of the chain
		pays     string
		sold     string // dollars that the desk gets
	}{
		{tokenomics.IO, []network.Stage{network.StageDue, network.StageSharing, network.StageDone}, "0.90225", "0.00"},
		{tokenomics.USDC, []network.Stage{network.StageDue, network.StageConverting, network.StageSharing, network.StageDone}, "0.92025", "0.92025"},
		{tokenomics.Card, []network.Stage{network.StageDue, network.StageConverting, network.StageSharing, network.StageDone}, "0.92025", "0.92025"},
	} {
		t.Run(row.currency.String(), func(t *testing.T) {
			w := published(t)
			p := w.net.Params()
			job := network.Submit{Job: "render", Wallet: "eve", Currency: row.currency, Replicas: 1, GPUsPerReplica: 1, Models: []string{a100}, Seconds: 3600}
			placement, err := w.net.Try(job)
			require.NoError(t, err)
			require.Equal(t, uint64(1_800_000), placement.HourMicro)
			w.do(hour, job)
			require.Len(t, w.net.Leases(), 1)
			facts := w.do(hour.Add(30*time.Minute), network.Finish{Lease: "lease-1"})
			billed := of[network.Billed](facts)
			require.Len(t, billed, 1)
			require.Equal(t, "0.90", billed[0].Bill.Net.String())
			require.Equal(t, row.pays, billed[0].Bill.Pays.String())

			stages := []network.Stage{w.net.Bills(1)[0].Stage}
			runner := &settlement.Runner{
				Chains: []settlement.Chain{w.chain, w.chain.Endpoint("second")}, Quorum: 2, Open: w.net.Journal().Open,
				Apply: func(at time.Time, e settlement.Event) ([]settlement.Effect, error) {
					_, err := w.apply(at, network.Settle{Event: e})
					return nil, err
				},
			}
			for range 10 { // nothing of a step is decided before the one before it is final
				_, err := runner.Step(t.Context(), hour.Add(31*time.Minute))
				require.NoError(t, err)
				if s := w.net.Bills(1)[0].Stage; s != stages[len(stages)-1] {
					stages = append(stages, s)
				}
				w.chain.Advance(33)
			}
			w.balances()
			require.Equal(t, row.stages, stages)
			b := w.net.Bills(1)[0]
			require.Equal(t, "ann", b.Suppliers[0].Wallet)
			require.Equal(t, b.Paid, b.Suppliers[0].Amount+b.Burn+b.Treasury)
			require.Positive(t, b.Burn)
			require.Equal(t, b.Burn, w.net.Overview().Burned)
			sold, _ := w.chain.Balance(p.USDC, p.Accounts.Desk)
			require.Equal(t, row.sold, tokenomics.USD(sold).String())
			left, _ := w.chain.Balance(p.IO, p.Accounts.Escrow)
			require.Zero(t, left)
			require.Equal(t, w.net.Digest(), w.replayed().Digest())
		})
	}
}

// TestPayoutWithoutAccount pays a block in which one supplier has no token account: his line is refused, the others are
// paid, and his money stays in the vault.
func TestPayoutWithoutAccount(t *testing.T) {
	w := newWorld(t, network.IONet(accounts(), epoch), "ann")
	joined := hour.Add(-6 * time.Hour)
	w.join(joined, "n1", "ann", a4000, 1, network.List{Connectivity: 4, HourMicro: 400_000})
	w.join(joined, "n2", "nobody", a4000, 1, network.List{Connectivity: 4, HourMicro: 400_000})
	w.do(joined, network.Stake{Node: "n1", Amount: 200 * one})
	w.do(joined, network.Stake{Node: "n2", Amount: 200 * one})
	w.report(hour.Add(30*time.Minute), "n1")
	w.report(hour.Add(30*time.Minute), "n2")
	end := hour.Add(time.Hour)
	b := of[network.Closed](w.do(end, network.Tick{}))[0].Block
	require.Len(t, b.Entries, 2)
	facts := w.settle(end)
	unpaid := of[network.Unpaid](facts)
	require.Len(t, unpaid, 1)
	require.Equal(t, settlement.Account("nobody"), unpaid[0].To)
	require.Contains(t, unpaid[0].Reason, `"nobody" holds no token account`)
	require.Len(t, of[network.Paid](facts), 1)
	o := w.net.Overview()
	require.Equal(t, [3]int{0, 1, 1}, [3]int{o.PaymentsOpen, o.PaymentsPaid, o.PaymentsError})
	w.balances()
	got, _ := w.chain.Balance(w.net.Params().IO, "ann")
	require.Equal(t, 10_000*one+uint64(b.Entries[0].Reward), got)
	require.Equal(t, w.net.Digest(), w.replayed().Digest())
}

// TestUnpaidBill is of a renter, and then of a supplier, without a token account.
func TestUnpaidBill(t *testing.T) {
	for _, row := range []struct {
		name, supplier, renter string
		currency               tokenomics.Currency
		stage                  network.Stage
		burned                 bool
	}{
		// A renter's line is refused only on a chain that knows the senders; here what he owes stays open.
		{"renter has no money", "ann", "poor", tokenomics.USDC, network.StageDue, false},
		{"supplier has no account", "nobody", "eve", tokenomics.USDC, network.StageUnpaid, true},
		{"supplier has no account, paid in IO", "nobody", "eve", tokenomics.IO, network.StageUnpaid, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, network.IONet(accounts(), epoch), "ann", "eve")
			w.join(hour, "n1", row.supplier, a4000, 1, network.List{Connectivity: 4, HourMicro: 400_000})
			w.do(hour, network.Submit{Job: "j", Wallet: row.renter, Currency: row.currency, Replicas: 1, GPUsPerReplica: 1, Seconds: 3600})
			w.do(hour.Add(time.Hour), network.Tick{})
			facts := w.settle(hour.Add(time.Hour))
			b := w.net.Bills(1)[0]
			require.Equal(t, row.stage, b.Stage)
			require.Equal(t, row.burned, b.Burn > 0 && w.net.Overview().Burned == b.Burn, "the rest of the revenue is shared all the same")
			if row.stage == network.StageUnpaid {
				require.Equal(t, settlement.Account("nobody"), of[network.Unpaid](facts)[0].To)
				kept, _ := w.chain.Balance(w.net.Params().IO, "escrow")
				require.Equal(t, uint64(b.Suppliers[0].Amount), kept, "his part stays in the escrow")
			}
			w.balances()
			require.Equal(t, w.net.Digest(), w.replayed().Digest())
		})
	}
}

// TestUnspent converts at a price at which a base unit costs more than a millionth of a dollar: what buys no whole unit
// stays in the escrow.
func TestUnspent(t *testing.T) {
	w := published(t)
	p := w.net.Params()
	w.do(hour, network.SetPrice{MicroPerToken: 70_000_000_000, Source: "the moon"})
	w.do(hour, network.Submit{Job: "j", Wallet: "eve", Currency: tokenomics.USDC, Replicas: 1, GPUsPerReplica: 1, Seconds: 3600})
	w.do(hour.Add(time.Hour), network.Tick{})
	w.settle(hour.Add(time.Hour))
	b := w.net.Bills(1)[0]
	require.Equal(t, network.StageDone, b.Stage)
	require.Positive(t, b.Unspent)
	sold, _ := w.chain.Balance(p.USDC, p.Accounts.Desk)
	require.Equal(t, b.Pays-b.Unspent, tokenomics.USD(sold))
	left, _ := w.chain.Balance(p.USDC, p.Accounts.Escrow)
	require.Equal(t, b.Unspent, tokenomics.USD(left))
	w.balances()
}

// TestTierBeforeThePools has the class of the hardware count for the tier a year before there were two pools.
func TestTierBeforeThePools(t *testing.T) {
	w := published(t)
	w.sparse = true
	end := hour.Add(30 * 24 * time.Hour)
	for at := hour; !at.After(end); at = at.Add(time.Hour) {
		w.do(at, network.Heartbeats{Up: []string{"a100", "a4000", "rig6"}})
	}
	for _, criterion := range []string{"transport encryption", "disk encryption"} {
		w.do(end, network.Attest{Node: "a100", Criterion: criterion, Issuer: "an auditor", Expires: end.AddDate(1, 0, 0)})
	}
	w.report(end, "a100")
	v, _ := w.net.Node("a100")
	require.Equal(t, staking.Tier(3), v.Tier, "the first tier that asks for a pool: %v", v.Shortfalls)
}

// TestTierDwells has a tier only when it has been met for a day, proved anew every hour, and loses it when a proof did not
// come.
func TestTierDwells(t *testing.T) {
	w := newWorld(t, network.IONet(accounts(), epoch), "ann")
	w.sparse = true
	w.join(hour, "n1", "ann", a4000, 1, network.List{Connectivity: 4, HourMicro: 400_000})
	w.do(hour, network.Stake{Node: "n1", Amount: 200 * one})
	tier := func(at time.Time, reports bool) network.Node {
		w.do(at, network.Heartbeats{Up: []string{"n1"}})
		if reports {
			w.report(at, "n1")
		}
		v, _ := w.net.Node("n1")
		return v
	}
	for h := range 24 {
		v := tier(hour.Add(time.Duration(h)*time.Hour), true)
		require.Zero(t, v.Tier, "hour %d", h)
		require.Equal(t, staking.Tier(1), v.NextTier)
		require.Equal(t, hour.Add(24*time.Hour), v.NextTierAt)
	}
	require.Equal(t, staking.Tier(1), tier(hour.Add(24*time.Hour), true).Tier)
	require.Equal(t, staking.Tier(1), tier(hour.Add(25*time.Hour), false).Tier, "a proof of an hour still counts")
	v := tier(hour.Add(26*time.Hour), false)
	require.Zero(t, v.Tier)
	require.Equal(t, staking.CriterionProof, v.Shortfalls[0].Criterion)
}

// TestTableChanges has the new multipliers for stake from July 2025 on, and what was enough before for 30 days more.
func TestTableChanges(t *testing.T) {
	change := time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC)
	calendar := tokenomics.IONet().Calendar
	first, err := calendar.At(change.Add(-12 * time.Hour))
	require.NoError(t, err)
	w := newWorld(t, atOnce(network.IONet(accounts(), first)), "ann")
	w.sparse = true
	w.join(change.Add(-12*time.Hour), "n1", "ann", a4000, 1, network.List{Connectivity: 4, HourMicro: 400_000}) // 0.4, then 1.5
	w.do(change.Add(-12*time.Hour), network.Stake{Node: "n1", Amount: 200 * one})
	for _, row := range []struct {
		end      time.Time // of the block
		required tokenomics.Amount
		nominee  bool
	}{
		{change.Add(-time.Hour), 200 * one, true},
		{change, 300 * one, true},
		{change.Add(30 * 24 * time.Hour), 300 * one, true},
		{change.Add(30*24*time.Hour + time.Hour), 300 * one, false},
	} {
		w.do(row.end.Add(-time.Minute), network.Heartbeats{Up: []string{"n1"}})
		w.report(row.end.Add(-time.Minute), "n1")
		w.do(row.end, network.Tick{})
		v, _ := w.net.Node("n1")
		require.Equal(t, row.required, v.Required, row.end)
		inGrace := row.end.Before(change.Add(30 * 24 * time.Hour)) // a block is of the hour before its end, a tier of the instant
		require.Equal(t, inGrace, v.Tier == 1, "%s: %v", row.end, v.Shortfalls)
		b := w.net.Blocks(1)[0]
		if row.nominee {
			require.Len(t, b.Entries, 1, "%s: %v", row.end, b.Excluded)
			continue
		}
		require.Equal(t, "stake", b.Excluded[0].Rule)
	}
}
