package sched_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/sched"
)

// play derives events from bytes and applies them, some of them senseless. After each it holds the fleet to its promises; what is right and
// what is best is TestModel's to judge.
type play struct {
	t      testing.TB
	f      *sched.Fleet
	at     time.Time
	b      []byte
	leases []sched.LeaseID
	ended  map[sched.LeaseID]bool
	total  uint64
}

// playPolicy forgets jobs soon, and allows short leases, so that much happens.
func playPolicy() sched.Policy {
	p := sched.IONet()
	p.RememberSeconds, p.MinDurationSeconds, p.ReclaimNoticeSeconds, p.MaxQueue = 7200, 60, 900, 8
	p.Backfill, p.Rotate = sched.BackfillAll, true
	return p
}

func newPlay(t testing.TB, f *sched.Fleet, b []byte) *play {
	if f == nil {
		var err error
		f, err = sched.NewFleet(playPolicy())
		require.NoError(t, err)
	}
	p := &play{t: t, f: f, at: noon, b: b, ended: map[sched.LeaseID]bool{}, total: f.Stats().MeteredSeconds}
	if _, err := f.Apply(noon, sched.Ticked{}); err != nil { // a restored fleet may be of another time
		p.at = time.Time{}
	}
	return p
}

func (p *play) byte() int {
	if len(p.b) == 0 {
		return 0
	}
	v := p.b[0]
	p.b = p.b[1:]
	return int(v)
}

func (p *play) lease(x int) sched.LeaseID {
	if len(p.leases) == 0 || x == 255 {
		return sched.LeaseID(fmt.Sprintf("lease-%d", x))
	}
	return p.leases[len(p.leases)-1-x%min(len(p.leases), 12)]
}

func (p *play) event() sched.Event {
	kind, x, y := p.byte()%32, p.byte(), p.byte()
	id := sched.NodeID(fmt.Sprintf("n%d", x%6))
	site := sched.SiteID(fmt.Sprintf("s%d", y%4))
	switch kind {
	case 0, 1:
		return sched.NodeUp{Node: p.node(id, site, x, y)}
	case 2:
		return sched.NodeDown{Node: id}
	case 3:
		return sched.NodeChanged{Node: id, Terms: sched.NodeTerms{Tier: uint8(y % 6), StandingPPM: uint32(x) * 4000, HourMicro: uint64(y)}}
	case 4:
		return sched.LinkMeasured{A: site, B: sched.SiteID(fmt.Sprintf("s%d", x%4)), DelayMicros: uint32(x) * 100, Mbps: uint32(y)}
	case 5:
		return sched.SiteRated{Site: site, LossPPM: uint32(x) * 4000}
	case 6:
		return sched.Drain{Node: id, On: y%2 == 0}
	case 7:
		return sched.Reclaim{Node: id}
	case 8:
		return sched.Rotated{Seed: uint32(x)<<24 | uint32(y)}
	case 9:
		return sched.Migrate{Moves: []sched.Move{{Lease: p.lease(x), Rank: y%5 - 1, To: id}, {Lease: p.lease(y), To: id}}[:y%3]}
	case 10, 11:
		return sched.Commit{Lease: p.lease(x)}
	case 12:
		return sched.Release{Lease: p.lease(x)}
	case 13:
		return sched.Extend{Lease: p.lease(x), By: time.Duration(y-8) * 600 * time.Second}
	case 14:
		return sched.FundsEnded{Lease: p.lease(x), Until: p.at.Add(time.Duration(y-8) * time.Minute)}
	case 15:
		return sched.FundsAdded{Lease: p.lease(x)}
	case 16, 17:
		return sched.Finished{Lease: p.lease(x)}
	case 18, 19, 20:
		return sched.Hold{Request: p.request(x, y), TTL: time.Duration(y%70-2) * time.Minute}
	case 21, 22, 23, 24, 25, 26:
		return sched.Submitted{Request: p.request(x, y)}
	}
	return sched.Ticked{}
}

func (p *play) node(id sched.NodeID, site sched.SiteID, x, y int) sched.Node {
	n := machine(id, site, 1+y%17) // 17 is one too many
	n.HourMicro, n.CPUMilli = uint64(x)*1000, uint64(1+y)*1000
	n.Shares, n.MIG = x%3 == 0, x%5 == 0
	n.LossPPM = uint32(x) * 4000
	if x%7 == 0 {
		n.Devices[0] = "shared" // by several nodes
	}
	if y%4 == 0 {
		n.Islands = make([]uint8, len(n.Devices))
		n.Islands[0] = uint8(x % 20)
	}
	return n
}

func (p *play) request(x, y int) sched.Request {
	z := p.byte()
	r := sched.Request{
		Job: sched.JobID(fmt.Sprintf("j%d", x%32)), Owner: "ann", Replicas: uint16(y % 7), GPUsPerReplica: uint16(x % 4), MaxSites: uint8(y % 4),
		CPUMilli: uint64(x%5) * 3000, MaxDelayMicros: uint32(y%3) * 8000, Duration: time.Duration(1+x%5)*time.Hour + time.Duration(y%3)*time.Second,
		Queue: z%3 == 0, Reform: z%2 == 0, Priority: uint8(z % 5), Class: sched.Class(z % 4), OneSupplier: z%11 == 0, ApartNodes: z%13 == 0,
	}
	switch z % 8 {
	case 1:
		r.GPUsPerReplica, r.ShareMilli = 1, uint16(z)*4
	case 2:
		r.GPUsPerReplica, r.MIG = 1, sched.MIGProfile(z%9)
	case 3:
		r.Spares = uint16(z % 4)
	case 4:
		r.MinSurvivalPPM, r.MinSites = uint32(z)*3900, uint8(z%3)
	case 5:
		r.NotBefore = p.at.Add(time.Duration(z-16) * 10 * time.Minute)
	case 6:
		r.NotAfter = p.at.Add(time.Duration(z-16) * 10 * time.Minute)
	case 7:
		r.MayRelax, r.PerSite = []sched.Field{sched.FieldDelay, sched.Field(z % 10)}, uint16(z%4)
		r.Alternatives = []sched.Alternative{{GPUsPerReplica: uint16(z % 5)}}
	}
	return r
}

func (p *play) step() {
	at := p.at.Add(time.Duration(p.byte()-8) * 37 * time.Second) // sometimes backwards
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
		case sched.Held:
			p.leases = append(p.leases, x.Lease.ID)
		case sched.Queued:
			p.leases = append(p.leases, x.Lease)
		case sched.Ended:
			require.False(p.t, p.ended[x.Lease.ID], "%s ended twice", x.Lease.ID)
			p.ended[x.Lease.ID] = true
			for _, u := range x.Usage {
				p.total += u.Seconds
			}
		}
	}
	s := p.f.Stats()
	require.Equal(p.t, p.total, s.MeteredSeconds)
	require.Equal(p.t, s.Granted-uint64(s.Running), s.Ended)
}

// twin restores the fleet and checks that the copy goes on in the same way.
func (p *play) twin(e sched.Event) {
	pol := playPolicy()
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
	p := newPlay(t, nil, nil)
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
		p := newPlay(t, nil, b[:min(len(b), 600)])
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
		p := newPlay(f, nil, nil)
		for range 200 {
			p.b = binary.LittleEndian.AppendUint64(nil, r.Uint64())
			p.step()
		}
		f.Add(p.f.Snapshot())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := sched.Restore(playPolicy(), b)
		if err != nil {
			require.True(t, errors.Is(err, sched.ErrSnapshot) || errors.Is(err, sched.ErrPolicyMismatch), "%v", err)
			return
		}
		require.NoError(t, g.Audit())
		require.True(t, bytes.Equal(b, g.Snapshot()), "one state, one encoding")
		p := newPlay(t, g, b[:min(len(b), 200)]) // and it is one with which things go on
		p.at = later(p.at, g.View().At())
		for len(p.b) > 0 {
			p.step()
		}
	})
}
