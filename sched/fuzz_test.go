package sched_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/sched"
)

// play derives events from bytes and applies them, some of them senseless. After each it holds the fleet to its promises.
type play struct {
	t      testing.TB
	f      *sched.Fleet
	at     time.Time
	b      []byte
	leases []sched.LeaseID
	booked map[sched.LeaseID]sched.Lease
	usage  map[sched.LeaseID]int
	total  uint64
}

func newPlay(t testing.TB, b []byte) *play {
	p := sched.IONet()
	p.RememberSeconds = 7200
	f, err := sched.NewFleet(p)
	require.NoError(t, err)
	must(f.Apply(noon, sched.Ticked{})) // so that nothing older is taken
	return &play{t: t, f: f, at: noon, b: b, booked: map[sched.LeaseID]sched.Lease{}, usage: map[sched.LeaseID]int{}}
}

func (p *play) byte() int {
	if len(p.b) == 0 {
		return 0
	}
	v := p.b[0]
	p.b = p.b[1:]
	return int(v)
}

func (p *play) event() sched.Event {
	kind, x, y := p.byte()%12, p.byte(), p.byte()
	id := sched.NodeID(fmt.Sprintf("n%d", x%6))
	site := sched.SiteID(fmt.Sprintf("s%d", y%4))
	switch kind {
	case 0, 1:
		n := machine(id, site, 1+y%17) // 17 is one too many
		n.HourMicro, n.CPUMilli = uint64(x)*1000, uint64(1+y)*1000
		if x%7 == 0 {
			n.Devices[0] = "shared" // by several nodes
		}
		return sched.NodeUp{Node: n}
	case 2:
		return sched.NodeDown{Node: id}
	case 3:
		return sched.NodeChanged{Node: id, Terms: sched.NodeTerms{Tier: uint8(y % 6), StandingPPM: uint32(x) * 4000, HourMicro: uint64(y)}}
	case 4:
		return sched.LinkMeasured{A: site, B: sched.SiteID(fmt.Sprintf("s%d", x%4)), DelayMicros: uint32(x) * 100, Mbps: uint32(y)}
	case 5, 6, 7, 8:
		return sched.Submitted{Request: sched.Request{
			Job: sched.JobID(fmt.Sprintf("j%d", x%32)), Owner: "ann", Replicas: uint16(y % 7), GPUsPerReplica: uint16(1 + x%4), MaxSites: uint8(y % 4),
			CPUMilli: uint64(x%5) * 3000, MaxDelayMicros: uint32(y%3) * 8000, Duration: time.Duration(1+x%5)*time.Hour + time.Duration(y%3)*time.Second,
		}}
	case 9, 10:
		if len(p.leases) > 0 {
			return sched.Finished{Lease: p.leases[x%len(p.leases)]}
		}
		return sched.Finished{Lease: "none"}
	}
	return sched.Ticked{}
}

func (p *play) step() {
	at := p.at.Add(time.Duration(p.byte()-8) * 97 * time.Second) // sometimes backwards
	e := p.event()
	before := p.f.Digest()
	effects, err := p.f.Apply(at, e)
	if err != nil {
		require.Empty(p.t, effects)
		require.Equal(p.t, before, p.f.Digest(), "%T was refused (%v) and changed the fleet", e, err)
		return
	}
	require.False(p.t, at.Before(p.at))
	p.at = at
	require.NoError(p.t, p.f.Audit())
	for _, x := range effects {
		switch x := x.(type) {
		case sched.Leased:
			p.leases = append(p.leases, x.Lease.ID)
			p.booked[x.Lease.ID] = x.Lease
		case sched.Ended:
			p.ended(at, e, x)
		}
	}
	s := p.f.Stats()
	require.Equal(p.t, p.total, s.MeteredSeconds)
	require.Len(p.t, p.booked, s.Running)
}

// ended checks that usage is what the lease held, for each device once.
func (p *play) ended(at time.Time, e sched.Event, x sched.Ended) {
	l, running := p.booked[x.Lease.ID]
	require.True(p.t, running, "%s ended twice, or never began", x.Lease.ID)
	delete(p.booked, x.Lease.ID)
	end := at
	if !at.Before(l.Until) {
		end = l.Until
		require.Equal(p.t, sched.CauseExpired, x.Cause)
	} else {
		require.NotEqual(p.t, sched.CauseExpired, x.Cause)
		require.NotEqual(p.t, sched.Ticked{}, e, "a tick ended %s early", l.ID)
	}
	require.Equal(p.t, end, x.Lease.Until)
	require.Equal(p.t, l.Members, x.Lease.Members)
	devices := map[gpu.DeviceID]uint64{}
	for _, m := range l.Members {
		for _, d := range m.Devices {
			devices[d] = m.HourMicro
		}
	}
	require.Len(p.t, x.Usage, len(devices))
	for _, u := range x.Usage {
		hour, held := devices[u.Device]
		require.True(p.t, held)
		require.Equal(p.t, hour, u.HourMicro)
		require.Equal(p.t, uint64(end.Sub(l.From)/time.Second), u.Seconds)
		delete(devices, u.Device)
		p.total += u.Seconds
	}
}

// twin restores the fleet and checks that the copy goes on in the same way.
func (p *play) twin(e sched.Event) {
	pol := sched.IONet()
	pol.RememberSeconds = 7200
	g, err := sched.Restore(pol, p.f.Snapshot())
	require.NoError(p.t, err)
	require.Equal(p.t, p.f.Digest(), g.Digest())
	require.Equal(p.t, p.f.Stats(), g.Stats())
	f, err := sched.Restore(pol, p.f.Snapshot())
	require.NoError(p.t, err)
	at := p.at.Add(time.Hour)
	a, err1 := f.Apply(at, e)
	b, err2 := g.Apply(at, e)
	require.Equal(p.t, a, b)
	require.Equal(p.t, err1, err2)
	require.Equal(p.t, f.Digest(), g.Digest())
}

// TestLongPlay is a fuzz input of some length.
func TestLongPlay(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	p := newPlay(t, nil)
	for range 20_000 {
		p.b = binary.LittleEndian.AppendUint64(nil, r.Uint64())
		p.step()
	}
	s := p.f.Stats()
	t.Logf("%+v after 20,000 events", s)
	require.Greater(t, s.Granted, uint64(1000))
	require.Equal(t, s.Granted-uint64(s.Running), s.Ended)
}

func FuzzEvents(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 32 {
		b := make([]byte, 0, 400)
		for len(b) < 400 {
			b = binary.LittleEndian.AppendUint64(b, r.Uint64())
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p := newPlay(t, b[:min(len(b), 600)])
		for len(p.b) > 0 {
			p.step()
		}
		p.twin(sched.Submitted{Request: sched.Request{Job: "next", Owner: "bob", Replicas: 4, GPUsPerReplica: 1, MaxSites: 3, Duration: time.Hour}})
		p.twin(sched.Ticked{})
	})
}

func FuzzRestore(f *testing.F) {
	f.Add([]byte{})
	r := rand.New(rand.NewPCG(4, 4))
	for range 8 {
		p := newPlay(f, nil)
		for range 200 {
			p.b = binary.LittleEndian.AppendUint64(nil, r.Uint64())
			p.step()
		}
		f.Add(p.f.Snapshot())
	}
	policy := sched.IONet()
	policy.RememberSeconds = 7200
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := sched.Restore(policy, b)
		if err != nil {
			return
		}
		require.NoError(t, g.Audit())
		require.Equal(t, b, g.Snapshot(), "one state, one encoding")
	})
}
