package agent

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
)

// Agent is one machine's agent. It is not safe for concurrent use.
type Agent struct {
	Name    string
	Devices []gpu.Device
	driver  string
	key     ed25519.PrivateKey
	seq     uint64
}

// New returns the agent of a machine with the given number of cards of a model. Key and cards follow from the name. A
// model that the catalogue does not have needs the memory of a card; otherwise memoryMiB may be 0.
func New(c *gpu.Catalog, name, model string, cards int, memoryMiB uint64) *Agent {
	a := &Agent{Name: name, driver: "550.54.15", key: ed25519.NewKeyFromSeed(digest("agent", name, 0))}
	pci, vendor := uint16(0xffff), gpu.NVIDIA // no device of NVIDIA's
	if spec, ok := c.Lookup(model); ok {
		pci, vendor = spec.DeviceIDs[0], spec.Vendor
		if spec.DriverBranch > 550 {
			a.driver = "580.65.06" // runs every model in the catalogue
		}
		if memoryMiB == 0 {
			memoryMiB = spec.MemoryMiB[0]
		}
	}
	for i := range cards {
		d := digest("card", name, i)
		a.Devices = append(a.Devices, gpu.Device{
			ID:    gpu.DeviceID(fmt.Sprintf("GPU-%x-%x-%x-%x-%x", d[:4], d[4:6], d[6:8], d[8:10], d[10:16])),
			Model: model, Vendor: vendor, PCIDeviceID: pci, BusID: fmt.Sprintf("00000000:%02X:00.0", i+1), MemoryMiB: memoryMiB,
		})
	}
	return a
}

// Key is the public key that the agent signs with.
func (a *Agent) Key() [32]byte { return [32]byte(a.key.Public().(ed25519.PublicKey)) } //nolint:forcetypeassert // what ed25519 documents

// Report signs the machine's inventory over a nonce.
func (a *Agent) Report(at time.Time, nonce [32]byte) ([]byte, error) {
	return a.sign(gpu.InventoryReport, at, nonce, a.inventory(at))
}

// Heartbeat signs over a nonce that the first card is of that health and the others are healthy.
func (a *Agent) Heartbeat(at time.Time, nonce [32]byte, first gpu.Health) ([]byte, error) {
	h := a.inventory(at).Heartbeat(func(id gpu.DeviceID) gpu.Health {
		if id == a.Devices[0].ID {
			return first
		}
		return gpu.Healthy
	})
	return a.sign(gpu.HeartbeatReport, at, nonce, h)
}

// Rotate signs that the agent changes its key, and changes it.
func (a *Agent) Rotate(next ed25519.PrivateKey) ([]byte, error) {
	signed, err := gpu.Rotation{Old: a.Key(), New: [32]byte(next.Public().(ed25519.PublicKey))}.Sign(a.key, next) //nolint:forcetypeassert // what ed25519 documents
	if err == nil {
		a.key = next
	}
	return signed, err
}

func (a *Agent) inventory(at time.Time) gpu.Inventory {
	return gpu.Inventory{Taken: at, Host: a.Name, BootID: fmt.Sprintf("%x", digest("boot", a.Name, 0)[:16]), Driver: a.driver, Devices: a.Devices}
}

func (a *Agent) sign(k gpu.Kind, at time.Time, nonce [32]byte, body any) ([]byte, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("agent: %w", err)
	}
	a.seq++
	return gpu.Report{Kind: k, Key: a.Key(), Seq: a.seq, Sent: at, Nonce: nonce, Body: b}.Sign(a.key)
}

func digest(what, name string, i int) []byte {
	d := sha256.Sum256(fmt.Appendf(nil, "idlegrid/agent/%s/%s/%d", what, name, i))
	return d[:]
}
