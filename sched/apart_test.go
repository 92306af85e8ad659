package sched_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/sched"
)

// TestApartSuppliers places replicas with as many suppliers, within the limits on sites and links, and refuses what cannot be.
func TestApartSuppliers(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	placed, refused := 0, 0
	for range 400 {
		w := randomWorld(r, 6)
		owners := map[sched.SupplierID]bool{}
		for i := range w.nodes {
			w.nodes[i].Supplier = sched.SupplierID(fmt.Sprint("owner ", r.IntN(5)))
		}
		q := randomRequest(r)
		q.Replicas, q.MaxSites, q.ApartSuppliers, q.Spares = uint16(2+r.IntN(3)), uint8(1+r.IntN(5)), true, uint16(r.IntN(2))
		q.PerSite, q.MinSites = uint16(r.IntN(3)), uint8(r.IntN(int(min(q.MaxSites, uint8(q.Replicas)))))
		for _, n := range w.nodes {
			owners[n.Supplier] = true
		}
		p, err := w.fleet(t, sched.IONet()).Try(q)
		var no *sched.UnplaceableError
		if errors.As(err, &no) {
			refused++
			require.False(t, no.Exhaustive)
			continue
		}
		require.NoError(t, err)
		placed++
		seen, load := map[sched.SupplierID]bool{}, map[sched.SiteID]int{}
		for k, m := range append(p.Members, p.Spares...) {
			require.False(t, seen[m.Supplier], "%v", p)
			seen[m.Supplier] = true
			if k < len(p.Members) {
				load[m.Site]++
			}
		}
		for _, n := range load {
			require.True(t, q.PerSite == 0 || n <= int(q.PerSite))
		}
		require.GreaterOrEqual(t, len(load), int(q.MinSites))
		p.Spares = nil
		p.HourMicro = 0
		for _, m := range p.Members {
			p.HourMicro += m.HourMicro * uint64(len(m.Devices))
		}
		w.verify(t, q, p)
	}
	require.Greater(t, placed, 20)
	require.Greater(t, refused, 20)
}

// What replaces a lost replica has another supplier than those that stay.
func TestApartSuppliersStay(t *testing.T) {
	f, err := sched.NewFleet(sched.Default())
	require.NoError(t, err)
	for i, owner := range []sched.SupplierID{"ann", "bob", "ann", "bob", "carl"} {
		n := machine(sched.NodeID(fmt.Sprint("n", i)), "s", 1)
		n.Supplier = owner
		must(f.Apply(noon, sched.NodeUp{Node: n}))
	}
	r := sched.Request{Job: "j", Owner: "o", Replicas: 2, GPUsPerReplica: 1, ApartSuppliers: true, Reform: true, Duration: 2 * time.Hour}
	effects, err := f.Apply(noon, sched.Submitted{Request: r})
	require.NoError(t, err)
	l := effects[0].(sched.Leased).Lease
	require.NotEqual(t, l.Members[0].Supplier, l.Members[1].Supplier)
	effects, err = f.Apply(noon, sched.NodeDown{Node: l.Members[0].Node})
	require.NoError(t, err)
	again := effects[0].(sched.Replaced).Lease
	require.NotEqual(t, again.Members[0].Supplier, again.Members[1].Supplier)
	require.Equal(t, l.Members[1], again.Members[1])
	_, err = f.Try(sched.Request{Job: "k", Owner: "o", Replicas: 2, GPUsPerReplica: 1, ApartSuppliers: true, OneSupplier: true, Duration: time.Hour})
	require.ErrorContains(t, err, "Request.ApartSuppliers")
}
