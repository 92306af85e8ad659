package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/internal/localnet"
	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/internal/scene"
	"github.com/idlegrid/idlegrid/refserver/internal/door"
	"github.com/idlegrid/idlegrid/sched"
	"github.com/idlegrid/idlegrid/tokenomics"
)

const (
	beatEvery   = 10 * time.Minute // of the network
	reportEvery = 3                // beats
)

// Run moves the machines and the renters until ctx ends or the door is closed: every ten minutes of the network all
// machines are seen, every half hour they report, and now and then somebody wants a job done.
func (d *Demo) Run(ctx context.Context) error {
	every := beatEvery / time.Duration(d.clock.speed)
	tick := time.NewTicker(max(every, time.Millisecond))
	defer tick.Stop()
	for beat := 0; ; beat++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := d.step(beat); err != nil {
			if errors.Is(err, door.ErrClosed) {
				return nil
			}
			return fmt.Errorf("demo: %w", err)
		}
	}
}

func (d *Demo) step(beat int) error {
	at := d.clock.hold()
	defer d.clock.release()
	d.fail(at, 20_000)
	if _, err := d.scene.Beat(at, d.down); err != nil {
		return err
	}
	if beat%reportEvery == 0 {
		for _, m := range d.all {
			if d.isDown(m.Name, at) {
				continue
			}
			if _, err := d.scene.Report(at, m.Name); err != nil {
				return err
			}
		}
	}
	if d.rng.IntN(4) > 0 {
		return d.submit()
	}
	return nil
}

// submit has a renter ask for what one of the trace's jobs asked for, or for a gang that may span two sites. That a job
// cannot be placed is no trouble: the renter is told why.
func (d *Demo) submit() error {
	requests := d.world.Requests()
	r := requests[d.jobs%len(requests)]
	renter := renters()[d.jobs%len(renters())]
	d.jobs++
	c := network.Submit{
		Job: fmt.Sprintf("job-%04d", d.jobs), Wallet: string(localnet.Address(renter)), Currency: tokenomics.USDC,
		Replicas: r.Replicas, GPUsPerReplica: r.GPUsPerReplica, Models: r.Models, CPUMilli: r.CPUMilli, RAMMiB: r.RAMMiB,
		MaxSites: 1, Seconds: uint32(min(r.Duration, 4*time.Hour) / time.Second),
	}
	if d.jobs%4 == 0 {
		c.Replicas, c.GPUsPerReplica, c.CPUMilli, c.RAMMiB, c.MaxSites, c.MaxDelayMicros = 8, 1, 0, 0, 3, 150_000
	}
	if d.jobs%5 == 0 {
		c.Currency = tokenomics.IO
	}
	_, _, err := d.Door.Do(c)
	var place *sched.UnplaceableError
	if errors.As(err, &place) {
		return nil
	}
	return err
}

// fail lets machines fail: each with a chance of one in rarity at every call, for one to nine hours.
func (d *Demo) fail(at time.Time, rarity int) {
	keep := d.down[:0]
	for _, o := range d.down {
		if at.Before(o.To) {
			keep = append(keep, o)
		}
	}
	d.down = keep
	for _, m := range d.all {
		if d.rng.IntN(rarity) < 10 && !d.isDown(m.Name, at) {
			d.down = append(d.down, scene.Outage{Machine: m.Name, From: at, To: at.Add(time.Duration(1+d.rng.IntN(9)) * time.Hour)})
		}
	}
}

func (d *Demo) isDown(name string, at time.Time) bool {
	for _, o := range d.down {
		if o.Machine == name && at.Before(o.To) {
			return true
		}
	}
	return false
}
