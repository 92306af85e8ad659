package demo

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/idlegrid/idlegrid/internal/localnet"
	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/internal/scene"
	"github.com/idlegrid/idlegrid/internal/trace"
	"github.com/idlegrid/idlegrid/refserver/internal/door"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
	"github.com/idlegrid/idlegrid/tokenomics"
)

const (
	hosts   = 36
	sites   = 9
	seed    = 11
	history = 45 // days in which the machines were observed before the demonstration begins
	one     = tokenomics.UnitsPerToken
)

// Config says how the demonstration runs.
type Config struct {
	// Speed is how many seconds of the network pass in one of ours, 1 to 3,600.
	Speed int
	Log   *slog.Logger
	// Seen is told every fact, as door.Config.Seen.
	Seen func(at time.Time, facts []network.Fact)
}

// Demo is a running demonstration.
type Demo struct {
	Door  *door.Door
	chain *localnet.Net
	clock *clock
	scene *scene.Scene
	rng   *rand.Rand
	world trace.World
	all   []scene.Machine
	jobs  int
	down  []scene.Outage
}

// Start starts the chain, opens a door without a journal and plays the history. The context bounds the start.
func Start(ctx context.Context, c Config) (*Demo, error) {
	if c.Speed < 1 || c.Speed > 3600 {
		return nil, fmt.Errorf("demo: speed %d: want 1 to 3600", c.Speed)
	}
	world, err := trace.Generate(seed, trace.Config{Hosts: hosts, Sites: sites, DemandPPM: 4_000_000, ModelPPM: 1_000_000})
	if err != nil {
		return nil, err
	}
	calendar := tokenomics.IONet().Calendar
	begin := time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC) // new multipliers and pools, for rewards and for stake
	first, err := calendar.At(begin)
	if err != nil {
		return nil, err
	}
	d := &Demo{
		clock: &clock{speed: int64(c.Speed), at: begin.AddDate(0, 0, -history)}, rng: rand.New(rand.NewPCG(seed, 0)), //nolint:gosec // a story, not a secret
		world: world, all: append(scene.Published(), scene.Fleet(world)...),
	}
	if d.chain, err = localnet.Start(ctx, localnet.Config{
		SVM: svmtest.Config{SlotEvery: 20 * time.Millisecond, StartTime: begin}, First: first, Desk: 10_000_000 * one, Wallets: d.wallets(),
	}); err != nil {
		return nil, err
	}
	if d.Door, err = door.Open(door.Config{Params: d.chain.Params, Now: d.clock.Now, Log: c.Log, Seen: c.Seen}); err != nil {
		return nil, d.closing(err)
	}
	if d.scene, err = scene.New(func(_ time.Time, c network.Command) ([]network.Fact, error) {
		_, facts, err := d.Door.Do(c)
		return facts, err
	}); err != nil {
		return nil, d.closing(err)
	}
	if err := d.play(begin); err != nil {
		return nil, d.closing(err)
	}
	d.clock.run()
	return d, nil
}

// Chains are the endpoints through which the payments go.
func (d *Demo) Chains() []settlement.Chain { return d.chain.Chains() }

// URL is the JSON-RPC endpoint of the chain.
func (d *Demo) URL() string { return d.chain.Node.URL() }

// Close ends the chain. The door has to be closed before.
func (d *Demo) Close() error { return d.chain.Close() }

func (d *Demo) closing(err error) error {
	_ = d.chain.Close() // the error that counts is the one that ended the start
	return err
}

func renters() []string { return []string{"eve", "fay", "gus"} }

func (d *Demo) wallets() []localnet.Wallet {
	out := []localnet.Wallet{{Name: "dee", IO: 5000 * one}}
	for _, name := range renters() {
		out = append(out, localnet.Wallet{Name: name, IO: 100_000 * one, USDC: 1_000_000_000_000})
	}
	for _, name := range scene.Suppliers(d.all) {
		out = append(out, localnet.Wallet{Name: name, IO: 50_000 * one})
	}
	return out
}

// play lets the machines join, be observed for some weeks, and stake.
func (d *Demo) play(begin time.Time) error {
	at := d.clock.Now()
	for _, m := range d.all {
		if _, err := d.scene.Join(at, m); err != nil {
			return err
		}
	}
	if err := d.scene.Links(at, d.world, "fra-01", "osl-02", "ham-03"); err != nil {
		return err
	}
	stake := begin.Add(-2 * time.Hour) // early enough to count in the first block
	for ; at.Before(begin); at = at.Add(time.Hour) {
		d.clock.set(at)
		d.fail(at, 4000)
		if _, err := d.scene.Beat(at, d.down); err != nil {
			return err
		}
		if at.Equal(stake) {
			if err := d.endowAll(stake); err != nil {
				return err
			}
		}
	}
	d.clock.set(begin)
	return nil
}

// endowAll gives every machine its stake, and the A100 a co-staker.
func (d *Demo) endowAll(at time.Time) error {
	for _, m := range d.all {
		if err := d.endow(m, at); err != nil {
			return err
		}
	}
	for _, c := range []network.Command{
		network.PostOffer{Offer: "offer-1", Node: "a100", Amount: 500 * one, ShareBps: 3100, Expires: at.Add(time.Hour)},
		network.AcceptOffer{Offer: "offer-1", Holder: string(localnet.Address("dee")), Amount: 500 * one},
	} {
		if _, _, err := d.Door.Do(c); err != nil {
			return err
		}
	}
	return nil
}

// endow gives a machine its stake and its certificates. One in eight falls short of the stake, and is told so.
func (d *Demo) endow(m scene.Machine, at time.Time) error {
	var need tokenomics.Amount
	d.Door.Read(func(n *network.Network) {
		v, _ := n.Node(m.Name)
		need = v.Required
	})
	if d.rng.IntN(8) == 0 && m.Supplier != "ann" {
		need -= 50 * one
	}
	if _, _, err := d.Door.Do(network.Stake{Node: m.Name, Amount: need}); err != nil {
		return err
	}
	if d.rng.IntN(2) == 0 {
		return nil
	}
	for _, criterion := range []string{"transport encryption", "disk encryption"} {
		if _, _, err := d.Door.Do(network.Attest{Node: m.Name, Criterion: criterion, Issuer: "an auditor", Expires: at.AddDate(1, 0, 0)}); err != nil {
			return err
		}
	}
	return nil
}
