package gpu_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
)

// turn poses a nonce to an agent and hands in what it signs over it.
func turn(t testing.TB, g *gpu.Registry, at time.Time, name string, n uint64, kind gpu.Kind, body any) ([]gpu.Effect, error) {
	t.Helper()
	key, public := agentKey(name)
	if _, err := g.Apply(at, gpu.Challenged{Key: public, Nonce: nonce(n)}); err != nil {
		return nil, err
	}
	b, err := json.Marshal(body)
	require.NoError(t, err)
	signed, err := gpu.Report{Kind: kind, Key: public, Seq: n, Sent: at, Nonce: nonce(n), Body: b}.Sign(key)
	require.NoError(t, err)
	before := g.Digest()
	out, err := g.Apply(at, gpu.Reported{Signed: signed})
	if err != nil {
		require.Equal(t, before, g.Digest(), "a refusal changes nothing")
	}
	require.NoError(t, g.Audit())
	return out, err
}

func TestHeartbeats(t *testing.T) {
	g := enrolled(t)
	inv := h100s(1, 2)
	beat := inv.Heartbeat(func(id gpu.DeviceID) gpu.Health {
		if id == uuid(2) {
			return gpu.Degraded
		}
		return gpu.Healthy
	})
	_, err := turn(t, g, noon, "ann", 2, gpu.HeartbeatReport, beat)
	require.ErrorIs(t, err, gpu.ErrStale, "before any inventory")
	_, err = turn(t, g, noon, "ann", 3, gpu.InventoryReport, inv)
	require.NoError(t, err)
	out, err := turn(t, g, noon, "ann", 4, gpu.HeartbeatReport, beat)
	require.NoError(t, err)
	_, ann := agentKey("ann")
	require.Equal(t, []gpu.Effect{gpu.Beat{Key: ann, Supplier: "ann", Heartbeat: beat}}, out)
	require.Equal(t, gpu.Degraded, beat.Pulses[1].Health)

	for name, c := range map[string]struct {
		change func(*gpu.Heartbeat)
		want   error
	}{
		"another boot":     {func(h *gpu.Heartbeat) { h.BootID = "other" }, gpu.ErrStale},
		"other hardware":   {func(h *gpu.Heartbeat) { h.Digest = fmt.Sprintf("%064x", 1) }, gpu.ErrStale},
		"digest too short": {func(h *gpu.Heartbeat) { h.Digest = "00" }, gpu.ErrInvalid},
		"no device":        {func(h *gpu.Heartbeat) { h.Pulses = nil }, gpu.ErrInvalid},
		"17 devices":       {func(h *gpu.Heartbeat) { h.Pulses = make([]gpu.Pulse, 17) }, gpu.ErrInvalid},
		"a device twice":   {func(h *gpu.Heartbeat) { h.Pulses = append(h.Pulses[:1:1], h.Pulses[0]) }, gpu.ErrInvalid},
		"no boot":          {func(h *gpu.Heartbeat) { h.BootID = "" }, gpu.ErrInvalid},
		"no time":          {func(h *gpu.Heartbeat) { h.Taken = time.Time{} }, gpu.ErrInvalid},
		"no id":            {func(h *gpu.Heartbeat) { h.Pulses = []gpu.Pulse{{}} }, gpu.ErrInvalid},
		"a bell in a why":  {func(h *gpu.Heartbeat) { h.Pulses[0].TempCelsius = gpu.None[int32]("\a") }, gpu.ErrInvalid},
		"bob's device":     {func(h *gpu.Heartbeat) { h.Pulses = []gpu.Pulse{{ID: uuid(9)}} }, gpu.ErrForeign},
	} {
		t.Run(name, func(t *testing.T) {
			h := inv.Heartbeat(nil)
			c.change(&h)
			g, err := gpu.Restore(gpu.Default(), g.Snapshot())
			require.NoError(t, err)
			_, err = turn(t, g, noon, "bob", 2, gpu.InventoryReport, h100s(9, 1))
			require.NoError(t, err)
			_, err = turn(t, g, noon, "ann", 5, gpu.HeartbeatReport, h)
			require.ErrorIs(t, err, c.want)
		})
	}
	_, err = turn(t, g, noon, "ann", 6, gpu.AnswerReport, "an answer")
	require.ErrorIs(t, err, gpu.ErrInvalid, "answers are not the registry's")
}

// A heartbeat fits into one packet: 8 devices with all their figures.
func TestHeartbeatIsSmall(t *testing.T) {
	inv := h100s(1, 8)
	for i := range inv.Devices {
		inv.Devices[i].Reading = &gpu.Reading{
			GPUUtilPercent: gpu.Some[uint32](97), PowerMilliwatts: gpu.Some[uint32](698_000), TempCelsius: gpu.Some[int32](61),
			Memory: gpu.Some(gpu.MemoryUse{Total: 81559 << 20, Used: 80_000 << 20}),
		}
	}
	h := inv.Heartbeat(nil)
	require.Equal(t, gpu.Some[uint64](80_000), h.Pulses[7].UsedMiB)
	b, err := json.Marshal(h)
	require.NoError(t, err)
	require.Less(t, len(b), 2048)
	again, err := gpu.ParseHeartbeat(b)
	require.NoError(t, err)
	require.Equal(t, h, again)
}

func TestEnrolmentLimits(t *testing.T) {
	g := registry(t)
	_, ann := agentKey("ann")
	apply(t, g, noon, gpu.Enrolled{Key: ann, Supplier: "ann", Devices: []gpu.DeviceID{uuid(1), uuid(2)}, Expires: noon.Add(time.Hour)})
	_, err := turn(t, g, noon, "ann", 1, gpu.InventoryReport, h100s(2, 2))
	require.ErrorIs(t, err, gpu.ErrForeign)
	_, err = turn(t, g, noon.Add(time.Hour-1), "ann", 2, gpu.InventoryReport, h100s(1, 2))
	require.NoError(t, err)
	_, err = g.Apply(noon.Add(time.Hour), gpu.Challenged{Key: ann, Nonce: nonce(3)})
	require.ErrorIs(t, err, gpu.ErrExpired)

	for want, e := range map[string]gpu.Enrolled{
		"lists 17, at most 16":                 {Supplier: "a", Devices: make([]gpu.DeviceID, 17)},
		"devices is empty":                     {Supplier: "a", Devices: make([]gpu.DeviceID, 1)},
		fmt.Sprintf("lists %q twice", uuid(1)): {Supplier: "a", Devices: []gpu.DeviceID{uuid(1), uuid(1)}},
	} {
		_, err := g.Apply(noon.Add(time.Hour), e)
		require.ErrorIs(t, err, gpu.ErrInvalid)
		require.ErrorContains(t, err, want)
	}
}

func TestRotation(t *testing.T) {
	g := enrolled(t)
	_, err := turn(t, g, noon, "ann", 2, gpu.InventoryReport, h100s(1, 1))
	require.NoError(t, err)
	old, oldKey := agentKey("ann")
	next, nextKey := agentKey("ann, second")
	bob, bobKey := agentKey("bob")
	signed, err := gpu.Rotation{Old: oldKey, New: nextKey}.Sign(old, next)
	require.NoError(t, err)
	for i := range signed {
		b := append([]byte{}, signed...)
		b[i] ^= 1
		_, err := g.Apply(noon, gpu.Rotated{Signed: b})
		require.Error(t, err, "byte %d", i)
	}
	toBob, err := gpu.Rotation{Old: oldKey, New: bobKey}.Sign(old, bob)
	require.NoError(t, err)
	_, err = g.Apply(noon, gpu.Rotated{Signed: toBob})
	require.ErrorIs(t, err, gpu.ErrKnownKey)
	_, err = gpu.Rotation{Old: oldKey, New: nextKey}.Sign(old, bob)
	require.ErrorIs(t, err, gpu.ErrInvalid)

	apply(t, g, noon, gpu.Challenged{Key: oldKey, Nonce: nonce(3)})
	apply(t, g, noon, gpu.Rotated{Signed: signed})
	for _, e := range []gpu.Event{
		gpu.Rotated{Signed: signed},
		gpu.Challenged{Key: oldKey, Nonce: nonce(4)},
		gpu.Revoked{Key: oldKey, Why: "late"},
		gpu.Reported{Signed: sign(t, "ann", 3, noon, nonce(3), h100s(1, 1))},
	} {
		_, err := g.Apply(noon, e)
		require.ErrorIs(t, err, gpu.ErrRevoked, "%T", e)
	}
	_, err = g.Apply(noon, gpu.Enrolled{Key: oldKey, Supplier: "eve"})
	require.ErrorIs(t, err, gpu.ErrKnownKey, "a replaced key is not enrolled anew")
	_, err = turn(t, g, noon, "ann, second", 2, gpu.InventoryReport, h100s(1, 1))
	require.ErrorIs(t, err, gpu.ErrReplay, "the sequence number goes on")
	_, err = turn(t, g, noon, "ann, second", 5, gpu.InventoryReport, h100s(1, 1))
	require.NoError(t, err)
	r, _ := g.Device(uuid(1))
	require.Equal(t, nextKey, r.Key)
	require.Equal(t, "ann", r.Supplier)
}

func TestRevocation(t *testing.T) {
	g := enrolled(t)
	_, ann := agentKey("ann")
	_, err := turn(t, g, noon, "ann", 2, gpu.InventoryReport, h100s(1, 2))
	require.NoError(t, err)
	_, err = g.Apply(noon, gpu.Revoked{Key: ann})
	require.ErrorIs(t, err, gpu.ErrInvalid, "without a reason")
	apply(t, g, noon, gpu.Revoked{Key: ann, Why: "the disk was sold"})
	_, err = turn(t, g, noon, "ann", 3, gpu.InventoryReport, h100s(1, 2))
	require.ErrorIs(t, err, gpu.ErrRevoked)
	require.ErrorContains(t, err, "the disk was sold")
	level, known := g.Assurance(uuid(1), noon)
	require.True(t, known)
	require.Equal(t, gpu.Claimed, level)

	_, err = turn(t, g, noon, "bob", 2, gpu.InventoryReport, h100s(1, 1))
	var taken *gpu.IdentityTakenError
	require.ErrorAs(t, err, &taken, "a revoked key's devices are not free for all")
	_, again := agentKey("ann, again")
	apply(t, g, noon, gpu.Enrolled{Key: again, Supplier: "ann"})
	_, err = turn(t, g, noon, "ann, again", 1, gpu.InventoryReport, h100s(1, 1))
	require.NoError(t, err)
	r, _ := g.Device(uuid(1))
	require.Equal(t, again, r.Key)
	r, _ = g.Device(uuid(2))
	require.Equal(t, ann, r.Key, "what was not reported anew stays where it was")
	same, err := gpu.Restore(gpu.Default(), g.Snapshot())
	require.NoError(t, err)
	require.Equal(t, g.Digest(), same.Digest())
}

func TestEnrolmentStatement(t *testing.T) {
	wallet, walletKey := agentKey("wallet")
	_, ann := agentKey("ann")
	e := gpu.Enrolment{Wallet: walletKey, Key: ann, Supplier: "ann", Devices: []gpu.DeviceID{uuid(1)}, Expires: noon}
	signed, err := e.Sign(wallet)
	require.NoError(t, err)
	got, err := gpu.OpenEnrolment(signed, walletKey)
	require.NoError(t, err)
	require.Equal(t, e, got)
	require.Equal(t, gpu.Enrolled{Key: ann, Supplier: "ann", Devices: []gpu.DeviceID{uuid(1)}, Expires: noon}, got.Event())
	for i := range signed {
		b := append([]byte{}, signed...)
		b[i] ^= 1
		_, err := gpu.OpenEnrolment(b, walletKey)
		require.Error(t, err, "byte %d", i)
		_, err = gpu.OpenEnrolment(signed[:i], walletKey)
		require.Error(t, err, "cut to %d", i)
	}
	_, err = gpu.OpenEnrolment(signed, ann)
	require.ErrorIs(t, err, gpu.ErrSignature)
	_, err = e.Sign(nil)
	require.ErrorIs(t, err, gpu.ErrInvalid)
	for want, change := range map[string]func(*gpu.Enrolment){
		"supplier is empty": func(e *gpu.Enrolment) { e.Supplier = "" },
		"lists 17":          func(e *gpu.Enrolment) { e.Devices = make([]gpu.DeviceID, 17) },
		"not after 1970":    func(e *gpu.Enrolment) { e.Expires = time.Unix(0, 0) },
	} {
		x := e
		change(&x)
		_, err := x.Sign(wallet)
		require.ErrorContains(t, err, want)
	}
	forever := gpu.Enrolment{Wallet: walletKey, Key: ann, Supplier: "ann"}
	signed, err = forever.Sign(wallet)
	require.NoError(t, err)
	got, err = gpu.OpenEnrolment(signed, walletKey)
	require.NoError(t, err)
	require.Equal(t, forever, got)
}

func FuzzStatements(f *testing.F) {
	wallet, walletKey := agentKey("wallet")
	signed, err := gpu.Enrolment{Wallet: walletKey, Key: walletKey, Supplier: "ann", Devices: []gpu.DeviceID{uuid(1)}}.Sign(wallet)
	require.NoError(f, err)
	f.Add(signed)
	rotation, err := gpu.Rotation{Old: walletKey, New: walletKey}.Sign(wallet, wallet)
	require.NoError(f, err)
	f.Add(rotation)
	f.Fuzz(func(t *testing.T, b []byte) {
		if e, err := gpu.OpenEnrolment(b, walletKey); err == nil {
			again, err := e.Sign(wallet)
			require.NoError(t, err)
			require.Equal(t, b, again, "one statement has one encoding")
		}
		_, _ = gpu.OpenRotation(b)
		_, _ = gpu.ParseHeartbeat(b)
		_, _ = gpu.ParseInventory(b)
	})
}
