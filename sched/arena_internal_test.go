package sched

import (
	"encoding/binary"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
)

const someUUID = "8d1d5f1c-3f0a-4f0e-9b7a-1c2d3e4f5a6b"

func TestKeyForms(t *testing.T) {
	for _, c := range []struct {
		name, id string
		kind     byte
	}{
		{"gpu", "GPU-" + someUUID, kindGPU},
		{"mig", "MIG-" + someUUID, kindMIG},
		{"bare", someUUID, kindUUID},
		{"capital digit", "GPU-8D1d5f1c-3f0a-4f0e-9b7a-1c2d3e4f5a6b", kindRaw + 40},
		{"capital bare", strings.ToUpper(someUUID), kindRaw + 36},
		{"other prefix", "TPU-" + someUUID, kindRaw + 40},
		{"lower prefix", "gpu-" + someUUID, kindRaw + 40},
		{"dash moved", "GPU-8d1d5f1c3-f0a-4f0e-9b7a-1c2d3e4f5a6b", kindRaw + 40},
		{"just below 0", "GPU-/d1d5f1c-3f0a-4f0e-9b7a-1c2d3e4f5a6b", kindRaw + 40},
		{"just above 9", "GPU-:d1d5f1c-3f0a-4f0e-9b7a-1c2d3e4f5a6b", kindRaw + 40},
		{"just below a", "GPU-8d1d5f1c-3f0a-4f0e-9b7a-1c2d3e4f5a6`", kindRaw + 40},
		{"just above f", "GPU-8d1d5f1c-3f0a-4f0e-9b7a-1c2d3e4f5a6g", kindRaw + 40},
		{"one short", "GPU-" + someUUID[:35], kindRaw + 39},
		{"one long", "GPU-" + someUUID + "0", kindRaw + 41},
		{"empty", "", kindRaw},
		{"longest", strings.Repeat("x", maxRaw), 255},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newKey(c.id)
			require.Equal(t, c.kind, k.kind)
			e, rest := readID(appendID(nil, k))
			require.Empty(t, rest)
			require.Equal(t, c.id, e.String())
			require.True(t, e.is(&k))
			require.Equal(t, k.hash(), e.hash())
		})
	}
	require.Panics(t, func() { appendID(nil, newKey(strings.Repeat("x", maxRaw+1))) })
}

func TestLongIDIsNotFound(t *testing.T) {
	var x ids
	x.put(0, "", []gpu.DeviceID{"a"})
	for _, id := range []string{strings.Repeat("x", maxRaw+1), strings.Repeat("x", 1000)} {
		_, ok := x.node(NodeID(id))
		require.False(t, ok)
	}
}

// names is what ids has to agree with.
type nameOracle struct {
	nodes   map[int32]NodeID
	devices map[int32][]gpu.DeviceID
}

func (o *nameOracle) check(t *testing.T, x *ids) {
	t.Helper()
	for n, id := range o.nodes {
		got, ok := x.node(id)
		require.True(t, ok, id)
		require.Equal(t, n, got)
		require.Equal(t, id, x.nodeID(n))
		require.Equal(t, o.devices[n], x.devices(n))
		for k, d := range o.devices[n] {
			node, at, ok := x.device(d)
			require.True(t, ok, d)
			require.Equal(t, n, node)
			require.Equal(t, k, at)
			require.Equal(t, d, x.deviceID(n, k))
		}
	}
	total := 0
	for _, d := range o.devices {
		total += len(d)
	}
	require.Equal(t, len(o.nodes), int(x.tables[ofNodes].used))
	require.Equal(t, total, int(x.tables[ofDevices].used))
}

func uuidOf(r *rand.Rand) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], r.Uint64())
	binary.BigEndian.PutUint64(b[8:], r.Uint64())
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func someIDs(r *rand.Rand, serial int) (NodeID, []gpu.DeviceID) {
	node := NodeID(fmt.Sprintf("node-%07d", serial))
	if r.Intn(4) == 0 {
		node = NodeID(uuidOf(r))
	}
	devices := make([]gpu.DeviceID, 1+r.Intn(maxDevices))
	mixed := r.Intn(3) == 0
	for k := range devices {
		switch {
		case mixed && r.Intn(2) == 0:
			devices[k] = gpu.DeviceID(fmt.Sprintf("card %d of %d", k, serial))
		case mixed && r.Intn(2) == 0:
			devices[k] = gpu.DeviceID("MIG-" + uuidOf(r))
		default:
			devices[k] = gpu.DeviceID("GPU-" + uuidOf(r))
		}
	}
	return node, devices
}

func TestIDsAgainstMaps(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	var x ids
	o := nameOracle{map[int32]NodeID{}, map[int32][]gpu.DeviceID{}}
	for serial := range 12_000 {
		n := int32(r.Intn(1500))
		if old, ok := o.nodes[n]; ok {
			gone := o.devices[n]
			x.drop(n)
			delete(o.nodes, n)
			delete(o.devices, n)
			_, ok := x.node(old)
			require.False(t, ok)
			for _, d := range gone {
				_, _, ok := x.device(d)
				require.False(t, ok)
			}
		} else {
			id, devices := someIDs(r, serial)
			x.put(n, id, devices)
			o.nodes[n], o.devices[n] = id, devices
		}
		require.LessOrEqual(t, x.dead, max(x.live, arenaPage))
		if serial%2000 == 0 {
			o.check(t, &x)
		}
	}
	o.check(t, &x)
	x.drop(1 << 20) // has no names
	for n := range o.nodes {
		x.drop(n)
		x.drop(n)
	}
	for i := range x.tables {
		require.Zero(t, x.tables[i].used)
		require.Equal(t, -1, firstTag(&x.tables[i]))
	}
}

func firstTag(t *idTable) int {
	for i := range t.size {
		if t.tags.at(i) != 0 {
			return int(i)
		}
	}
	return -1
}

// TestIDsCollide puts names whose home is the last slot, so that runs wrap around the end of the table.
func TestIDsCollide(t *testing.T) {
	var x ids
	x.put(0, "first", []gpu.DeviceID{"first"})
	table := &x.tables[ofNodes]
	for node, serial := int32(1), 0; node <= 40; serial++ {
		id := NodeID(fmt.Sprint("n", serial))
		k := newKey(string(id))
		if table.home(k.hash()) < table.size-3 {
			continue
		}
		x.put(node, id, []gpu.DeviceID{gpu.DeviceID(fmt.Sprint("d", node))})
		node++
	}
	require.EqualValues(t, pageLen, table.size)
	for node := int32(1); node <= 40; node += 3 {
		x.drop(node)
	}
	for node := range int32(41) {
		if node%3 == 1 {
			continue
		}
		got, ok := x.node(x.nodeID(node))
		require.True(t, ok)
		require.Equal(t, node, got)
	}
}

func TestIDsPutRefuses(t *testing.T) {
	var x ids
	require.Panics(t, func() { x.put(0, "n", nil) })
	require.Panics(t, func() { x.put(0, "n", make([]gpu.DeviceID, maxDevices+1)) })
	require.Panics(t, func() { x.put(maxNodes, "n", []gpu.DeviceID{"d"}) })
	require.Panics(t, func() { x.put(0, NodeID(strings.Repeat("x", maxRaw+1)), []gpu.DeviceID{"d"}) })
	require.Panics(t, func() { x.put(0, "n", []gpu.DeviceID{gpu.DeviceID(strings.Repeat("x", maxRaw+1))}) })
	x.put(0, "n", []gpu.DeviceID{"d"})
	require.Equal(t, []gpu.DeviceID{"d"}, x.devices(0))
}

// TestIDsView reads a view while the writer drops, puts and compacts.
func TestIDsView(t *testing.T) {
	r := rand.New(rand.NewSource(2))
	var x ids
	o := nameOracle{map[int32]NodeID{}, map[int32][]gpu.DeviceID{}}
	for n := range int32(800) {
		o.nodes[n], o.devices[n] = someIDs(r, int(n))
		x.put(n, o.nodes[n], o.devices[n])
	}
	v := x.view()
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() { o.check(t, &v) })
	}
	for n := range int32(800) {
		x.drop(n)
		id, devices := someIDs(r, int(n)+10_000)
		x.put(n, id, devices)
	}
	wg.Wait()
	o.check(t, &v)
	_, ok := x.node(o.nodes[3])
	require.False(t, ok)
}

func FuzzIDs(f *testing.F) {
	f.Add("GPU-"+someUUID, "node-1")
	f.Add("MIG-"+someUUID, someUUID)
	f.Add("", "x")
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > maxRaw || len(b) > maxRaw || a == b {
			return
		}
		var x ids
		x.put(7, NodeID(a), []gpu.DeviceID{gpu.DeviceID(a), gpu.DeviceID(b)})
		x.put(9, NodeID(b), []gpu.DeviceID{gpu.DeviceID("c" + a)})
		require.Equal(t, NodeID(a), x.nodeID(7))
		require.True(t, slices.Equal([]gpu.DeviceID{gpu.DeviceID(a), gpu.DeviceID(b)}, x.devices(7)))
		x.drop(7)
		n, ok := x.node(NodeID(b))
		require.True(t, ok)
		require.EqualValues(t, 9, n)
		_, _, ok = x.device(gpu.DeviceID(b))
		require.Equal(t, b == "c"+a, ok)
	})
}
