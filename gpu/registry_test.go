package gpu_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/internal/golden"
)

// enrolled is a registry that knows ann and bob, both challenged with nonce(1).
func enrolled(t testing.TB) *gpu.Registry {
	t.Helper()
	g := registry(t)
	for _, name := range []string{"ann", "bob"} {
		_, public := agentKey(name)
		apply(t, g, noon, gpu.Enrolled{Key: public, Supplier: name})
		apply(t, g, noon, gpu.Challenged{Key: public, Nonce: nonce(1)})
	}
	return g
}

func TestRegistryRefuses(t *testing.T) {
	_, ann := agentKey("ann")
	_, eve := agentKey("eve")
	report := func(name string, seq uint64, sent time.Time, n [32]byte, inv gpu.Inventory) gpu.Event {
		return gpu.Reported{Signed: sign(t, name, seq, sent, n, inv)}
	}
	liar := h100s(1, 1)
	liar.Devices[0].MemoryMiB = 81920
	flipped := sign(t, "ann", 1, noon, nonce(1), h100s(1, 1))
	flipped[len(flipped)-70] ^= 1
	for name, c := range map[string]struct {
		at   time.Time
		e    gpu.Event
		want error // nil: admitted
	}{
		"good":                     {noon, report("ann", 1, noon, nonce(1), h100s(1, 1)), nil},
		"earlier than the last":    {noon.Add(-1), report("ann", 1, noon, nonce(1), h100s(1, 1)), gpu.ErrTimeBackwards},
		"no event":                 {noon, nil, gpu.ErrInvalid},
		"enrolled twice":           {noon, gpu.Enrolled{Key: ann, Supplier: "ann"}, gpu.ErrKnownKey},
		"no supplier":              {noon, gpu.Enrolled{Key: eve}, gpu.ErrInvalid},
		"no key":                   {noon, gpu.Enrolled{Supplier: "eve"}, gpu.ErrWeakKey},
		"challenge for nobody":     {noon, gpu.Challenged{Key: eve, Nonce: nonce(2)}, gpu.ErrUnknownKey},
		"no nonce":                 {noon, gpu.Challenged{Key: ann}, gpu.ErrNonce},
		"nonce again":              {noon, gpu.Challenged{Key: ann, Nonce: nonce(1)}, gpu.ErrNonce},
		"rubbish":                  {noon, gpu.Reported{Signed: []byte("rubbish")}, gpu.ErrMalformed},
		"key nobody enrolled":      {noon, report("eve", 1, noon, nonce(1), h100s(1, 1)), gpu.ErrUnknownKey},
		"bit flipped in the body":  {noon, gpu.Reported{Signed: flipped}, gpu.ErrSignature},
		"another nonce":            {noon, report("ann", 1, noon, nonce(2), h100s(1, 1)), gpu.ErrReplay},
		"sequence number 0":        {noon, report("ann", 0, noon, nonce(1), h100s(1, 1)), gpu.ErrReplay},
		"sent 30 s ago":            {noon.Add(30 * time.Second), report("ann", 1, noon, nonce(1), h100s(1, 1)), nil},
		"sent 30.001 s ago":        {noon.Add(30*time.Second + 1), report("ann", 1, noon, nonce(1), h100s(1, 1)), gpu.ErrSkew},
		"sent in 30 s":             {noon, report("ann", 1, noon.Add(30*time.Second), nonce(1), h100s(1, 1)), nil},
		"sent in 30.001 s":         {noon, report("ann", 1, noon.Add(30001*time.Millisecond), nonce(1), h100s(1, 1)), gpu.ErrSkew},
		"sent an age ago":          {noon, report("ann", 1, time.Time{}, nonce(1), h100s(1, 1)), gpu.ErrSkew},
		"no devices":               {noon, report("ann", 1, noon, nonce(1), h100s(1, 0)), gpu.ErrInvalid},
		"modified board":           {noon, report("ann", 1, noon, nonce(1), withModel("NVIDIA GeForce RTX 4090", 0x2684, 49140)), nil},
		"unknown model":            {noon, report("ann", 1, noon, nonce(1), withModel("NVIDIA Tomorrow", 1, 1)), nil},
		"sixteen devices":          {noon, report("ann", 1, noon, nonce(1), h100s(1, 16)), nil},
		"contradiction (see next)": {noon, report("ann", 1, noon, nonce(1), liar), errContradiction},
	} {
		t.Run(name, func(t *testing.T) {
			g := enrolled(t)
			before := g.Digest()
			var foretold error
			r, isReport := c.e.(gpu.Reported)
			if isReport {
				foretold = g.Refuses(c.at, r.Signed)
				require.Equal(t, before, g.Digest(), "a question changes nothing")
			}
			out, err := g.Apply(c.at, c.e)
			if isReport {
				require.Equal(t, err, foretold)
			}
			require.NoError(t, g.Audit())
			if c.want == nil {
				require.NoError(t, err)
				require.Len(t, out, 1)
				require.NotEqual(t, before, g.Digest())
				return
			}
			if errors.Is(c.want, errContradiction) {
				var e *gpu.ContradictionError
				require.ErrorAs(t, err, &e)
				require.Equal(t, []string{"0 memory-total contradiction"}, rules(e.Findings))
				require.EqualError(t, err, `gpu: inventory contradicts itself: device 0: memory-total (contradiction): `+
					`"NVIDIA H100 80GB HBM3" has 81920 MiB, drivers report [81559]`)
			} else {
				require.ErrorIs(t, err, c.want)
			}
			require.Empty(t, out)
			require.Equal(t, before, g.Digest(), "a refusal changes nothing")
			apply(t, g, noon, gpu.Reported{Signed: sign(t, "ann", 1, noon, nonce(1), h100s(1, 1))}) // the honest turn is not spoilt
		})
	}
}

var errContradiction = errors.New("a contradiction")

func withModel(model string, id uint16, mib uint64) gpu.Inventory {
	inv := h100s(1, 1)
	d := &inv.Devices[0]
	d.Model, d.PCIDeviceID, d.MemoryMiB = model, id, mib
	return inv
}

func TestRegistryReplay(t *testing.T) {
	g := enrolled(t)
	_, ann := agentKey("ann")
	first := gpu.Reported{Signed: sign(t, "ann", 5, noon, nonce(1), h100s(1, 1))}
	apply(t, g, noon, first)
	for range 3 {
		_, err := g.Apply(noon, first)
		require.ErrorIs(t, err, gpu.ErrReplay)
	}
	_, err := g.Apply(noon, gpu.Challenged{Key: ann, Nonce: nonce(1)})
	require.ErrorIs(t, err, gpu.ErrNonce, "a used nonce is not posed again")
	apply(t, g, noon, gpu.Challenged{Key: ann, Nonce: nonce(2)})
	_, err = g.Apply(noon, gpu.Reported{Signed: sign(t, "ann", 5, noon, nonce(2), h100s(1, 1))})
	require.ErrorIs(t, err, gpu.ErrReplay, "the sequence number must rise")
	apply(t, g, noon, gpu.Challenged{Key: ann, Nonce: nonce(3)})
	_, err = g.Apply(noon, gpu.Reported{Signed: sign(t, "ann", 6, noon, nonce(2), h100s(1, 1))})
	require.ErrorIs(t, err, gpu.ErrReplay, "a new challenge replaces the open one")
	apply(t, g, noon, gpu.Reported{Signed: sign(t, "ann", 6, noon, nonce(3), h100s(1, 1))})
}

func TestRegistryDevices(t *testing.T) {
	g := enrolled(t)
	_, ann := agentKey("ann")
	_, bob := agentKey("bob")
	apply(t, g, noon, gpu.Reported{Signed: sign(t, "ann", 1, noon, nonce(1), h100s(1, 2))})

	_, err := g.Apply(noon, gpu.Reported{Signed: sign(t, "bob", 1, noon, nonce(1), h100s(2, 2))})
	var taken *gpu.IdentityTakenError
	require.ErrorAs(t, err, &taken)
	require.Equal(t, gpu.IdentityTakenError{Device: uuid(2), Supplier: "ann"}, *taken)
	require.EqualError(t, err, fmt.Sprintf("gpu: device %q is known under another key, of supplier \"ann\"", string(uuid(2))))
	apply(t, g, noon, gpu.Reported{Signed: sign(t, "bob", 1, noon, nonce(1), h100s(3, 1))})

	later := noon.Add(time.Hour)
	inv := h100s(2, 1) // device 1 is gone; device 2 moved and has another serial number and VBIOS
	inv.Devices[0].Serial, inv.Devices[0].VBIOS = "7", "96.00"
	apply(t, g, later, gpu.Challenged{Key: ann, Nonce: nonce(2)})
	out := apply(t, g, later, gpu.Reported{Signed: sign(t, "ann", 2, later, nonce(2), inv)})
	admitted := out[0].(gpu.Admitted)
	require.Equal(t, []string{
		"0 identity-change suspicious", "0 identity-change suspicious", "0 identity-change suspicious",
	}, rules(admitted.Findings))
	require.Equal(t, gpu.Consistent, admitted.Assurance)
	require.Equal(t, inv, admitted.Inventory)

	var got []string
	for r := range g.Devices() {
		got = append(got, fmt.Sprint(r.Device.ID[4:12], " ", r.Supplier, " ", r.Present, " ", r.Since.Equal(r.Seen)))
	}
	require.Equal(t, []string{"00000001 ann false true", "00000002 ann true false", "00000003 bob true true"}, got)
	for range g.Devices() { // a loop may end early
		break
	}
	r, ok := g.Device(uuid(3))
	require.True(t, ok)
	want := h100s(3, 1).Devices[0]
	require.Equal(t, gpu.Record{
		Device: want, Key: bob, Supplier: "bob", Assurance: gpu.Consistent, Since: noon, Seen: noon, Present: true,
	}, r)
	_, ok = g.Device("GPU-none")
	require.False(t, ok)

	// Device 1 is gone from ann's inventory and is still not bob's to report: its UUID is no secret.
	apply(t, g, later, gpu.Challenged{Key: bob, Nonce: nonce(2)})
	_, err = g.Apply(later, gpu.Reported{Signed: sign(t, "bob", 2, later, nonce(2), h100s(1, 1))})
	require.ErrorAs(t, err, &taken)
}

// For a key of small order a signature can be made that fits any message, so such a key is not enrolled.
func TestRegistryWeakKeys(t *testing.T) {
	forged := append([]byte{1}, make([]byte, 63)...) // R the neutral point, S zero
	neutral := append([]byte{1}, make([]byte, 31)...)
	require.True(t, ed25519.Verify(neutral, []byte("whatever"), forged), "why this check is needed")
	ff := "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	for _, y := range []string{
		"00", "01", "ec" + ff + "7f", "ed" + ff + "7f", "ee" + ff + "7f",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	} {
		for _, sign := range []byte{0, 0x80} {
			var key [32]byte
			b, err := hex.DecodeString(y)
			require.NoError(t, err)
			copy(key[:], b)
			key[31] |= sign
			_, err = registry(t).Apply(noon, gpu.Enrolled{Key: key, Supplier: "eve"})
			require.ErrorIs(t, err, gpu.ErrWeakKey, "%x", key)
		}
	}
	for _, y := range []string{"02", "eb" + ff + "7f", "ef" + ff + "7f", "0001", "01" + ff[:58] + "01"} {
		var key [32]byte
		b, err := hex.DecodeString(y)
		require.NoError(t, err)
		copy(key[:], b)
		apply(t, registry(t), noon, gpu.Enrolled{Key: key, Supplier: "ann"})
	}
}

func TestParams(t *testing.T) {
	require.NoError(t, gpu.Default().Validate())
	const month = 30 * 24 * time.Hour
	for want, change := range map[string]func(*gpu.Params){
		"version is empty":                      func(p *gpu.Params) { p.Version = "" },
		"skew_ns 0s is not in":                  func(p *gpu.Params) { p.Skew = 0 },
		"skew_ns -1ns is not in":                func(p *gpu.Params) { p.Skew = -1 },
		"skew_ns 1h0m0.000000001s":              func(p *gpu.Params) { p.Skew = time.Hour + 1 },
		"consistent_for_ns 0s is not in":        func(p *gpu.Params) { p.ConsistentFor = 0 },
		"proven_for_ns -1ns is not in":          func(p *gpu.Params) { p.ProvenFor = -1 },
		"attested_for_ns 720h0m0.000000001s is": func(p *gpu.Params) { p.AttestedFor = month + 1 },
	} {
		p := gpu.Default()
		change(&p)
		require.ErrorContains(t, p.Validate(), want)
		_, err := gpu.NewRegistry(p)
		require.ErrorIs(t, err, gpu.ErrInvalid)
		_, err = gpu.Restore(p, nil)
		require.ErrorIs(t, err, gpu.ErrInvalid)
	}
	require.NoError(t, gpu.Params{Version: "v", Skew: 1, ConsistentFor: 1, ProvenFor: 1, AttestedFor: 1}.Validate())
	require.NoError(t, gpu.Params{Version: "v", Skew: time.Hour, ConsistentFor: month, ProvenFor: month, AttestedFor: month}.Validate())
}

// world plays a seeded life of some agents, honest and not, and returns the registry with a line an event.
func world(t testing.TB, seed uint64, events int) (*gpu.Registry, []byte) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	g := registry(t)
	var log bytes.Buffer
	at := noon
	open := map[string][32]byte{}
	for n := range events {
		at = at.Add(time.Duration(rng.IntN(20)) * time.Second)
		name := string(rune('a' + rng.IntN(6)))
		_, public := agentKey(name)
		var e gpu.Event
		switch rng.IntN(9) {
		case 0, 1:
			e = gpu.Enrolled{Key: public, Supplier: name}
		case 2:
			e = proof(rng)
		case 3, 4:
			open[name] = nonce(uint64(rng.IntN(50)))
			e = gpu.Challenged{Key: public, Nonce: open[name]}
		default:
			inv := h100s(uint64(name[0]-'a')*2, 1+rng.IntN(3)) // neighbours overlap by one
			if rng.IntN(4) == 0 {
				inv.Devices[0].MemoryMiB = 81920
			}
			sent := at.Add(time.Duration(rng.IntN(36)-18) * 2 * time.Second)
			b := sign(t, name, uint64(n+1-rng.IntN(3)), sent, open[name], inv)
			if rng.IntN(8) == 0 {
				b[rng.IntN(len(b))] ^= 1
			}
			e = gpu.Reported{Signed: b}
		}
		before := g.Digest()
		out, err := g.Apply(at, e)
		if err != nil {
			require.Equal(t, before, g.Digest(), "a refusal changes nothing")
		}
		require.NoError(t, g.Audit())
		fmt.Fprintf(&log, "%T %v %v\n", e, len(out), err)
	}
	return g, log.Bytes()
}

// proof is what a verifier finds out about some device, or what a supplier says of some key.
func proof(rng *rand.Rand) gpu.Event {
	id := uuid(uint64(rng.IntN(12)))
	switch rng.IntN(12) {
	case 0:
		return gpu.Disproved{Device: id, Reason: "value"}
	case 1, 2:
		return gpu.ChipAttested{Device: id, ChipID: fmt.Sprint("chip-", rng.IntN(12))}
	case 3:
		_, key := agentKey(string(rune('a' + rng.IntN(6))))
		return gpu.Revoked{Key: key, Why: "stolen"}
	}
	return gpu.Proved{Device: id}
}

func FuzzRegistry(f *testing.F) {
	f.Add(uint64(1), uint8(60))
	f.Fuzz(func(t *testing.T, seed uint64, events uint8) {
		g, _ := world(t, seed, int(events))
		again, err := gpu.Restore(gpu.Default(), g.Snapshot())
		require.NoError(t, err)
		require.Equal(t, g.Digest(), again.Digest())
		require.Equal(t, slices.Collect(g.Devices()), slices.Collect(again.Devices()))
	})
}

func FuzzRestore(f *testing.F) {
	g, _ := world(f, 1, 80)
	f.Add(g.Snapshot())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := gpu.Restore(gpu.Default(), b)
		if err != nil {
			require.ErrorIs(t, err, gpu.ErrInvalid)
			return
		}
		require.NoError(t, g.Audit())
		require.Equal(t, b, g.Snapshot(), "one state has one encoding")
	})
}

// A snapshot with any byte changed is refused or is the snapshot of another state that is sound.
func TestRestoreMutations(t *testing.T) {
	g, _ := world(t, 1, 200)
	good := g.Snapshot()
	for i := range good {
		b := bytes.Clone(good)
		b[i] ^= 0x41
		if h, err := gpu.Restore(gpu.Default(), b); err == nil {
			require.Equal(t, b, h.Snapshot())
			require.NotEqual(t, g.Digest(), h.Digest())
		}
	}
	other := gpu.Default()
	other.Skew++
	_, err := gpu.Restore(other, good)
	require.ErrorIs(t, err, gpu.ErrInvalid)
	require.ErrorContains(t, err, "with other numbers")
}

func TestDeterminism(t *testing.T) {
	for _, procs := range []int{1, runtime.NumCPU()} {
		old := runtime.GOMAXPROCS(procs)
		defer runtime.GOMAXPROCS(old)
		g, log := world(t, 7, 400)
		require.Contains(t, string(log), "gpu.Reported 1 <nil>")
		require.GreaterOrEqual(t, len(slices.Collect(g.Devices())), 6, "the world admits something")
		golden.Check(t, "testdata/digest.txt", fmt.Sprintf("%x\n", g.Digest()))
	}
}

func BenchmarkReported(b *testing.B) {
	g := registry(b)
	_, public := agentKey("ann")
	apply(b, g, noon, gpu.Enrolled{Key: public, Supplier: "ann"})
	inv := h100s(1, 8)
	b.ReportAllocs()
	for seq := uint64(1); b.Loop(); seq++ {
		b.StopTimer()
		n := nonce(seq)
		_, err := g.Apply(noon, gpu.Challenged{Key: public, Nonce: n})
		require.NoError(b, err)
		e := gpu.Reported{Signed: sign(b, "ann", seq, noon, n, inv)}
		b.StartTimer()
		if _, err := g.Apply(noon, e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	c, inv := catalog(b), h100s(1, 8)
	b.ReportAllocs()
	for b.Loop() {
		gpu.Check(inv, c)
	}
}
