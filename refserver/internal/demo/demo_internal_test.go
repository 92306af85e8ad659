package demo

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/tokenomics"
)

func TestSpeed(t *testing.T) {
	for _, speed := range []int{-1, 0, 3601} {
		_, err := Start(t.Context(), Config{Speed: speed})
		require.ErrorContains(t, err, "want 1 to 3600")
	}
}

func TestClock(t *testing.T) {
	at := time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC)
	c := clock{speed: 3600, at: at}
	require.Equal(t, at, c.Now(), "it stands until it is let go")
	c.set(at.Add(time.Hour))
	require.Equal(t, at.Add(time.Hour), c.Now())
	ours := time.Now()
	c.run()
	passed := c.Now().Sub(at.Add(time.Hour))
	require.LessOrEqual(t, passed, time.Since(ours)*3600)
	require.GreaterOrEqual(t, c.Now().Sub(at.Add(time.Hour)), passed)

	held := c.hold()
	for begin := time.Now(); time.Since(begin) < time.Millisecond; {
		require.Equal(t, held, c.Now(), "everybody sees one instant")
	}
	c.release()
	require.Greater(t, c.Now().Sub(held), 3*time.Second, "and time has gone on beneath it")
}

// The demonstration lives for some of its hours: rewards and bills in both currencies are paid on the real chain. Then its
// clock is stopped, what is open is carried to its end, and every balance of the chain is the one in the books.
func TestBooksEqualTheChain(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	d, err := Start(ctx, Config{Speed: 3600, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer func() { require.NoError(t, d.Close()) }()

	living, rest := context.WithCancel(ctx)
	var both sync.WaitGroup
	var moved, ran error
	both.Go(func() { moved = d.Run(living) })
	both.Go(func() { ran = d.Door.Run(living, 20*time.Millisecond, d.Door.Runner(d.Chains()...)) })
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for !d.lively() {
		<-look.C
		require.NoError(t, ctx.Err(), "nothing much happens")
	}
	rest()
	both.Wait()
	require.NoError(t, moved)
	require.NoError(t, ran)

	d.clock.hold()
	runner := d.Door.Runner(d.Chains()...)
	for len(runner.Open()) > 0 {
		_, err := runner.Step(ctx, d.clock.Now())
		require.NoError(t, err)
		<-look.C
	}
	_, _, audit := d.Door.Digest()
	require.NoError(t, audit)
	d.Door.Read(func(n *network.Network) {
		a, err := d.chain.Compare(ctx, n)
		require.NoError(t, err)
		require.Greater(t, len(a.Balances), 20)
		o := n.Overview()
		require.Zero(t, o.PaymentsError)
		require.Zero(t, o.PaymentsOpen)
		t.Logf("%d payments, %s IO rewarded, %s burned, %d leases", o.PaymentsPaid, o.Rewarded, o.Burned, o.Leases)
	})
	d.clock.release()
	require.NoError(t, d.Door.Close())
	require.NoError(t, d.Run(ctx), "a demonstration ends with its door")
}

// lively reports whether there is something of everything that can be paid.
func (d *Demo) lively() (all bool) {
	d.Door.Read(func(n *network.Network) {
		done := map[tokenomics.Currency]bool{}
		for _, b := range n.Bills(1000) {
			if b.Stage == network.StageDone {
				done[b.Currency] = true
			}
		}
		o := n.Overview()
		all = len(done) == 2 && o.Burned > 0 && o.PaymentsPaid > 100
	})
	return all
}
