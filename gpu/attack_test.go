package gpu_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
)

// talk lets an agent report an inventory under a fresh nonce.
func talk(t *testing.T, g *gpu.Registry, at time.Time, name string, seq uint64, inv gpu.Inventory) {
	t.Helper()
	_, public := agentKey(name)
	apply(t, g, at, gpu.Challenged{Key: public, Nonce: nonce(100 + seq)})
	apply(t, g, at, gpu.Reported{Signed: sign(t, name, seq, at, nonce(100+seq), inv)})
}

func levelOf(t *testing.T, g *gpu.Registry, id gpu.DeviceID, at time.Time) gpu.Assurance {
	t.Helper()
	level, ok := g.Assurance(id, at)
	require.True(t, ok)
	return level
}

// A device that sits out the inventory in which the driver changes is not Attested when it comes back.
func TestDriverChangeIsNotSatOut(t *testing.T) {
	g := registry(t)
	_, ann := agentKey("ann")
	apply(t, g, noon, gpu.Enrolled{Key: ann, Supplier: "ann"})
	both := h100s(1, 2)
	talk(t, g, noon, "ann", 1, both)
	apply(t, g, noon, gpu.Proved{Device: uuid(1)})
	apply(t, g, noon, gpu.ChipAttested{Device: uuid(1), ChipID: "41AB"})
	require.Equal(t, gpu.Attested, levelOf(t, g, uuid(1), noon))

	other := h100s(2, 1)
	other.Devices[0].BusID = both.Devices[1].BusID
	other.Driver = "560.28.03"
	talk(t, g, noon, "ann", 2, other)
	both.Driver = other.Driver
	talk(t, g, noon, "ann", 3, both)
	require.Equal(t, gpu.Proven, levelOf(t, g, uuid(1), noon), "attested under another driver")
}

// What was shown under a key that was revoked does not pass to the key after it: a thief may have shown it.
func TestProofsDoNotOutliveTheirKey(t *testing.T) {
	g := registry(t)
	_, ann := agentKey("ann")
	_, next := agentKey("ann-2")
	apply(t, g, noon, gpu.Enrolled{Key: ann, Supplier: "ann"})
	apply(t, g, noon, gpu.Enrolled{Key: next, Supplier: "ann"})
	talk(t, g, noon, "ann", 1, h100s(1, 1))
	apply(t, g, noon, gpu.Revoked{Key: ann, Why: "stolen"})
	apply(t, g, noon, gpu.Proved{Device: uuid(1)}) // of an exchange that was under way
	apply(t, g, noon, gpu.ChipAttested{Device: uuid(1), ChipID: "41AB"})
	require.Equal(t, gpu.Claimed, levelOf(t, g, uuid(1), noon))
	talk(t, g, noon, "ann-2", 1, h100s(1, 1))
	require.Equal(t, gpu.Consistent, levelOf(t, g, uuid(1), noon))
	r, _ := g.Device(uuid(1))
	require.Empty(t, r.ChipID)
	require.Zero(t, r.Proved)
}

// A heartbeat speaks of devices that the last inventory listed, and of no other.
func TestHeartbeatOfAnAbsentDevice(t *testing.T) {
	g := registry(t)
	_, ann := agentKey("ann")
	apply(t, g, noon, gpu.Enrolled{Key: ann, Supplier: "ann"})
	talk(t, g, noon, "ann", 1, h100s(1, 2))
	left := h100s(1, 1)
	talk(t, g, noon, "ann", 2, left)
	beat := func(seq uint64, ids ...gpu.DeviceID) error {
		h := left.Heartbeat(nil)
		h.Pulses = nil
		for _, id := range ids {
			h.Pulses = append(h.Pulses, gpu.Pulse{ID: id})
		}
		body, err := json.Marshal(h)
		require.NoError(t, err)
		key, public := agentKey("ann")
		apply(t, g, noon, gpu.Challenged{Key: public, Nonce: nonce(200 + seq)})
		b, err := gpu.Report{Kind: gpu.HeartbeatReport, Key: public, Seq: seq, Sent: noon, Nonce: nonce(200 + seq), Body: body}.Sign(key)
		require.NoError(t, err)
		require.Equal(t, g.Refuses(noon, b), func() error { _, err := g.Apply(noon, gpu.Reported{Signed: b}); return err }())
		_, err = g.Apply(noon, gpu.Reported{Signed: b})
		return err
	}
	require.ErrorIs(t, beat(3, uuid(1)), gpu.ErrReplay, "admitted, and a second time refused")
	require.ErrorIs(t, beat(4, uuid(2)), gpu.ErrForeign)
}

// One chip is on one device: alternating between two of them never shows it on both.
func TestOneChipTwice(t *testing.T) {
	g := registry(t)
	for i, name := range []string{"ann", "bob"} {
		_, key := agentKey(name)
		apply(t, g, noon, gpu.Enrolled{Key: key, Supplier: name})
		talk(t, g, noon, name, 1, h100s(uint64(i+1), 1))
		apply(t, g, noon, gpu.Proved{Device: uuid(uint64(i + 1))})
	}
	rng := rand.New(rand.NewPCG(7, 1))
	seq := []uint64{1, 1, 1}
	for range 300 {
		n := 1 + rng.Uint64N(2)
		switch rng.IntN(3) {
		case 0, 1:
			_, _ = g.Apply(noon, gpu.ChipAttested{Device: uuid(n), ChipID: []string{"41AB", "41CD"}[rng.IntN(2)]})
		case 2: // another VBIOS: another card, as far as anybody knows
			inv := h100s(n, 1)
			inv.Devices[0].VBIOS = []string{"96.00", "96.01"}[rng.IntN(2)]
			seq[n]++
			talk(t, g, noon, []string{"", "ann", "bob"}[n], seq[n], inv)
			apply(t, g, noon, gpu.Proved{Device: uuid(n)})
		}
		require.NoError(t, g.Audit())
		one, _ := g.Device(uuid(1))
		two, _ := g.Device(uuid(2))
		require.False(t, one.ChipID != "" && one.ChipID == two.ChipID)
		require.False(t, one.Assurance == gpu.Attested && one.ChipID == "")
	}
}

// A snapshot that was tampered with is refused, or is one of a state that says the same bytes of itself and breaks no rule.
func TestHostileSnapshots(t *testing.T) {
	g := registry(t)
	for i, name := range []string{"ann", "bob"} {
		_, key := agentKey(name)
		apply(t, g, noon, gpu.Enrolled{Key: key, Supplier: name, Devices: []gpu.DeviceID{uuid(uint64(2*i + 1)), uuid(uint64(2*i + 2))}})
		talk(t, g, noon, name, 1, h100s(uint64(2*i+1), 2))
		apply(t, g, noon, gpu.Proved{Device: uuid(uint64(2*i + 1))})
		apply(t, g, noon, gpu.ChipAttested{Device: uuid(uint64(2*i + 1)), ChipID: name})
	}
	whole := g.Snapshot()
	taken := 0
	for bit := 0; bit < 8*len(whole); bit += 11 { // eight bytes of eleven
		b := append([]byte{}, whole...)
		b[bit/8] ^= 1 << (bit % 8)
		again, err := gpu.Restore(gpu.Default(), b)
		if err != nil {
			require.ErrorIs(t, err, gpu.ErrInvalid)
			continue
		}
		taken++
		require.NoError(t, again.Audit())
		require.Equal(t, b, again.Snapshot(), "bit %d: two snapshots of one state", bit)
		require.NotEqual(t, g.Digest(), again.Digest())
	}
	require.Positive(t, taken, "a flipped nonce cannot be told")
	for n := 0; n < len(whole); n += 3 {
		_, err := gpu.Restore(gpu.Default(), whole[:n])
		require.ErrorIs(t, err, gpu.ErrInvalid)
	}
}

// The open nonce can be handed out again: it is there from the challenge to the answer, of the key in use and of no other.
func TestAsked(t *testing.T) {
	g := registry(t)
	key, ann := agentKey("ann")
	next, ann2 := agentKey("ann-2")
	asked := func(key [32]byte) [32]byte {
		n, ok := g.Asked(key)
		require.Equal(t, ok, n != [32]byte{})
		return n
	}
	require.Zero(t, asked(ann))
	apply(t, g, noon, gpu.Enrolled{Key: ann, Supplier: "ann"})
	require.Zero(t, asked(ann))
	apply(t, g, noon, gpu.Challenged{Key: ann, Nonce: nonce(1)})
	require.Equal(t, nonce(1), asked(ann))
	_, err := g.Apply(noon, gpu.Reported{Signed: sign(t, "ann", 1, noon, nonce(2), h100s(1, 1))})
	require.ErrorIs(t, err, gpu.ErrReplay)
	require.Equal(t, nonce(1), asked(ann), "a refusal leaves it open")
	apply(t, g, noon, gpu.Reported{Signed: sign(t, "ann", 1, noon, nonce(1), h100s(1, 1))})
	require.Zero(t, asked(ann), "used up")
	apply(t, g, noon, gpu.Challenged{Key: ann, Nonce: nonce(3)})
	signed, err := gpu.Rotation{Old: ann, New: ann2}.Sign(key, next)
	require.NoError(t, err)
	apply(t, g, noon, gpu.Rotated{Signed: signed})
	require.Zero(t, asked(ann))
	require.Zero(t, asked(ann2))
	apply(t, g, noon, gpu.Challenged{Key: ann2, Nonce: nonce(4)})
	require.Equal(t, nonce(4), asked(ann2))
	apply(t, g, noon, gpu.Revoked{Key: ann2, Why: "stolen"})
	require.Zero(t, asked(ann2))
}

// A key fills neither the memory nor the space of identities: it reports so many devices and no more.
func TestOneKeyHasABound(t *testing.T) {
	g := registry(t)
	_, ann := agentKey("ann")
	apply(t, g, noon, gpu.Enrolled{Key: ann, Supplier: "ann"})
	seq := uint64(0)
	for first := uint64(1); first < gpu.MaxKnown; first += gpu.MaxDevices {
		seq++
		talk(t, g, noon, "ann", seq, h100s(first, gpu.MaxDevices))
	}
	apply(t, g, noon, gpu.Challenged{Key: ann, Nonce: nonce(1)})
	refused := sign(t, "ann", seq+1, noon, nonce(1), h100s(gpu.MaxKnown, 2)) // the last one of those, and one more
	require.ErrorIs(t, g.Refuses(noon, refused), gpu.ErrForeign)
	apply(t, g, noon, gpu.Reported{Signed: sign(t, "ann", seq+1, noon, nonce(1), h100s(gpu.MaxKnown, 1))})
	require.Equal(t, gpu.Consistent, levelOf(t, g, uuid(gpu.MaxKnown), noon))
}

// Nobody vouches for a key that has expired, so nothing is left of what its devices showed.
func TestExpiredKeysKeepNoLevel(t *testing.T) {
	g := registry(t)
	_, ann := agentKey("ann")
	end := noon.Add(time.Hour)
	apply(t, g, noon, gpu.Enrolled{Key: ann, Supplier: "ann", Expires: end})
	talk(t, g, noon, "ann", 1, h100s(1, 1))
	apply(t, g, noon, gpu.Proved{Device: uuid(1)})
	require.Equal(t, gpu.Proven, levelOf(t, g, uuid(1), end.Add(-1)))
	require.Equal(t, gpu.Claimed, levelOf(t, g, uuid(1), end))
}
