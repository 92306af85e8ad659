package verifier_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/internal/worker"
	"github.com/idlegrid/idlegrid/refserver/internal/verifier"
)

// Sixteen devices that answer side by side all pass, while ticks and strangers come in between.
func TestAllPass(t *testing.T) {
	in(t, nil, func(t *testing.T, l *lab) {
		hands := l.offer(devices(16))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- l.v.Run(ctx, 100*time.Millisecond) }()
		together(hands, func(_ int, h *hand) {
			_, err := l.v.Answer(t.Context(), h.id, h.device, []byte("rubbish"))
			require.ErrorIs(t, err, gpu.ErrMalformed)
			h.until(worker.StepDone)
		})
		cancel()
		require.NoError(t, <-ended)
		for i, p := range l.found() {
			require.True(t, p.Passed, "%d: %s", i, p.Reason)
			require.True(t, p.Judged)
			require.Equal(t, "host", p.Node)
			require.Equal(t, devices(16)[i].ID, p.Device)
		}
		require.Len(t, l.found(), 16)
	})
}

// The same entropy, clock and answers give the same questions and verdicts.
func TestDeterminism(t *testing.T) {
	run := func() (sum [32]byte) {
		in(t, nil, func(t *testing.T, l *lab) {
			h := sha256.New()
			hands := l.offer(devices(2))
			for hands[0].step.Kind != worker.StepDone || hands[1].step.Kind != worker.StepDone {
				for _, x := range hands { // one after another: a step that waits for the other device waits in vain, and is asked for again
					if x.step.Kind == worker.StepDone {
						continue
					}
					x.say(x.honest())
					require.NoError(t, json.NewEncoder(h).Encode(x.step))
				}
			}
			require.NoError(t, json.NewEncoder(h).Encode(l.found()))
			for _, p := range l.found() {
				require.True(t, p.Judged, p.Reason)
			}
			h.Sum(sum[:0])
		})
		return sum
	}
	require.Equal(t, run(), run())
}

// The task fits the device: work and walk last about as long as they may, so that the line's delay is noise.
func TestTaskFits(t *testing.T) {
	in(t, nil, func(t *testing.T, l *lab) {
		h := l.offer(devices(1))[0]
		h.until(worker.StepFill)
		s := *h.step.Spec
		want := uint64(250) // thousandths of a second
		require.LessOrEqual(t, s.Memory.Reads(), measured().ReadsPerSec*want/1000)
		require.Greater(t, 2*s.Memory.Reads(), measured().ReadsPerSec*want/1000)
		require.LessOrEqual(t, s.Ops(), measured().OpsPerSec*want/1000)
		require.LessOrEqual(t, s.DeviceBytes(), uint64(4<<20)/10)
	})
	require.GreaterOrEqual(t, verifier.Full().Memory.Cost, uint32(256), "making a line anew is dear")
	for name, change := range map[string]func(r *challenge.Rate){
		"no rate of the walk": func(r *challenge.Rate) { r.ReadsPerSec = 0 },
		"no rate of the work": func(r *challenge.Rate) { r.OpsPerSec = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			r := measured()
			change(&r)
			in(t, func(c *verifier.Config) {
				var err error
				c.Rates, err = challenge.NewRates([]challenge.Rate{r})
				require.NoError(t, err)
			}, func(t *testing.T, l *lab) {
				h := l.offer(devices(1))[0]
				h.until(worker.StepFill)
				require.Equal(t, verifier.Least().Memory, h.step.Spec.Memory)
				h.until(worker.StepWork)
				l.pass(time.Second) // a slow line, where the least task is over in no time
				h.until(worker.StepDone)
				p := l.found()[0]
				require.True(t, p.Passed, p.Reason)
				require.False(t, p.Judged)
			})
		})
	}
}

// A device that is late fails alone; where a line breaks nobody is Proven.
func TestLateAndBroken(t *testing.T) {
	in(t, nil, func(t *testing.T, l *lab) {
		together(l.offer(devices(3)), func(i int, h *hand) {
			h.until(worker.StepWork)
			a := h.honest()
			if i == 1 {
				time.Sleep(time.Second)
			}
			h.say(a)
			h.until(worker.StepDone)
		})
		p := l.found()
		require.Equal(t, []bool{true, false, true}, []bool{p[0].Judged, p[1].Judged, p[2].Judged})
		require.Equal(t, string(challenge.RateLow), p[1].Reason)
	})
	in(t, nil, func(t *testing.T, l *lab) {
		together(l.offer(devices(3)), func(i int, h *hand) {
			h.until(worker.StepFill)
			if i == 1 {
				h.say(worker.Answer{Kind: worker.Failed, Text: "all memory is let"})
			}
			h.until(worker.StepDone)
		})
		p := l.found()
		require.Equal(t, []bool{true, false, true}, []bool{p[0].Passed, p[1].Passed, p[2].Passed})
		require.Equal(t, []bool{false, false, false}, []bool{p[0].Judged, p[1].Judged, p[2].Judged})
		require.Equal(t, string(challenge.Transport), p[1].Reason)
	})
}

// Once the work has begun an agent cannot walk away from what it is asked.
func TestGivingUp(t *testing.T) {
	for step, want := range map[string]challenge.Reason{
		worker.StepPing: challenge.Transport, worker.StepFill: challenge.Transport, worker.StepWork: challenge.TimeoutCommit,
		worker.StepWalk: challenge.TimeoutWalk, worker.StepOpen: challenge.TimeoutOpen,
	} {
		t.Run(step, func(t *testing.T) {
			in(t, nil, func(t *testing.T, l *lab) {
				h := l.offer(devices(1))[0]
				h.until(step)
				h.say(worker.Answer{Kind: worker.Failed, Text: "I would rather not"})
				require.Equal(t, worker.StepDone, h.step.Kind)
				require.Equal(t, string(want), l.found()[0].Reason)
				require.False(t, l.found()[0].Passed)
			})
		})
	}
}

// Who did not hear what followed from an answer hands in the same bytes again; the verifier does not take them twice.
func TestLostStep(t *testing.T) {
	in(t, nil, func(t *testing.T, l *lab) {
		h := l.offer(devices(1))[0]
		var before []byte
		for h.step.Kind != worker.StepDone {
			h.say(h.honest())
			step, err := l.v.Answer(t.Context(), h.id, 0, h.last)
			require.NoError(t, err)
			require.Equal(t, h.step, step)
			if before != nil {
				_, err = l.v.Answer(t.Context(), h.id, 0, before)
				require.ErrorIs(t, err, gpu.ErrNonce, "but not what was before it")
			}
			before = h.last
		}
		require.Len(t, l.found(), 1)
		require.True(t, l.found()[0].Judged, l.found()[0].Reason)
	})
}

// A nonce is good for one answer, however many come over it at once.
func TestOneAnswerForANonce(t *testing.T) {
	in(t, nil, func(t *testing.T, l *lab) {
		h := l.offer(devices(1))[0]
		var signed [16][]byte
		for i := range signed {
			r := gpu.Report{Kind: gpu.AnswerReport, Key: h.key.public, Seq: uint64(i), Nonce: h.nonce, Body: []byte{worker.Pong}}
			var err error
			signed[i], err = r.Sign(h.key.private)
			require.NoError(t, err)
		}
		var errs [16]error
		var wait sync.WaitGroup
		for i, b := range signed {
			wait.Go(func() { _, errs[i] = l.v.Answer(t.Context(), h.id, 0, b) })
		}
		wait.Wait()
		taken := 0
		for _, err := range errs {
			if err == nil {
				taken++
				continue
			}
			require.ErrorIs(t, err, gpu.ErrNonce)
		}
		require.Equal(t, 1, taken)
	})
}

// A challenge that goes on into the next epoch is the node's only one.
func TestOneAtATime(t *testing.T) {
	in(t, nil, func(t *testing.T, l *lab) {
		h := l.offer(devices(1))[0]
		h.until(worker.StepFill)
		for range 20 { // two and a half epochs, of the five minutes that a table may take
			l.pass(8 * time.Second)
			_, due, err := l.v.Offer("host", devices(1))
			require.NoError(t, err)
			require.False(t, due)
		}
		h.until(worker.StepDone)
		require.True(t, l.found()[0].Judged, l.found()[0].Reason)
	})
}

// An answer of one device is none of another, and one challenge's is none of the next.
func TestReplays(t *testing.T) {
	in(t, nil, func(t *testing.T, l *lab) {
		hands := l.offer(devices(2))
		first := hands[0].sign(gpu.AnswerReport, worker.Answer{Kind: worker.Pong})
		_, err := l.v.Answer(t.Context(), hands[0].id, 1, first)
		require.ErrorIs(t, err, gpu.ErrNonce)
		_, err = l.v.Answer(t.Context(), hands[0].id, 0, hands[0].sign(gpu.HeartbeatReport, worker.Answer{Kind: worker.Pong}))
		require.ErrorIs(t, err, worker.ErrMessage)
		for _, device := range []int{-1, 2, 1 << 40} {
			_, err = l.v.Answer(t.Context(), hands[0].id, device, first)
			require.ErrorIs(t, err, verifier.ErrUnknown)
		}
		_, err = l.v.Answer(t.Context(), hands[0].id, 0, hands[0].sign(gpu.AnswerReport, worker.Answer{Kind: worker.Filled}))
		require.ErrorIs(t, err, verifier.ErrOrder)
		together(hands, func(_ int, h *hand) { h.until(worker.StepDone) })
		require.True(t, l.found()[0].Judged && l.found()[1].Judged)

		again := l.offer(devices(2))
		require.NotEqual(t, hands[0].id, again[0].id)
		_, err = l.v.Answer(t.Context(), again[0].id, 0, first)
		require.ErrorIs(t, err, gpu.ErrNonce)
	})
}

// Only the key that speaks for the node now is heard: not a stranger's, and not the old one once it was replaced.
func TestKeys(t *testing.T) {
	in(t, nil, func(t *testing.T, l *lab) {
		h := l.offer(devices(1))[0]
		h.until(worker.StepFill)
		fill := h.honest()
		old, next := h.key, agentKey("host, later")
		h.key = agentKey("mallory")
		for _, a := range []worker.Answer{fill, {Kind: worker.Failed}} {
			_, err := l.v.Answer(t.Context(), h.id, 0, h.sign(gpu.AnswerReport, a))
			require.ErrorIs(t, err, gpu.ErrUnknownKey, "nobody fails in another's name")
		}
		h.key = old
		forged := h.sign(gpu.AnswerReport, fill)
		forged[len(forged)-1] ^= 1
		_, err := l.v.Answer(t.Context(), h.id, 0, forged)
		require.ErrorIs(t, err, gpu.ErrSignature)
		l.lets(old.public, "")
		l.lets(next.public, "host")
		_, err = l.v.Answer(t.Context(), h.id, 0, h.sign(gpu.AnswerReport, worker.Answer{Kind: worker.Failed}))
		require.ErrorIs(t, err, gpu.ErrUnknownKey)
		h.key = next
		h.say(fill)
		h.until(worker.StepDone)
		require.True(t, l.found()[0].Judged, "a rotation does not end a challenge")
	})
}

// A node is challenged once an epoch, not before its time, and by one challenge at once. Silence ends one, and leaves nothing.
func TestSilence(t *testing.T) {
	in(t, nil, func(t *testing.T, l *lab) {
		seen := map[int64]bool{}
		for range 5 {
			h := l.offer(devices(1))[0]
			epoch := time.Now().Unix() / 60
			require.False(t, seen[epoch], "once an epoch")
			seen[epoch] = true
			_, due, err := l.v.Offer("host", devices(1))
			require.NoError(t, err)
			require.False(t, due, "one at a time")
			l.pass(3 * time.Second)
			require.Equal(t, string(challenge.Transport), l.found()[len(seen)-1].Reason, "a line that never was is no evidence")
			late := h.sign(gpu.AnswerReport, worker.Answer{Kind: worker.Pong})
			step, err := l.v.Answer(t.Context(), h.id, 0, late)
			require.NoError(t, err)
			require.Equal(t, worker.StepDone, step.Kind, "who comes late hears how it ended")
			l.pass(25 * time.Second)
			_, err = l.v.Answer(t.Context(), h.id, 0, late)
			require.ErrorIs(t, err, verifier.ErrUnknown, "and then it is forgotten")
		}
		require.Len(t, l.found(), 5)
	})
}

// A device that falls silent in the midst is late, whatever the others do; a call that its caller gave up changes nothing.
func TestSilenceInTheMidst(t *testing.T) {
	for step, want := range map[string]challenge.Reason{
		worker.StepFill: challenge.TimeoutFill, worker.StepWork: challenge.TimeoutCommit, worker.StepWalk: challenge.TimeoutWalk,
		worker.StepOpen: challenge.TimeoutOpen,
	} {
		t.Run(step, func(t *testing.T) {
			in(t, nil, func(t *testing.T, l *lab) {
				hands := l.offer(devices(2))
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- l.v.Run(ctx, 100*time.Millisecond) }()
				together(hands, func(i int, h *hand) {
					if i == 1 {
						h.until(step)
						return
					}
					h.until(worker.StepFill)
					a := h.honest()
					gone, leave := context.WithTimeout(t.Context(), time.Millisecond)
					defer leave()
					h.last = h.sign(gpu.AnswerReport, a)
					if _, err := l.v.Answer(gone, h.id, h.device, h.last); err != nil {
						require.ErrorIs(t, err, context.DeadlineExceeded)
					}
					next, err := l.v.Answer(t.Context(), h.id, h.device, h.last) // the same once more
					require.NoError(t, err)
					h.step, h.nonce = next, next.Nonce
					h.until(worker.StepDone)
				})
				time.Sleep(6 * time.Minute)
				cancel()
				require.NoError(t, <-ended)
				p := l.found()
				require.Len(t, p, 2)
				require.True(t, p[0].Judged, p[0].Reason)
				require.Equal(t, string(want), p[1].Reason)
			})
		})
	}
}

func TestNewRefuses(t *testing.T) {
	good := verifier.Config{
		Params: challenge.DefaultParams(), Schedule: challenge.Schedule{Epoch: time.Hour}, Work: time.Second, MemoryPPM: 1, Entropy: &stream{},
		Now: time.Now, Do: func(network.Prove) error { return nil },
	}
	_, err := verifier.New(good)
	require.NoError(t, err)
	for want, change := range map[string]func(c *verifier.Config){
		"tolerance 0":        func(c *verifier.Config) { c.Params.Tolerance = 0 },
		"epoch 0s":           func(c *verifier.Config) { c.Schedule.Epoch = 0 },
		"load of 66667 ppm":  func(c *verifier.Config) { c.Schedule.Epoch = time.Minute },
		"memory_ppm 0":       func(c *verifier.Config) { c.MemoryPPM = 0 },
		"memory_ppm 1000001": func(c *verifier.Config) { c.MemoryPPM = 1_000_001 },
	} {
		c := good
		change(&c)
		_, err := verifier.New(c)
		require.ErrorContains(t, err, want)
	}
}

func TestReadRates(t *testing.T) {
	published, err := verifier.ReadRates("")
	require.NoError(t, err)
	r, ok := published.Rate("NVIDIA L40", challenge.Int8)
	require.True(t, ok)
	require.Zero(t, r.OpsPerSec, "nothing is proven by a vendor's figure")
	path := filepath.Join(t.TempDir(), "rates.json")
	write := func(v any) {
		b, err := json.Marshal(v)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, b, 0o600))
	}
	write([]challenge.Rate{measured()})
	own, err := verifier.ReadRates(path)
	require.NoError(t, err)
	r, _ = own.Rate(model, challenge.Int8)
	require.Equal(t, measured(), r)
	write([]challenge.Rate{measured(), measured()})
	_, err = verifier.ReadRates(path)
	require.ErrorContains(t, err, "stands twice")
	write("rates")
	_, err = verifier.ReadRates(path)
	require.ErrorContains(t, err, "verifier: rates")
	_, err = verifier.ReadRates(path + ".none")
	require.ErrorIs(t, err, os.ErrNotExist)
}
