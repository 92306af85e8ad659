package network_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/sched"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// leased is a node with four cards, two of which a job of eve's has booked for two hours at 0.40 dollars each.
func leased(t testing.TB) *world {
	t.Helper()
	w := newWorld(t, network.IONet(accounts(), epoch), "ann", "eve")
	w.join(hour, "n1", "ann", a4000, 4, network.List{Connectivity: 4, HourMicro: 400_000})
	w.do(hour, network.Submit{Job: "j", Wallet: "eve", Currency: tokenomics.IO, Replicas: 1, GPUsPerReplica: 2, Seconds: 7200})
	return w
}

// TestNodeGoesDown ends the lease on it, and bills to that second.
func TestNodeGoesDown(t *testing.T) {
	for _, row := range []struct {
		name  string
		after time.Duration
		cause sched.Cause
		net   string
	}{
		{"a nanosecond before the second is over", 10*time.Minute - 1, sched.CauseNodeLost, "0.133111"}, // 599 s * 2 * 0.40 / 3600
		{"at the second", 10 * time.Minute, sched.CauseNodeLost, "0.133333"},
		{"a nanosecond before the booked end", 2*time.Hour - 1, sched.CauseNodeLost, "1.599777"},
		{"at the booked end", 2 * time.Hour, sched.CauseExpired, "1.60"},
		{"after it", 3 * time.Hour, sched.CauseExpired, "1.60"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := leased(t)
			facts := w.do(hour.Add(row.after), network.Heartbeats{Down: []string{"n1"}})
			ended, billed := of[network.Ended](facts), of[network.Billed](facts)
			require.Len(t, ended, 1)
			require.Len(t, billed, 1)
			require.Equal(t, row.cause, ended[0].Cause)
			require.Equal(t, row.net, billed[0].Bill.Net.String())
			require.Empty(t, w.net.Leases())
			v, _ := w.net.Node("n1")
			require.False(t, v.Up)
			_, err := w.apply(w.net.Now(), network.Submit{Job: "k", Wallet: "eve", Currency: tokenomics.IO, Replicas: 1, GPUsPerReplica: 1, Seconds: 3600})
			var no *sched.UnplaceableError
			require.ErrorAs(t, err, &no)
			w.do(w.net.Now(), network.Heartbeats{Up: []string{"n1"}})
			w.do(w.net.Now(), network.Submit{Job: "k", Wallet: "eve", Currency: tokenomics.IO, Replicas: 1, GPUsPerReplica: 4, Seconds: 3600})
		})
	}
}

// TestBillOfALateTick has the epoch in which the lease ended, and not the one in which somebody noticed.
func TestBillOfALateTick(t *testing.T) {
	w := newWorld(t, network.IONet(accounts(), epoch), "ann", "eve")
	w.join(hour, "n1", "ann", a4000, 1, network.List{Connectivity: 4, HourMicro: 400_000})
	w.do(hour, network.Submit{Job: "j", Wallet: "eve", Currency: tokenomics.IO, Replicas: 1, GPUsPerReplica: 1, Seconds: 3660})
	w.do(hour.Add(5*time.Hour), network.Tick{})
	require.Equal(t, tokenomics.Epoch(epoch+1), w.net.Bills(1)[0].Epoch)
	w.settle(w.net.Now())
	w.balances()
}

// TestBeforeTheCalendar bills a lease that ends before the first epoch begins.
func TestBeforeTheCalendar(t *testing.T) {
	w := newWorld(t, network.IONet(accounts(), 1), "ann", "eve")
	at := w.net.Params().Tokenomics.Calendar.Start.Add(-9 * time.Hour)
	w.join(at, "n1", "ann", a4000, 1, network.List{Connectivity: 4, HourMicro: 400_000})
	w.do(at, network.Submit{Job: "j", Wallet: "eve", Currency: tokenomics.IO, Replicas: 1, GPUsPerReplica: 1, Seconds: 3600})
	w.do(at.Add(2*time.Hour), network.Tick{})
	require.Equal(t, tokenomics.Epoch(1), w.net.Bills(1)[0].Epoch)
	w.settle(at.Add(2 * time.Hour))
	require.Equal(t, network.StageDone, w.net.Bills(1)[0].Stage)
	w.balances()
}

// TestHardwareChange takes a node out while it is not what its bond is for, and puts it back.
func TestHardwareChange(t *testing.T) {
	was := func(w *world) []gpu.Device { return append([]gpu.Device{}, w.agents["n1"].Devices...) }
	for _, row := range []struct {
		name   string
		change func(d []gpu.Device) []gpu.Device
		unfit  string
	}{
		{"a card less", func(d []gpu.Device) []gpu.Device { return d[:3] }, `the bond is for the 4 x "NVIDIA RTX A4000" that were reported first, and these 3 x "NVIDIA RTX A4000" are not they`},
		{"another card", func(d []gpu.Device) []gpu.Device {
			d[3].ID = "GPU-00000000-0000-0000-0000-000000000001"
			return d
		}, "are not they"},
		{"two models", func(d []gpu.Device) []gpu.Device {
			d[3] = gpu.Device{ID: "GPU-00000000-0000-0000-0000-000000000002", Model: "Voodoo 2", Vendor: 0x121a, PCIDeviceID: 2, BusID: "00000000:0F:00.0", MemoryMiB: 8}
			return d
		}, "devices of two models"},
		{"the cards in another order and in other slots, with a new VBIOS", func(d []gpu.Device) []gpu.Device {
			d[0], d[1] = d[1], d[0]
			d[3].BusID, d[2].VBIOS = "00000000:0F:00.0", "94.04.39.00.08"
			return d
		}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := leased(t)
			before := was(w)
			w.agents["n1"].Devices = row.change(was(w))
			at := hour.Add(30 * time.Minute)
			facts := w.report(at, "n1")
			v, _ := w.net.Node("n1")
			if row.unfit == "" {
				require.Empty(t, v.Unfit)
				require.Empty(t, of[network.Ended](facts))
				require.Len(t, w.net.Leases(), 1)
				return
			}
			require.Contains(t, v.Unfit, row.unfit)
			require.Len(t, of[network.Ended](facts), 1)
			require.Equal(t, "0.40", of[network.Billed](facts)[0].Bill.Net.String())
			job := network.Submit{Job: "k", Wallet: "eve", Currency: tokenomics.IO, Replicas: 1, GPUsPerReplica: 1, Seconds: 3600}
			_, err := w.net.Try(job)
			require.Error(t, err)
			w.do(at, network.Heartbeats{Up: []string{"n1"}}) // seen up, and yet unfit
			_, err = w.net.Try(job)
			require.Error(t, err)

			w.agents["n1"].Devices = before
			w.report(at.Add(time.Minute), "n1")
			v, _ = w.net.Node("n1")
			require.Empty(t, v.Unfit)
			w.do(at.Add(time.Minute), job)
			require.Equal(t, w.net.Digest(), w.replayed().Digest())
		})
	}
}

// TestMixedModels is of a machine that is unfit from its first report on: it has no bond until it reports one model.
func TestMixedModels(t *testing.T) {
	w := newWorld(t, network.IONet(accounts(), epoch), "ann")
	a := w.agent("n1", a4000, 2)
	one := append([]gpu.Device{}, a.Devices[:1]...)
	a.Devices[1].Model, a.Devices[1].MemoryMiB, a.Devices[1].Vendor = "Voodoo 2", 8, 0x121a
	w.do(hour, network.Enrol{Node: "n1", Key: a.Key(), Supplier: "ann"})
	w.do(hour, network.List{Node: "n1", Site: "s", Country: "DE", Connectivity: 4, CPUMilli: 1, RAMMiB: 1, HourMicro: 1})
	w.do(hour, network.Heartbeats{Up: []string{"n1"}})
	w.report(hour, "n1")
	v, _ := w.net.Node("n1")
	require.Contains(t, v.Unfit, `devices of two models, "NVIDIA RTX A4000" and "Voodoo 2"`)
	require.Zero(t, v.Required)
	require.Zero(t, w.net.Overview().Nodes, "it is not in the fleet")
	_, err := w.apply(hour, network.Stake{Node: "n1", Amount: 1})
	require.ErrorContains(t, err, "n1")

	a.Devices = one
	facts := w.report(hour, "n1")
	require.Len(t, of[network.Listed](facts), 1)
	v, _ = w.net.Node("n1")
	require.Empty(t, v.Unfit)
	require.Equal(t, tokenomics.Amount(200*tokenomics.UnitsPerToken), v.Required)
	require.Equal(t, 1, w.net.Overview().NodesUp)
}

// TestRelist changes the price of what is leased from now on, and nothing else.
func TestRelist(t *testing.T) {
	w := leased(t)
	list := network.List{Node: "n1", Site: "fra-01", Country: "DE", CPUMilli: 32_000, RAMMiB: 262_144, Connectivity: 4, HourMicro: 800_000}
	require.Len(t, of[network.Listed](w.do(hour, list)), 1)
	w.do(hour, network.Submit{Job: "k", Wallet: "eve", Currency: tokenomics.IO, Replicas: 1, GPUsPerReplica: 2, Seconds: 7200})
	w.do(hour.Add(2*time.Hour), network.Tick{})
	net := map[sched.JobID]string{}
	for _, b := range w.net.Bills(9) {
		net[b.Job] = b.Net.String()
	}
	require.Equal(t, map[sched.JobID]string{"j": "1.60", "k": "3.20"}, net)
	for _, change := range []func(l *network.List){
		func(l *network.List) { l.Site = "osl-02" },
		func(l *network.List) { l.Country = "NO" },
		func(l *network.List) { l.Connectivity = 3 },
		func(l *network.List) { l.CPUMilli++ },
		func(l *network.List) { l.RAMMiB++ },
	} {
		l := list
		change(&l)
		_, err := w.apply(w.net.Now(), l)
		require.ErrorIs(t, err, network.ErrInvalid)
		require.ErrorContains(t, err, "only its price can change")
	}
	v, _ := w.net.Node("n1")
	require.Equal(t, uint64(800_000), v.HourMicro)
}

// TestLargestBill has devices that are so dear that a year of them would not fit the books: they are not leased for it.
func TestLargestBill(t *testing.T) {
	w := newWorld(t, network.IONet(accounts(), epoch), "ann", "eve")
	w.join(hour, "n1", "ann", a4000, 16, network.List{Connectivity: 4, HourMicro: 4_000_000_000})
	job := network.Submit{Job: "j", Wallet: "eve", Currency: tokenomics.IO, Replicas: 1, GPUsPerReplica: 16, Seconds: 5_625_001}
	_, err := w.apply(hour, job)
	var no *sched.UnplaceableError
	require.ErrorAs(t, err, &no) // 16 * 5,625,001 s at 4,000 dollars an hour are more than 100,000,000 dollars
	job.Seconds = 5_625_000
	w.do(hour, network.SetPrice{MicroPerToken: 3500, Source: "a crash"})
	for i := range 4 { // each is 2.9 * 10^18 base units, more than all that there will ever be: three fit below 2^63
		job.Job = string(rune('a' + i))
		w.do(w.net.Now(), job)
		w.do(w.net.Now().Add(5_625_000*time.Second), network.Tick{})
	}
	var stages []network.Stage
	for _, b := range w.net.Bills(9) {
		require.Equal(t, "100000000.00", b.Net.String())
		stages = append(stages, b.Stage)
	}
	require.Equal(t, []network.Stage{network.StageUnpaid, network.StageDue, network.StageDue, network.StageDue}, stages)
	w.settle(w.net.Now())
	w.balances()
	require.Equal(t, w.net.Digest(), w.replayed().Digest())
}
