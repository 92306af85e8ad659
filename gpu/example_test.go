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

// box is an inventory of one RTX A4000, as its driver would report it.
func box() gpu.Inventory {
	return gpu.Inventory{
		Taken: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Host: "attic", BootID: "0f9b6c1e", Driver: "550.54.15",
		Devices: []gpu.Device{{
			ID: "GPU-5f2b341b-ba97-4909-85cd-22274f1e81d9", Model: "NVIDIA RTX A4000", Vendor: gpu.NVIDIA, PCIDeviceID: 0x24b0,
			BusID: "00000000:42:00.0", Serial: "1325021000001", MemoryMiB: 16376,
		}},
	}
}

// demoKey is a key pair for examples; a real one comes from crypto/rand.
func demoKey() (ed25519.PrivateKey, [32]byte) {
	seed := sha256.Sum256([]byte("attic"))
	key := ed25519.NewKeyFromSeed(seed[:])
	return key, [32]byte(key.Public().(ed25519.PublicKey))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A host is enrolled, challenged and believed; then somebody else claims its device.
func ExampleRegistry() {
	g := must(gpu.NewRegistry(gpu.Default()))
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	key, public := demoKey()
	nonce := sha256.Sum256([]byte("drawn at random"))
	body := must(json.Marshal(box()))

	must(g.Apply(at, gpu.Enrolled{Key: public, Supplier: "ann"}))
	must(g.Apply(at, gpu.Challenged{Key: public, Nonce: nonce}))
	report := gpu.Report{Kind: gpu.InventoryReport, Key: public, Seq: 1, Sent: at, Nonce: nonce, Body: body}
	signed := must(report.Sign(key))
	for _, effect := range must(g.Apply(at.Add(2*time.Second), gpu.Reported{Signed: signed})) {
		admitted := effect.(gpu.Admitted)
		fmt.Println(admitted.Supplier, len(admitted.Inventory.Devices), admitted.Assurance, admitted.Findings)
	}
	_, err := g.Apply(at.Add(3*time.Second), gpu.Reported{Signed: signed})
	fmt.Println("again:", errors.Is(err, gpu.ErrReplay), g.Refuses(at.Add(3*time.Second), signed) != nil)

	record, _ := g.Device("GPU-5f2b341b-ba97-4909-85cd-22274f1e81d9")
	fmt.Println(record.Supplier, record.Device.Model, record.Present, g.Audit())
	// Output:
	// ann 1 consistent []
	// again: true true
	// ann NVIDIA RTX A4000 true <nil>
}

func ExampleRegistry_Devices() {
	g := must(gpu.NewRegistry(gpu.Default()))
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	key, public := demoKey()
	r := gpu.Report{Kind: gpu.InventoryReport, Key: public, Seq: 1, Sent: at, Nonce: [32]byte{1}, Body: must(json.Marshal(box()))}
	must(g.Apply(at, gpu.Enrolled{Key: public, Supplier: "ann"}))
	must(g.Apply(at, gpu.Challenged{Key: public, Nonce: r.Nonce}))
	must(g.Apply(at, gpu.Reported{Signed: must(r.Sign(key))}))
	var all []gpu.Record
	for record := range g.Devices() {
		all = append(all, record)
	}
	fmt.Println(len(all), all[0].Device.ID, all[0].Assurance)
	// Output: 1 GPU-5f2b341b-ba97-4909-85cd-22274f1e81d9 consistent
}

func ExampleNewRegistry() {
	_, err := gpu.NewRegistry(gpu.Params{Version: "mine/1", Skew: 2 * time.Hour})
	fmt.Println(err)
	// Output: gpu: invalid: skew_ns 2h0m0s is not in 1ns..1h
}

func ExampleRestore() {
	g := must(gpu.NewRegistry(gpu.Default()))
	_, public := demoKey()
	must(g.Apply(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), gpu.Enrolled{Key: public, Supplier: "ann"}))
	same := must(gpu.Restore(gpu.Default(), g.Snapshot()))
	fmt.Println(same.Digest() == g.Digest())
	// Output: true
}

func ExampleDefault() {
	fmt.Println(gpu.Default().Skew)
	// Output: 30s
}

func ExampleParams_Validate() {
	p := gpu.Default()
	p.Skew = 0
	fmt.Println(p.Validate())
	// Output: gpu: invalid: skew_ns 0s is not in 1ns..1h
}

func ExampleNewCatalog() {
	c, err := gpu.NewCatalog()
	spec, ok := c.Lookup("Tesla T4")
	fmt.Println(spec.ID, spec.MemoryMiB, ok, err)
	// Output: nvidia-tesla-t4 [15079 15109 15360] true <nil>
}

func ExampleCatalog_All() {
	var largest gpu.Spec
	for spec := range must(gpu.NewCatalog()).All() {
		if largest.Name == "" || spec.MemoryMiB[0] > largest.MemoryMiB[0] {
			largest = spec
		}
	}
	fmt.Println(largest.Name, largest.MemoryMiB)
	// Output: NVIDIA B300 SXM6 AC [275040]
}

func ExampleCatalog_Lookup() {
	spec, ok := must(gpu.NewCatalog()).Lookup("NVIDIA H100 80GB HBM3")
	fmt.Printf("%v %04x %s %d SMs %d MiB\n", ok, spec.DeviceIDs, spec.ComputeCapability, spec.SMs, spec.MemoryMiB)
	// Output: true [2330] 9.0 [132] SMs [81559] MiB
}

// The number on the box is not what a driver reports.
func ExampleCheck() {
	inv := box()
	inv.Devices[0].MemoryMiB = 16 * 1024
	for _, finding := range gpu.Check(inv, must(gpu.NewCatalog())) {
		fmt.Println(finding)
	}
	// Output: device 0: memory-total (contradiction): "NVIDIA RTX A4000" has 16384 MiB, drivers report [16117 16376]
}

func ExampleAssess() {
	inv := box()
	c := must(gpu.NewCatalog())
	fmt.Println(gpu.Assess(gpu.Check(inv, c)))
	inv.Devices[0].Model = "NVIDIA Tomorrow"
	fmt.Println(gpu.Assess(gpu.Check(inv, c)))
	// Output:
	// consistent
	// claimed
}

func ExampleFinding() {
	fmt.Println(gpu.Finding{Rule: "duplicate-uuid", Severity: gpu.Contradiction, Device: 1, Detail: `"GPU-..." is device 0 too`})
	// Output: device 1: duplicate-uuid (contradiction): "GPU-..." is device 0 too
}

func ExampleContradictionError() {
	err := error(&gpu.ContradictionError{Findings: []gpu.Finding{
		{Rule: "memory-modified", Severity: gpu.Suspicious, Detail: "larger chips"},
		{Rule: "uuid-form", Severity: gpu.Contradiction, Detail: "all zeros"},
	}})
	fmt.Println(err)
	// Output: gpu: inventory contradicts itself: device 0: uuid-form (contradiction): all zeros
}

func ExampleIdentityTakenError() {
	err := error(&gpu.IdentityTakenError{Device: "GPU-1", Supplier: "ann"})
	var taken *gpu.IdentityTakenError
	fmt.Println(errors.As(err, &taken), err)
	// Output: true gpu: device "GPU-1" is known under another key, of supplier "ann"
}

func ExampleParseInventory() {
	_, err := gpu.ParseInventory([]byte(`{"taken":"2026-03-01T12:00:00Z","host":"attic","boot_id":"1","driver":"550.54.15"}`))
	fmt.Println(err)
	// Output: gpu: invalid: 0 devices are not in 1..16
}

func ExampleInventory_Validate() {
	inv := box()
	inv.Devices[0].BusID = "slot 3"
	fmt.Println(inv.Validate())
	// Output: device 0: gpu: invalid: bus_id "slot 3" is not domain:bus:device.function
}

// The digest is of the hardware: a reboot and a new driver do not change it.
func ExampleInventory_Digest() {
	before, after := box(), box()
	after.BootID, after.Driver = "77aa1234", "560.35.03"
	fmt.Println(before.Digest() == after.Digest())
	after.Devices[0].VBIOS = "94.04.57.00.01"
	fmt.Println(before.Digest() == after.Digest())
	// Output:
	// true
	// false
}

func ExampleReport_Sign() {
	key, public := demoKey()
	r := gpu.Report{Kind: gpu.InventoryReport, Key: public, Seq: 1, Sent: time.Unix(1772366400, 0), Body: []byte("{}")}
	signed, err := r.Sign(key)
	fmt.Println(len(signed), err)
	_, other, _ := ed25519.GenerateKey(zeros{})
	_, err = r.Sign(other)
	fmt.Println(errors.Is(err, gpu.ErrInvalid))
	// Output:
	// 170 <nil>
	// true
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func ExampleOpen() {
	key, public := demoKey()
	nonce := [32]byte{1}
	signed := must(gpu.Report{Kind: gpu.InventoryReport, Key: public, Seq: 7, Nonce: nonce, Body: []byte("{}")}.Sign(key))
	r, err := gpu.Open(signed, public[:], nonce)
	fmt.Println(r.Kind, r.Seq, string(r.Body), err)
	signed[150] ^= 1
	_, err = gpu.Open(signed, public[:], nonce)
	fmt.Println(err)
	// Output:
	// inventory 7 {} <nil>
	// gpu: signature does not fit
}

func ExampleVendor() {
	fmt.Println(gpu.NVIDIA, gpu.AMD, gpu.Vendor(0x1ae0))
	// Output: NVIDIA AMD 1ae0
}

func ExampleKind() {
	fmt.Println(gpu.InventoryReport)
	// Output: inventory
}

func ExampleSeverity() {
	fmt.Println(gpu.Info, gpu.Suspicious, gpu.Contradiction)
	// Output: info suspicious contradiction
}

func ExampleAssurance() {
	fmt.Println(gpu.Claimed, gpu.Consistent, gpu.Consistent > gpu.Claimed)
	// Output: claimed consistent true
}
