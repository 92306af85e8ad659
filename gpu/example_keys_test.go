package gpu_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
)

// A value that a driver does not give is not a zero.
func ExampleOpt() {
	fan := gpu.None[uint32](gpu.WhyNotSupported) // an SXM module has no fan
	power := gpu.Some[uint32](698_000)
	var unasked gpu.Opt[string]
	fmt.Println(fan, power, unasked, unasked.IsZero())
	fmt.Println(string(must(json.Marshal(fan))))
	mw, ok := power.Get()
	fmt.Println(mw/1000, ok)
	// Output:
	// (not supported) 698000 (not asked) true
	// {"why":"not supported"}
	// 698 true
}

func ExampleSome() {
	fmt.Println(string(must(json.Marshal(gpu.Some(41)))))
	// Output: {"value":41}
}

func ExampleNone() {
	_, ok := gpu.None[int](gpu.WhyLost).Get()
	fmt.Println(ok)
	// Output: false
}

func ExampleThrottle_Names() {
	fmt.Println((gpu.ThrottleSWPowerCap | gpu.ThrottleHWThermal | 1<<40).Names())
	// Output: [sw-power-cap hw-thermal bit-40]
}

func ExampleLinkKind() {
	fmt.Println(gpu.LinkNVLink, gpu.LinkHost, gpu.LinkSystem)
	// Output: NV PHB SYS
}

func ExampleNoticeKind() {
	fmt.Println(gpu.NoticeXid, gpu.NoticeUncorrected)
	// Output: xid ecc-uncorrected
}

// A supplier's wallet vouches for an agent's key, for two devices and a year.
func ExampleEnrolment() {
	wallet := ed25519.NewKeyFromSeed(make([]byte, 32))
	_, agent := demoKey()
	address := [32]byte(wallet[32:])
	signed, err := gpu.Enrolment{
		Wallet: address, Key: agent, Supplier: "ann", Devices: []gpu.DeviceID{"GPU-1", "GPU-2"},
		Expires: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC),
	}.Sign(wallet)
	fmt.Println(len(signed), err)
	e, err := gpu.OpenEnrolment(signed, address)
	fmt.Println(e.Event().Supplier, e.Devices, e.Expires.Format(time.DateOnly), err)
	// Output:
	// 183 <nil>
	// ann [GPU-1 GPU-2] 2027-03-01 <nil>
}

func ExampleOpenEnrolment() {
	_, err := gpu.OpenEnrolment([]byte("a universal token"), [32]byte{})
	fmt.Println(err)
	// Output: gpu: malformed report: 17 bytes are no enrolment
}

// An agent changes its key: the old one allows it, the new one shows that it is held.
func ExampleRotation() {
	old, oldKey := demoKey()
	seed := sha256.Sum256([]byte("attic, second"))
	next := ed25519.NewKeyFromSeed(seed[:])
	r := gpu.Rotation{Old: oldKey, New: [32]byte(next[32:])}
	signed, err := r.Sign(old, next)
	fmt.Println(len(signed), err)
	opened, err := gpu.OpenRotation(signed)
	fmt.Println(opened == r, err)
	// Output:
	// 217 <nil>
	// true <nil>
}

func ExampleOpenRotation() {
	_, err := gpu.OpenRotation(nil)
	fmt.Println(err)
	// Output: gpu: malformed report: 0 bytes are no rotation
}

func ExampleInventory_Heartbeat() {
	inv := box()
	inv.Devices[0].Reading = &gpu.Reading{TempCelsius: gpu.Some[int32](54)}
	h := inv.Heartbeat(func(gpu.DeviceID) gpu.Health { return gpu.Degraded })
	fmt.Println(h.Digest[:16], h.Pulses[0].Health, h.Pulses[0].TempCelsius, h.Pulses[0].PowerMilliwatts)
	// Output: dfb5c4a0f5fa33b1 degraded 54 (not asked)
}

func ExampleHeartbeat_Validate() {
	h := box().Heartbeat(nil)
	h.Digest = "60ad"
	fmt.Println(h.Validate())
	// Output: gpu: invalid: digest "60ad" is not 64 hexadecimal digits
}

func ExampleParseHeartbeat() {
	_, err := gpu.ParseHeartbeat([]byte(`{"taken":"2026-03-01T12:00:00Z","boot_id":"1","digest":"60ad"}`))
	fmt.Println(err)
	// Output: gpu: invalid: digest "60ad" is not 64 hexadecimal digits
}

func ExampleReportKey() {
	key, public := demoKey()
	signed := must(gpu.Report{Kind: gpu.HeartbeatReport, Key: public, Seq: 1, Body: []byte("{}")}.Sign(key))
	fmt.Println(gpu.ReportKey(signed) == public, gpu.ReportKey(nil) == [32]byte{})
	// Output: true true
}

func ExampleRegistry_Speaks() {
	g := must(gpu.NewRegistry(gpu.Default()))
	_, public := demoKey()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	must(g.Apply(at, gpu.Enrolled{Key: public, Supplier: "ann"}))
	fmt.Println(g.Speaks(public))
	must(g.Apply(at, gpu.Revoked{Key: public, Why: "stolen"}))
	fmt.Println(errors.Is(g.Speaks(public), gpu.ErrRevoked))
	// Output:
	// <nil>
	// true
}

// What becomes of a key, of a heartbeat and of a chip that is vouched for; a failed challenge takes back what was shown.
func ExampleEvent() {
	g := must(gpu.NewRegistry(gpu.Default()))
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	key, public := demoKey()
	seed := sha256.Sum256([]byte("attic, second"))
	next := ed25519.NewKeyFromSeed(seed[:])
	id, seq := box().Devices[0].ID, uint64(0)
	say := func(key ed25519.PrivateKey, kind gpu.Kind, what any) []gpu.Effect {
		seq++
		r := gpu.Report{Kind: kind, Key: [32]byte(key[32:]), Seq: seq, Sent: at, Nonce: [32]byte{byte(seq)}, Body: must(json.Marshal(what))}
		must(g.Apply(at, gpu.Challenged{Key: r.Key, Nonce: r.Nonce}))
		return must(g.Apply(at, gpu.Reported{Signed: must(r.Sign(key))}))
	}
	must(g.Apply(at, gpu.Enrolled{Key: public, Supplier: "ann"}))
	say(key, gpu.InventoryReport, box())
	must(g.Apply(at, gpu.Rotated{Signed: must(gpu.Rotation{Old: public, New: [32]byte(next[32:])}.Sign(key, next))}))
	beat := say(next, gpu.HeartbeatReport, box().Heartbeat(nil))[0].(gpu.Beat)
	fmt.Println(beat.Supplier, beat.Heartbeat.Pulses[0].Health)
	for _, e := range []gpu.Event{
		gpu.Proved{Device: id},
		gpu.ChipAttested{Device: id, ChipID: "41D2"},
		gpu.Disproved{Device: id, Reason: "value"},
		gpu.Revoked{Key: [32]byte(next[32:]), Why: "sold"},
	} {
		for _, f := range must(g.Apply(at, e)) {
			fmt.Println(f.(gpu.AssuranceChanged).Why, "->", f.(gpu.AssuranceChanged).To)
		}
	}
	level, _ := g.Assurance(id, at)
	fmt.Println("revoked:", level)
	// Output:
	// ann healthy
	// passed a challenge -> proven
	// attested as chip 41D2 -> attested
	// failed a challenge: value -> consistent
	// revoked: claimed
}

// A device climbs by proofs, and what was shown lapses.
// A nonce that is open is handed out again, so that nobody spoils it by asking.
func ExampleRegistry_Asked() {
	g, err := gpu.NewRegistry(gpu.Default())
	if err != nil {
		fmt.Println(err)
		return
	}
	_, agent := demoKey()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, e := range []gpu.Event{gpu.Enrolled{Key: agent, Supplier: "ann"}, gpu.Challenged{Key: agent, Nonce: [32]byte{7}}} {
		if _, err := g.Apply(at, e); err != nil {
			fmt.Println(err)
		}
	}
	nonce, open := g.Asked(agent)
	fmt.Println(nonce[0], open)
	// Output: 7 true
}

func ExampleRegistry_Assurance() {
	g := must(gpu.NewRegistry(gpu.Default()))
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	key, public := demoKey()
	must(g.Apply(at, gpu.Enrolled{Key: public, Supplier: "ann"}))
	must(g.Apply(at, gpu.Challenged{Key: public, Nonce: [32]byte{1}}))
	r := gpu.Report{Kind: gpu.InventoryReport, Key: public, Seq: 1, Sent: at, Nonce: [32]byte{1}, Body: must(json.Marshal(box()))}
	must(g.Apply(at, gpu.Reported{Signed: must(r.Sign(key))}))
	id := box().Devices[0].ID
	for _, e := range must(g.Apply(at.Add(time.Hour), gpu.Proved{Device: id})) {
		change := e.(gpu.AssuranceChanged)
		fmt.Println(change.From, "->", change.To, "because it", change.Why)
	}
	for _, d := range []time.Duration{23 * time.Hour, 25 * time.Hour} {
		level, _ := g.Assurance(id, at.Add(d))
		fmt.Printf("after %v without another report: %v\n", d, level)
	}
	// Output:
	// consistent -> proven because it passed a challenge
	// after 23h0m0s without another report: proven
	// after 25h0m0s without another report: claimed
}
