package door_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/internal/scene"
	"github.com/idlegrid/idlegrid/refserver/internal/door"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// running opens a door without a file whose clock is the bubble's, beginning with the published block, and runs its loop
// until the test ends.
func running(t *testing.T, every time.Duration, runner *settlement.Runner) (*door.Door, *note) {
	t.Helper()
	begin, n := time.Now(), &note{}
	d, err := door.Open(door.Config{Params: rules(), Now: func() time.Time { return hour().Add(time.Since(begin)) }, Log: n.log()})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx, every, runner) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
		require.NoError(t, d.Close())
	})
	return d, n
}

// The loop gives one command when an hour is over, and none before.
func TestRunClosesBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _ := running(t, 10*time.Second, nil)
		for hours := range 4 {
			time.Sleep(59*time.Minute + 55*time.Second)
			synctest.Wait()
			seq, _, _ := d.Digest()
			require.Equal(t, uint64(hours), seq)
			time.Sleep(5 * time.Second)
			synctest.Wait()
			seq, _, audit := d.Digest()
			require.NoError(t, audit)
			require.Equal(t, uint64(hours+1), seq)
			d.Read(func(n *network.Network) {
				require.Len(t, n.Blocks(10), hours+1)
				require.Equal(t, tokenomics.Epoch(epoch+hours), n.Blocks(1)[0].Epoch)
			})
		}
	})
}

// What is over when the server starts is closed at once, not a beat later.
func TestRunCatchesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, err := door.Open(door.Config{Params: rules(), Now: func() time.Time { return hour().Add(100*time.Hour + time.Minute) }, Log: (&note{}).log()})
		require.NoError(t, err)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx, time.Hour, nil) }()
		synctest.Wait()
		seq, _, _ := d.Digest()
		require.Equal(t, uint64(1), seq)
		d.Read(func(n *network.Network) { require.Len(t, n.Blocks(1000), 100) })
		stop()
		require.NoError(t, <-ended)
	})
}

// A lease ends when it is booked to, without anybody saying so.
func TestRunEndsLeases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _ := running(t, time.Second, nil)
		s, err := scene.New(func(_ time.Time, c network.Command) ([]network.Fact, error) {
			_, facts, err := d.Do(c)
			return facts, err
		})
		require.NoError(t, err)
		_, err = s.Join(hour(), scene.Published()[0])
		require.NoError(t, err)
		_, facts, err := d.Do(network.Submit{Job: "x", Wallet: "w", Currency: tokenomics.USDC, Replicas: 1, GPUsPerReplica: 1, MaxSites: 1, Seconds: 3630})
		require.NoError(t, err)
		require.NotEmpty(t, facts)
		leases := func() (n int) {
			d.Read(func(net *network.Network) { n = net.Overview().Leases })
			return n
		}
		time.Sleep(3629 * time.Second)
		synctest.Wait()
		require.Equal(t, 1, leases())
		time.Sleep(time.Second)
		synctest.Wait()
		require.Zero(t, leases())
		d.Read(func(n *network.Network) {
			require.Len(t, n.Bills(10), 1)
			require.Equal(t, tokenomics.USD(1_800_000*3630/3600), n.Bills(1)[0].Net, "3,630 seconds at 1.80 USD an hour")
		})
	})
}

// sick is a chain that says what it is told to.
type sick struct{ trouble func() error }

func (s sick) Prepare(context.Context, []settlement.Batch) ([]settlement.Prepared, error) {
	if err := s.trouble(); err != nil {
		return nil, err
	}
	return []settlement.Prepared{{Err: settlement.ErrLater}}, nil
}

func (s sick) Send(context.Context, []settlement.Tx) error { return s.trouble() }

func (s sick) Look(context.Context, []settlement.Attempt) (settlement.Sighting, error) {
	return settlement.Sighting{}, s.trouble()
}

// Trouble with the chain is tried again in every round and logged when it changes; the loop goes on.
func TestRunLogsTroubleOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rounds := 0
		runner := &settlement.Runner{
			Open: func() []settlement.Entry { return []settlement.Entry{{State: settlement.StatePlanned}} },
			Apply: func(time.Time, settlement.Event) ([]settlement.Effect, error) {
				return nil, errors.New("nothing is applied")
			},
			Quorum: 1,
			Chains: []settlement.Chain{sick{func() error {
				rounds++
				switch {
				case rounds <= 10 || rounds > 30:
					return errors.New("no route to host")
				case rounds <= 20:
					return errors.New("rate limit")
				}
				return nil
			}}},
		}
		_, n := running(t, time.Second, runner)
		time.Sleep(39 * time.Second)
		synctest.Wait()
		require.Equal(t, 40, rounds)
		require.Equal(t, 2, strings.Count(n.String(), "no route to host"), "at first, and when it came back: %s", n)
		require.Equal(t, 1, strings.Count(n.String(), "rate limit"))
		require.Equal(t, 3, strings.Count(n.String(), "level=ERROR"))
	})
}

// The end of the loop is no trouble with the chain.
func TestRunEndsQuietly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &note{}
		d, err := door.Open(door.Config{Params: rules(), Now: hour, Log: n.log()})
		require.NoError(t, err)
		ctx, stop := context.WithCancel(t.Context())
		runner := d.Runner(sick{ctx.Err}, sick{ctx.Err})
		runner.Open = func() []settlement.Entry {
			stop() // in the middle of a round
			return []settlement.Entry{{State: settlement.StatePlanned}}
		}
		require.NoError(t, d.Run(ctx, time.Second, runner))
		require.Empty(t, n.String())
	})
}

// A door that closes while a round is under way ends the loop with the reason, and not as trouble with the chain.
func TestRunEndsWithTheDoor(t *testing.T) {
	n := &note{}
	d, err := door.Open(door.Config{Params: rules(), Now: hour, Log: n.log()})
	require.NoError(t, err)
	runner := d.Runner(closing{sick{func() error { return d.Close() }}}, sick{func() error { return nil }})
	runner.Open = func() []settlement.Entry { return []settlement.Entry{{State: settlement.StatePlanned}} }
	require.ErrorIs(t, d.Run(t.Context(), time.Nanosecond, runner), door.ErrClosed)
	require.Empty(t, n.String())
}

// closing is a chain whose Prepare succeeds after it has closed the door.
type closing struct{ sick }

func (c closing) Prepare(context.Context, []settlement.Batch) ([]settlement.Prepared, error) {
	return []settlement.Prepared{{Tx: settlement.Tx{ID: "1", Raw: []byte{1}, LastValid: 1}}}, c.trouble()
}
