// Command epoch tells one reward epoch of a network from probe to payout: the block that io.net published for
// 2024-06-20T00:00, among a fleet and jobs with the statistics of a real trace, settled on the real Solana runtime.
//
// It needs Node.js 20 for the runtime. With -openb DIR it reads the trace itself instead of the seeded generator.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/idlegrid/idlegrid/internal/localnet"
	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/internal/scene"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
	"github.com/idlegrid/idlegrid/tokenomics"
)

const (
	epoch = 105         // 2024-06-20T00:00Z; the first is 2024-06-15T16:00Z
	total = 415_972_440 // base scores of the whole block: docs/design/published-block.md
	ours  = 138_450     // of which our three machines have: 100,200 + 8,200 + 30,050
	one   = tokenomics.UnitsPerToken
	day   = 24 * time.Hour
)

func main() {
	openb := flag.String("openb", "", "folder of the openb trace; empty: the seeded generator")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *openb); err != nil {
		fmt.Fprintln(os.Stderr, "epoch:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, openb string) error {
	hour := time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC)
	s, err := scene.Open(ctx, out, openb, localnet.Config{SVM: svmtest.Config{StartTime: hour}, First: epoch, Desk: 100_000 * one, Wallets: scene.People()})
	if err != nil {
		return err
	}
	defer s.Close() //nolint:errcheck // the story is over
	eve, end := hour.Add(-2*time.Hour), hour.Add(time.Hour)
	supply(s, hour, eve)
	demand(s, hour, eve)
	reward(s, hour, end)
	s.Chapter("Settlement on the Solana runtime: the renter pays, dollars become IO, IO is shared, burned and paid out")
	s.Settle(ctx, end)
	return s.Err()
}

// supply has the machines join, be observed, stake, and reach their tiers.
func supply(s *scene.Stage, hour, eve time.Time) {
	joined, machines := hour.Add(-30*day), scene.Published()
	s.Chapter("Devices report: an inventory, signed with ed25519 over a nonce, and checked against a catalogue")
	for _, m := range machines {
		s.First(s.Join(joined, m))
	}
	s.JoinFleet(joined, "fra-01", "osl-02", "ham-03")
	s.Sayf("and %d machines of the trace's fleet: %d cards in all", len(s.Fleet), s.Net.Overview().Devices)
	s.Chapter("Availability is observed every hour for 30 days; the score is the probability of 24 h without an outage")
	for at := joined; !at.After(eve); at = at.Add(time.Hour) {
		s.Keep(s.Beat(at, []scene.Outage{
			{Machine: "a4000", From: hour.Add(-9 * day), To: hour.Add(-9*day + 3*time.Hour)},
			{Machine: "rig6", From: hour.Add(-4 * day), To: hour.Add(-3 * day)},
		}))
	}
	for _, m := range machines {
		s.Score(eve, m.Name)
	}
	s.Chapter("Stake is checked: 200 IO x max(1, multiplier) x GPUs; dee co-stakes for 31 % of the A100's rewards")
	for _, m := range machines {
		v, _ := s.Net.Node(m.Name)
		s.First(s.Net.Apply(eve, network.Stake{Node: m.Name, Amount: v.Required}))
	}
	s.Do(eve, network.PostOffer{Offer: "offer-1", Node: "a100", Amount: 500 * one, ShareBps: 3100, Expires: hour})
	s.First(s.Net.Apply(eve, network.AcceptOffer{Offer: "offer-1", Holder: string(localnet.Address("dee")), Amount: 500 * one}))
	s.Chapter("Evidence makes a tier; what is missing to the next one is said")
	s.Keep(s.Net.Apply(eve, network.Attest{Node: "a100", Criterion: "transport encryption", Issuer: "an auditor", Expires: hour.Add(365 * day)}))
	for _, m := range machines {
		s.Keep(s.Report(eve, m.Name))
		s.Tier(m.Name)
	}
}

// demand fills the fleet with the trace's jobs, and then places a job on one device and a gang over two sites.
func demand(s *scene.Stage, hour, eve time.Time) {
	s.Chapter("Jobs are placed: one device, then a gang that no site can hold alone")
	requests := s.World.Requests()
	s.Sayf("%d of %d jobs of the trace run, %d cards are left over", s.Fill(eve, "eve", day, requests), len(requests), s.Net.Overview().DevicesFree)
	s.Keep(s.Beat(hour.Add(-time.Hour), nil))
	s.Keep(s.Beat(hour, nil))
	job := network.Submit{Job: "render", Wallet: string(localnet.Address("eve")), Currency: tokenomics.USDC, Replicas: 1, GPUsPerReplica: 1, Models: []string{"Tesla T4"}, Seconds: 3600}
	s.Do(hour, job)
	job.Job, job.MaxDelayMicros = "train", 60_000
	job = s.Leftover(job)
	job.MaxSites = 1
	s.Refused(hour, job)
	job.MaxSites = 2
	s.Do(hour, job)
}

// reward ends the jobs and the hour.
func reward(s *scene.Stage, hour, end time.Time) {
	s.Chapter("Usage is metered to the second and billed, in USDC with its 2 %")
	for _, m := range scene.Published() {
		s.Keep(s.Report(hour.Add(30*time.Minute), m.Name))
	}
	s.FinishFrom(hour, hour.Add(50*time.Minute))
	s.Chapter("The hour ends: the block's rewards, equal to the published ones, and the co-staker's share")
	s.Keep(s.Net.Apply(hour.Add(59*time.Minute), network.OtherScores{Epoch: epoch, Pool: tokenomics.PoolGPU, Score: total - ours}))
	s.Keep(s.Beat(hour.Add(59*time.Minute), nil))
	s.Keep(s.Net.Apply(end, network.Tick{}))
	s.Block()
}
