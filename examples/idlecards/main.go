// Command idlecards places a job of eight cards that no site can take alone: five are idle in Oslo, three in Bergen. The network leases
// them as one cluster, says why these, replaces a lost one by a spare at a third site, and meters what everybody gave.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/sched"
)

func main() {
	var out bytes.Buffer
	err := run(&out)
	if _, unwritten := out.WriteTo(os.Stdout); errors.Join(err, unwritten) != nil {
		fmt.Fprintln(os.Stderr, "idlecards:", errors.Join(err, unwritten))
		os.Exit(1)
	}
}

func run(out *bytes.Buffer) error {
	fleet, err := sched.NewFleet(sched.IONet())
	if err != nil {
		return err
	}
	s := &story{out: out, fleet: fleet, at: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	s.supply()
	job := sched.Request{
		Job: "train", Owner: "ann", Replicas: 8, GPUsPerReplica: 1, CPUMilli: 12_000, RAMMiB: 98_304, Countries: []string{"NO", "SE"},
		MaxHourMicro: 2_500_000, MinMbps: 1_000, Duration: 6 * time.Hour,
	}
	s.say(0, "Ann wants eight cards at one site; then at two, 5 ms apart; then 15 ms")
	for _, limit := range []struct{ sites, micros uint32 }{{1, 0}, {2, 5_000}, {2, 15_000}} {
		job.MaxSites, job.MaxDelayMicros = uint8(limit.sites), limit.micros
		if p, err := fleet.Try(job); err != nil {
			fmt.Fprintf(s.out, "  %v\n", err)
		} else {
			fmt.Fprintf(s.out, "  %s\n", strings.Join(p.Why(), "\n  "))
		}
	}
	s.say(0, "Carla asks why a replica of this job would not come to her")
	v, err := fleet.Why(job, "carla-1/0")
	fmt.Fprintf(s.out, "  hers is number %d of %d, %v %d against %d of %s; ", v.Rank, v.Compared, v.Lost, v.Had, v.Won, v.Chosen)
	fmt.Fprintf(s.out, "it would be the first at %d\n", v.WinsAtHourMicro)
	s.say(0, "Ann takes a spare as well, at a third site; what is held is hers when she has paid")
	job.MaxSites, job.Spares = 3, 1
	s.do(sched.Hold{Request: job})
	s.do(sched.Commit{Lease: "lease-2"})
	s.say(2*time.Hour, "A machine of Boris is lost")
	s.do(sched.NodeDown{Node: "boris-3"})
	s.say(5*time.Hour, "The clock is read an hour late: usage ends when the lease did")
	s.do(sched.Ticked{})
	return errors.Join(s.err, err, fleet.Audit())
}

// story applies events and says what followed.
type story struct {
	out   *bytes.Buffer
	fleet *sched.Fleet
	at    time.Time
	err   error
}

func (s *story) supply() {
	s.up("anna-1", "oslo", "NO", 8, 1_900_000)
	s.up("boris-1", "bergen", "NO", 1, 2_000_000)
	s.up("boris-2", "bergen", "NO", 1, 2_000_000)
	s.up("boris-3", "bergen", "NO", 1, 2_000_000)
	s.up("carla-1", "malmo", "SE", 2, 2_100_000)
	s.up("dave-1", "perth", "AU", 8, 1_200_000)
	s.do(sched.LinkMeasured{A: "oslo", B: "bergen", DelayMicros: 7_200, Mbps: 10_000})
	s.do(sched.LinkMeasured{A: "oslo", B: "malmo", DelayMicros: 9_000, Mbps: 5_000})
	s.do(sched.LinkMeasured{A: "bergen", B: "malmo", DelayMicros: 14_000, Mbps: 2_500})
	s.say(0, "Zoe has rented three of Anna's eight cards until tomorrow")
	zoe := sched.Request{Job: "render", Owner: "zoe", Replicas: 3, GPUsPerReplica: 1, Countries: []string{"NO"}, Duration: 24 * time.Hour}
	s.do(sched.Submitted{Request: zoe})
}

func (s *story) up(id, site, country string, cards int, hour uint64) {
	n := sched.Node{
		ID: sched.NodeID(id), Site: sched.SiteID(site), Supplier: sched.SupplierID(id[:len(id)-2]), Model: "NVIDIA H100 80GB HBM3",
		MemoryMiB: 81_559, CPUMilli: 128_000, RAMMiB: 1 << 20, Country: country, Connectivity: 4, Tier: 3, StandingPPM: 980_000, LossPPM: 1_500, HourMicro: hour,
	}
	for k := range cards {
		n.Devices = append(n.Devices, gpu.DeviceID(fmt.Sprintf("%s/%d", id, k)))
	}
	s.do(sched.NodeUp{Node: n})
}

func (s *story) say(after time.Duration, text string) {
	s.at = s.at.Add(after)
	fmt.Fprintf(s.out, "\n%s %s:\n", s.at.Format("15:04"), text)
}

func (s *story) do(event sched.Event) {
	effects, err := s.fleet.Apply(s.at, event)
	s.err = errors.Join(s.err, err)
	for _, e := range effects {
		switch e := e.(type) {
		case sched.Held:
			fmt.Fprintf(s.out, "  %s is held until %s; it can run to the end with %d ppm\n", e.Lease.ID, e.Until.Format("15:04:05"), e.Placement.SurvivalPPM)
		case sched.Leased:
			l := e.Lease
			fmt.Fprintf(s.out, "  %s of %s until %s: %d millionths of a dollar an hour\n", l.ID, l.Owner, l.Until.Format("Mon 15:04"), l.HourMicro)
		case sched.Replaced:
			fmt.Fprintf(s.out, "  %s: rank %d goes from %v to the spare %v\n", e.Lease.ID, e.Lost[0].Rank, e.Lost[0].Devices, e.New[0].Devices)
		case sched.Ended:
			fmt.Fprintf(s.out, "  %s: %v\n", e.Lease.ID, e.Cause)
			for _, u := range e.Usage {
				fmt.Fprintf(s.out, "    %s of %s: %v\n", u.Device, u.Supplier, time.Duration(u.Seconds)*time.Second)
			}
		default: // nothing else happens here
		}
	}
}
