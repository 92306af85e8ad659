package network_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/sched"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// refused is a command that the world of published refuses at the given instant, with what its error wraps and says.
type refused struct {
	name string
	c    func(w *world, at time.Time) network.Command
	is   error
	says string
}

func just(c network.Command) func(*world, time.Time) network.Command {
	return func(*world, time.Time) network.Command { return c }
}

// aReport is the signed report of a machine after somebody has meddled with the agent, or with the bytes.
func aReport(meddle func(w *world, at time.Time) []byte) func(*world, time.Time) network.Command {
	return func(w *world, at time.Time) network.Command { return network.Report{Signed: meddle(w, at)} }
}

func refusedReports() []refused {
	return []refused{
		{"a report that is none", just(network.Report{Signed: []byte("hello")}), gpu.ErrMalformed, "5 bytes"},
		{"no report", just(network.Report{}), gpu.ErrMalformed, "0 bytes"},
		{"a forged report", aReport(func(w *world, at time.Time) []byte {
			b := w.signed(at, "a100")
			b[len(b)-100] ^= 1
			return b
		}), gpu.ErrSignature, ""},
		{"a report that somebody else signed in its name", aReport(func(w *world, at time.Time) []byte {
			b := w.signed(at, "a100")
			key := w.agents["a4000"].Key()
			i := bytes.Index(b, key[:1])
			require.Positive(w.t, i)
			own := w.agents["a100"].Key()
			return []byte(strings.Replace(string(b), string(own[:]), string(key[:]), 1))
		}), gpu.ErrSignature, ""},
		{"a replayed report", aReport(func(w *world, at time.Time) []byte {
			b := w.signed(at, "a100")
			w.do(at, network.Report{Signed: b})
			return b
		}), gpu.ErrReplay, "is not open"},
		{"an answer to the challenge before", aReport(func(w *world, at time.Time) []byte {
			b := w.signed(at, "a100")
			w.signed(at, "a100")
			return b
		}), gpu.ErrReplay, ""},
		{"a report from the future", aReport(func(w *world, at time.Time) []byte {
			w.do(at, network.Challenge{Key: w.agents["a100"].Key(), Nonce: network.Key{1}})
			b, err := w.agents["a100"].Report(at.Add(time.Hour), [32]byte{1})
			require.NoError(w.t, err)
			return b
		}), gpu.ErrSkew, ""},
		{"of an agent that nobody enrolled", aReport(func(w *world, at time.Time) []byte {
			b, err := w.agent("stranger", a4000, 1).Report(at, [32]byte{1})
			require.NoError(w.t, err)
			return b
		}), gpu.ErrUnknownKey, ""},
		{"memory that the model does not have", aReport(func(w *world, at time.Time) []byte {
			w.agents["a4000"].Devices[0].MemoryMiB = 81920
			return w.signed(at, "a4000")
		}), nil, "memory-total"},
		{"the same card twice", aReport(func(w *world, at time.Time) []byte {
			a := w.agents["rig6"]
			a.Devices[5] = a.Devices[0]
			return w.signed(at, "rig6")
		}), nil, "duplicate-uuid"},
		{"somebody else's card", aReport(func(w *world, at time.Time) []byte {
			w.agents["rig6"].Devices = w.agents["a100"].Devices
			return w.signed(at, "rig6")
		}), nil, `known under another key, of supplier "ann"`},
	}
}

func refusedNodes() []refused {
	up := network.List{Node: "a100", Site: "s", Country: "DE", Connectivity: 4, CPUMilli: 1, RAMMiB: 1}
	enrol := func(name, supplier string) func(*world, time.Time) network.Command {
		return func(w *world, _ time.Time) network.Command {
			return network.Enrol{Node: name, Key: w.agent("fresh", a4000, 1).Key(), Supplier: supplier}
		}
	}
	with := func(change func(l *network.List)) func(*world, time.Time) network.Command {
		l := up
		l.Node = "bare"
		change(&l)
		return func(w *world, at time.Time) network.Command {
			w.do(at, network.Enrol{Node: "bare", Key: w.agent("bare", a4000, 1).Key(), Supplier: "ann"})
			return l
		}
	}
	return []refused{
		{"a name that is taken", enrol("a100", "ann"), network.ErrKnownNode, `"a100"`},
		{"no name", enrol("", "ann"), network.ErrInvalid, "1 to 128 bytes"},
		{"a long name", enrol(strings.Repeat("x", 129), "ann"), network.ErrInvalid, "1 to 128 bytes"},
		{"no supplier", enrol("x", ""), gpu.ErrInvalid, "supplier is empty"},
		{"a long supplier", enrol("x", strings.Repeat("x", 129)), gpu.ErrInvalid, "supplier has 129 bytes"},
		{"the vault as supplier", enrol("x", "rewards"), network.ErrInvalid, `supplier "rewards" is an account of the network's own`},
		{"the escrow as supplier", enrol("x", "escrow"), network.ErrInvalid, "network's own"},
		{"a key that is taken", func(w *world, _ time.Time) network.Command {
			return network.Enrol{Node: "x", Key: w.agents["a100"].Key(), Supplier: "ann"}
		}, gpu.ErrKnownKey, ""},
		{"a key that anybody can sign for", just(network.Enrol{Node: "x", Supplier: "ann"}), gpu.ErrWeakKey, ""},
		{"a challenge of a stranger", just(network.Challenge{Key: network.Key{9}, Nonce: network.Key{1}}), gpu.ErrUnknownKey, ""},
		{"a challenge without a nonce", func(w *world, _ time.Time) network.Command {
			return network.Challenge{Key: w.agents["a100"].Key()}
		}, gpu.ErrNonce, ""},
		{"a listing of a stranger", just(network.List{Node: "x"}), network.ErrUnknownNode, `"x"`},
		{"a new site", just(up), network.ErrInvalid, "only its price can change"},
		{"no country", with(func(l *network.List) { l.Country = "de" }), sched.ErrInvalid, "Country"},
		{"no site", with(func(l *network.List) { l.Site = "" }), sched.ErrInvalid, "Site"},
		{"connectivity 0", with(func(l *network.List) { l.Connectivity = 0 }), sched.ErrInvalid, "Connectivity"},
		{"connectivity 5", with(func(l *network.List) { l.Connectivity = 5 }), sched.ErrInvalid, "Connectivity"},
		{"too dear", with(func(l *network.List) { l.HourMicro = 1_000_000_000_001 }), sched.ErrInvalid, "HourMicro"},
		{"a link to itself", just(network.Link{A: "x", B: "x", Mbps: 1}), sched.ErrInvalid, ""},
		{"heartbeat of a stranger", just(network.Heartbeats{Up: []string{"a100", "x"}}), network.ErrUnknownNode, `"x"`},
		{"up and down", just(network.Heartbeats{Up: []string{"a100"}, Down: []string{"a100"}}), network.ErrInvalid, "twice"},
		{"attestation of a stranger", just(network.Attest{Node: "x", Criterion: "SOC 2", Issuer: "y", Expires: hour.AddDate(1, 0, 0)}), network.ErrUnknownNode, ""},
		{"attestation of nothing", just(network.Attest{Node: "a100", Issuer: "y", Expires: hour.AddDate(1, 0, 0)}), network.ErrInvalid, "criterion"},
		{"attestation by nobody", just(network.Attest{Node: "a100", Criterion: "SOC 2", Expires: hour.AddDate(1, 0, 0)}), network.ErrInvalid, "issuer"},
		{"attestation that is over", func(_ *world, at time.Time) network.Command {
			return network.Attest{Node: "a100", Criterion: "SOC 2", Issuer: "y", Expires: at}
		}, network.ErrInvalid, "expiry after 2024-06-20T00:10:00Z"},
	}
}

func refusedMoney() []refused {
	job := network.Submit{Job: "j", Wallet: "eve", Currency: tokenomics.IO, Replicas: 1, GPUsPerReplica: 1, Seconds: 3600}
	with := func(change func(c *network.Submit)) func(*world, time.Time) network.Command {
		c := job
		change(&c)
		return just(c)
	}
	offer := func(id, node string, n tokenomics.Amount, bps uint32) func(*world, time.Time) network.Command {
		return just(network.PostOffer{Offer: id, Node: node, Amount: n, ShareBps: bps, Expires: hour.Add(time.Hour)})
	}
	return []refused{
		{"stake of a stranger", just(network.Stake{Node: "x", Amount: 1}), network.ErrUnknownNode, `"x"`},
		{"stake of nothing", just(network.Stake{Node: "a100"}), staking.ErrAmount, ""},
		{"stake before a report", func(w *world, at time.Time) network.Command {
			w.do(at, network.Enrol{Node: "bare", Key: w.agent("bare", a4000, 1).Key(), Supplier: "ann"})
			return network.Stake{Node: "bare", Amount: 1}
		}, staking.ErrNoBond, "bare"},
		{"an offer that is known", offer("offer-1", "a100", one, 500), staking.ErrOfferExists, "offer-1"},
		{"an offer beyond the half", offer("o", "a100", one, 500), staking.ErrCoStake, "500"},
		{"an offer of a small share", offer("o", "a4000", one, 499), staking.ErrRewardShare, "499 bps"},
		{"an offer of a stranger", offer("o", "x", one, 500), network.ErrUnknownNode, ""},
		{"no such offer", just(network.AcceptOffer{Offer: "x", Holder: "ivy", Amount: 1}), network.ErrInvalid, `no offer "x"`},
		{"an offer that is filled", just(network.AcceptOffer{Offer: "offer-1", Holder: "ivy", Amount: 500 * one}), staking.ErrOfferOver, ""},
		{"an offer to oneself", func(w *world, at time.Time) network.Command {
			w.do(at, network.PostOffer{Offer: "o", Node: "a4000", Amount: one, ShareBps: 500, Expires: at.Add(1)})
			return network.AcceptOffer{Offer: "o", Holder: "bo", Amount: one}
		}, staking.ErrSelfStake, ""},
		{"a part of an offer", func(w *world, at time.Time) network.Command {
			w.do(at, network.PostOffer{Offer: "o", Node: "a4000", Amount: 2 * one, ShareBps: 500, Expires: at.Add(1)})
			return network.AcceptOffer{Offer: "o", Holder: "ivy", Amount: one}
		}, staking.ErrAmount, ""},
		{"the desk as holder", func(w *world, at time.Time) network.Command {
			w.do(at, network.PostOffer{Offer: "o", Node: "a4000", Amount: one, ShareBps: 500, Expires: at.Add(1)})
			return network.AcceptOffer{Offer: "o", Holder: "desk", Amount: one}
		}, network.ErrInvalid, "network's own"},
		{"no price", just(network.SetPrice{Source: "x"}), tokenomics.ErrPrice, ""},
		{"a price of nobody's", just(network.SetPrice{MicroPerToken: 1}), tokenomics.ErrPrice, "source"},
		{"a price above all", just(network.SetPrice{MicroPerToken: 1e15 + 1, Source: "x"}), tokenomics.ErrPrice, ""},
		{"a price below all", just(network.SetPrice{MicroPerToken: 1084, Source: "x"}), network.ErrInvalid, "cannot be converted"},
		{"a job in no currency", with(func(c *network.Submit) { c.Currency = 0 }), network.ErrInvalid, "currency"},
		{"a job in a strange currency", with(func(c *network.Submit) { c.Currency = tokenomics.Card + 1 }), network.ErrInvalid, "currency"},
		{"a job of nobody's", with(func(c *network.Submit) { c.Wallet = "" }), sched.ErrInvalid, "Owner"},
		{"a job of the escrow's", with(func(c *network.Submit) { c.Wallet = "escrow" }), network.ErrInvalid, `wallet "escrow"`},
		{"a job of the treasury's", with(func(c *network.Submit) { c.Wallet = "treasury" }), network.ErrInvalid, "network's own"},
		{"a job for too short a time", with(func(c *network.Submit) { c.Seconds = 3599 }), sched.ErrInvalid, "3599"},
		{"a job of no replica", with(func(c *network.Submit) { c.Replicas = 0 }), sched.ErrInvalid, "Replicas"},
		{"a job of 17 cards", with(func(c *network.Submit) { c.GPUsPerReplica = 17 }), sched.ErrInvalid, "GPUsPerReplica"},
		{"a job that nobody can hold", with(func(c *network.Submit) { c.GPUsPerReplica = 7 }), nil, "3 size"},
		{"a job that is known", func(w *world, at time.Time) network.Command {
			w.do(at, job)
			return job
		}, sched.ErrDuplicateJob, `"j"`},
		{"no such lease", just(network.Finish{Lease: "lease-9"}), sched.ErrUnknownLease, "lease-9"},
		{"a closed block", just(network.OtherScores{Epoch: epoch - 1, Pool: tokenomics.PoolGPU, Score: 1}), network.ErrInvalid, "epoch 104 is closed"},
		{"no pool", just(network.OtherScores{Epoch: epoch, Score: 1}), network.ErrInvalid, "unknown pool 0"},
		{"an unknown pool", just(network.OtherScores{Epoch: epoch, Pool: tokenomics.PoolCommunity + 1, Score: 1}), network.ErrInvalid, "unknown pool 5"},
		{"a score beyond all", just(network.OtherScores{Epoch: epoch, Pool: tokenomics.PoolGPU, Score: 1<<62 + 1}), network.ErrInvalid, "2^62"},
		{"a decision from outside", just(network.Settle{Event: settlement.Decided{}}), network.ErrInvalid, "only the network decides"},
		{"a retry from outside", just(network.Settle{Event: settlement.Retried{}}), network.ErrInvalid, "only the network decides"},
		{"a recovery from outside", just(network.Settle{Event: settlement.Recovering{LastValid: 1}}), network.ErrInvalid, "is lost with it or not at all"},
		{"news of no batch", just(network.Settle{Event: settlement.Resumed{Batch: settlement.BatchID{Epoch: 1}}}), settlement.ErrUnknownBatch, ""},
	}
}

// TestRefused has every refusal change nothing: at the instant of the command before it the digest stays, and later the
// state is that of a network to which only time has passed.
func TestRefused(t *testing.T) {
	at := hour.Add(10 * time.Minute)
	for _, rows := range [][]refused{refusedReports(), refusedNodes(), refusedMoney()} {
		for _, row := range rows {
			t.Run(row.name, func(t *testing.T) {
				w := published(t)
				w.do(at, network.Tick{})
				c := row.c(w, at)
				_, err := w.apply(at, c)
				require.Error(t, err)
				if row.is != nil {
					require.ErrorIs(t, err, row.is)
				}
				require.ErrorContains(t, err, row.says)

				twin := w.replayed()
				require.Equal(t, twin.Digest(), w.net.Digest())
				facts, err := w.apply(at.Add(time.Second), c)
				require.Error(t, err)
				require.Empty(t, facts)
				_, err = twin.Apply(at.Add(time.Second), network.Tick{})
				require.NoError(t, err)
				require.Equal(t, twin.Digest(), w.net.Digest())
			})
		}
	}
}

// TestRefusedAfterTheHour closes the block that is due, although the command is refused.
func TestRefusedAfterTheHour(t *testing.T) {
	w := published(t)
	attend(w)
	facts, err := w.apply(hour.Add(time.Hour), network.Finish{Lease: "x"})
	require.ErrorIs(t, err, sched.ErrUnknownLease)
	require.Len(t, of[network.Closed](facts), 1)
	require.Equal(t, w.net.Digest(), w.replayed().Digest())
}

func TestTime(t *testing.T) {
	w := published(t)
	now := w.net.Now()
	before := w.net.Digest()
	for _, at := range []time.Time{now.Add(-1), {}, time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(2106, 1, 1, 0, 0, 0, 0, time.UTC)} {
		for _, c := range []network.Command{network.Tick{}, network.Heartbeats{Up: []string{"a100"}}} {
			_, err := w.net.Apply(at, c)
			require.Error(t, err)
			require.Equal(t, at.Year() < 1970 || at.Year() > 2105, isRange(err), err)
			require.Equal(t, before, w.net.Digest())
			require.Equal(t, now, w.net.Now())
		}
	}
	_, err := w.net.Apply(now.Add(-1), network.Tick{})
	require.ErrorIs(t, err, network.ErrTimeBackwards)
	_, err = w.net.Apply(now.In(time.FixedZone("x", 3600)), network.Tick{})
	require.NoError(t, err, "an instant is the same in every zone")
	require.Equal(t, now, w.net.Now())
	require.Equal(t, before, w.net.Digest())

	n, err := network.New(network.IONet(accounts(), lastEpoch(t)+1))
	require.NoError(t, err)
	for _, at := range []time.Time{time.Unix(0, 0), time.Date(2105, 12, 31, 23, 59, 59, 999_999_999, time.UTC)} {
		_, err = n.Apply(at, network.Enrol{Node: at.String(), Key: w.agent(at.String(), a4000, 1).Key(), Supplier: "ann"})
		require.NoError(t, err)
		_, err = n.Apply(at, network.Heartbeats{Up: []string{at.String()}})
		require.NoError(t, err)
	}
	require.NoError(t, n.Audit())
}

func isRange(err error) bool { return strings.Contains(err.Error(), network.ErrTimeRange.Error()) }

func TestParams(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(p *network.Params)
		says   string
	}{
		{"valid", func(*network.Params) {}, ""},
		{"no first epoch", func(p *network.Params) { p.First = 0 }, "first: epochs count from 1"},
		{"beyond the last epoch", func(p *network.Params) { p.First = 200_000 }, "200000"},
		{"an account is empty", func(p *network.Params) { p.Accounts.Desk = "" }, "accounts"},
		{"two accounts are one", func(p *network.Params) { p.Accounts.Desk = p.Accounts.Escrow }, "accounts"},
		{"no reference", func(p *network.Params) { p.Reference = tokenomics.Price{} }, "reference"},
		{"a reference that no bill fits", func(p *network.Params) { p.Reference.MicroPerToken = 1084 }, "cannot be converted"},
		{"a limit that could refuse a debt", func(p *network.Params) {
			p.Settlement.Limits = []settlement.Limit{{Mint: p.IO.Mint, MaxDay: 1}}
		}, "Limits must be empty"},
		{"an asset that is not settled", func(p *network.Params) { p.USDC.Decimals = 7 }, "usdc"},
		{"one asset twice", func(p *network.Params) { p.USDC = p.IO }, "usdc"},
		{"no version", func(p *network.Params) { p.Sched.Version = "" }, "sched"},
		{"a negative uptime", func(p *network.Params) { p.MinUptime = -1 }, "min_uptime"},
		{"reports of no age", func(p *network.Params) { p.ReportAge = 0 }, "report_age"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := network.IONet(accounts(), epoch)
			row.change(&p)
			n, err := network.New(p)
			if row.says == "" {
				require.NoError(t, err)
				require.Equal(t, p, n.Params())
				return
			}
			require.ErrorContains(t, err, row.says)
			require.Nil(t, n)
		})
	}
}
