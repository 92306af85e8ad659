package sched

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
)

// sound is a fleet with a bit of everything.
func sound(t *testing.T) *Fleet {
	t.Helper()
	at := time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC)
	f, err := NewFleet(IONet())
	require.NoError(t, err)
	apply := func(e Event) {
		_, err := f.Apply(at, e)
		require.NoError(t, err)
	}
	for i := range 3 {
		id := fmt.Sprintf("n%d", i)
		apply(NodeUp{Node{
			ID: NodeID(id), Site: SiteID("s" + id), Supplier: "ann", Model: "m", MemoryMiB: 1, Devices: []gpu.DeviceID{gpu.DeviceID(id + "a"), gpu.DeviceID(id + "b")},
			CPUMilli: 8, RAMMiB: 8, Country: "DE", Connectivity: 1,
		}})
	}
	apply(LinkMeasured{"sn0", "sn1", 5, 5})
	apply(LinkMeasured{"sn0", "sn2", 6, 6})
	apply(NodeDown{"n2"})
	for i := range 3 {
		apply(Submitted{Request{
			Job: JobID(fmt.Sprintf("j%d", i)), Owner: "bob", Replicas: 1, GPUsPerReplica: 1, CPUMilli: 1, RAMMiB: 1, Duration: time.Duration(3-i) * time.Hour,
		}})
	}
	apply(Finished{"lease-2"})
	require.NoError(t, f.Audit())
	return f
}

// TestAuditSees breaks a sound fleet in one place at a time.
func TestAuditSees(t *testing.T) {
	for name, harm := range map[string]func(f *Fleet){
		"a device that two hold":     func(f *Fleet) { f.leases[2].members = f.leases[0].members },
		"a device that nobody holds": func(f *Fleet) { f.rows[0].free = 0 },
		"a count of free devices":    func(f *Fleet) { f.free++ },
		"a count of nodes":           func(f *Fleet) { f.upNodes-- },
		"CPU from nowhere":           func(f *Fleet) { f.rows[1].cpu++ },
		"more taken than there is":   func(f *Fleet) { f.leases[0].ram = 9 },
		"a price in one place":       func(f *Fleet) { f.rows[1].hour++ },
		"a node that went":           func(f *Fleet) { f.rows[0].up = false },
		"a node with two numbers":    func(f *Fleet) { f.nodeIndex["n0"] = 1 },
		"a device of another":        func(f *Fleet) { f.owner["n0a"] = 1 },
		"a device of nobody":         func(f *Fleet) { f.owner["ghost"] = 1 },
		"a link that differs":        func(f *Fleet) { f.links[0][0].delay++ },
		"links out of order":         func(f *Fleet) { f.links[0][0], f.links[0][1] = f.links[0][1], f.links[0][0] },
		"a heap out of order":        func(f *Fleet) { f.seat(0, f.due[1]); f.seat(1, 0) },
		"a grant from the future":    func(f *Fleet) { f.granted = 1 },
		"a lease that is lost":       func(f *Fleet) { delete(f.byLease, "lease-3") },
		"an end that is not counted": func(f *Fleet) { f.ended++ },
		"a lease that ends first":    func(f *Fleet) { f.leases[0].until = f.leases[0].from },
		"a lease that never ends":    func(f *Fleet) { f.leases[0].until = f.leases[0].until.AddDate(2, 0, 0) },
		"a lease from the future":    func(f *Fleet) { f.now = f.now.Add(-1) },
		"an empty lease": func(f *Fleet) {
			f.leases[0].members = nil
			f.rows[0].free, f.rows[0].cpu, f.rows[0].ram = 3, 8, 8
			f.free++
		},
		"a job that does not run": func(f *Fleet) { f.jobs["j0"] = jobState{} },
		"a job that is forgotten": func(f *Fleet) { delete(f.jobs, "j1") },
		"a job from nowhere":      func(f *Fleet) { f.jobs["ghost"] = jobState{} },
		"memory out of order":     func(f *Fleet) { f.recent = append(f.recent, endedJob{"", f.now.Add(-1)}) },
		"a slot that is lost":     func(f *Fleet) { f.vacant = nil },
	} {
		f := sound(t)
		harm(f)
		require.Error(t, f.Audit(), name)
	}
}

// TestRestoreRefuses snapshots a fleet that was broken in one place.
func TestRestoreRefuses(t *testing.T) {
	for name, harm := range map[string]func(f *Fleet){
		"two leases of one number":     func(f *Fleet) { f.leases[2].seq = 1 },
		"two leases of one job":        func(f *Fleet) { f.leases[2].job = "j0" },
		"a lease without a job":        func(f *Fleet) { f.leases[2].job = "" },
		"a lease without an owner":     func(f *Fleet) { f.leases[2].owner = "" },
		"a device that two hold":       func(f *Fleet) { f.leases[2].members = f.leases[0].members },
		"a replica without a device":   func(f *Fleet) { f.leases[2].members[0].mask = 0 },
		"a device that is not there":   func(f *Fleet) { f.leases[2].members[0].mask = 4 },
		"replicas of different size":   func(f *Fleet) { f.leases[2].members = append(f.leases[2].members, member{1, 2, 0}, member{1, 1, 0}) },
		"more CPU than there is":       func(f *Fleet) { f.leases[2].cpu = 9 },
		"more memory than there is":    func(f *Fleet) { f.leases[2].ram = 1 << 63 },
		"a price out of range":         func(f *Fleet) { f.leases[2].members[0].hour = maxHourMicro + 1 },
		"a lease on a node down":       func(f *Fleet) { f.leases[2].members[0].node = 2 },
		"a lease that ends first":      func(f *Fleet) { f.leases[2].until = f.leases[2].from },
		"a node up out of range":       func(f *Fleet) { f.facts[0].Country = "" },
		"a node down out of range":     func(f *Fleet) { f.facts[2].Connectivity = 9 },
		"two nodes of one name":        func(f *Fleet) { f.facts[1].ID = "n0" },
		"two nodes with one device":    func(f *Fleet) { f.facts[1].Devices[0] = "n0a" },
		"a node at an unknown site":    func(f *Fleet) { f.facts[1].Site = "moon" },
		"two sites of one name":        func(f *Fleet) { f.sites.list[1] = "sn0" },
		"a site without a name":        func(f *Fleet) { f.sites.list[0] = "" },
		"two links of one pair":        func(f *Fleet) { f.links[0] = append(f.links[0], f.links[0][0]) },
		"a link out of range":          func(f *Fleet) { f.links[0][0].delay = maxDelayMicros + 1 },
		"a link without a bandwidth":   func(f *Fleet) { f.links[0][0].mbps = 0 },
		"a job remembered twice":       func(f *Fleet) { f.recent = append(f.recent, f.recent[0]) },
		"a job that runs and has run":  func(f *Fleet) { f.recent[0].job = "j0" },
		"a job from the future":        func(f *Fleet) { f.recent[0].at = f.now.Add(1) },
		"memory out of order":          func(f *Fleet) { f.recent = append(f.recent, endedJob{"a", f.now.Add(-1)}) },
		"more ended than were granted": func(f *Fleet) { f.ended = 9 },
	} {
		f := sound(t)
		_, err := Restore(IONet(), f.Snapshot())
		require.NoError(t, err)
		harm(f)
		_, err = Restore(IONet(), f.Snapshot())
		require.ErrorIs(t, err, ErrSnapshot, name)
	}
	b := sound(t).Snapshot()
	for i := range b {
		_, err := Restore(IONet(), b[:i])
		require.Error(t, err, "cut after %d bytes", i)
	}
	_, err := Restore(IONet(), append(b, 0))
	require.ErrorIs(t, err, ErrSnapshot)
	_, err = Restore(Policy{}, b)
	require.ErrorIs(t, err, ErrInvalid)
}
