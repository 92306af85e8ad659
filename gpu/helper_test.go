package gpu_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// agentKey is a key pair made from a name.
func agentKey(name string) (ed25519.PrivateKey, [32]byte) {
	seed := sha256.Sum256([]byte(name))
	key := ed25519.NewKeyFromSeed(seed[:])
	return key, [32]byte(key[32:])
}

// nonce is the n-th of a fixed list.
func nonce(n uint64) [32]byte { return sha256.Sum256(fmt.Append(nil, "nonce ", n)) }

// uuid is a well-formed device id made from a number.
func uuid(n uint64) gpu.DeviceID {
	return gpu.DeviceID(fmt.Sprintf("GPU-%08x-0000-4000-8000-%012x", n, n))
}

// h100s is an honest inventory of n devices; their ids count from first.
func h100s(first uint64, n int) gpu.Inventory {
	inv := gpu.Inventory{Taken: noon, Host: "node-1", BootID: "6f1d8a52-6c1b-4a6c-9d55-0a3a3f0f2b11", Driver: "550.54.15"}
	for i := range uint64(n) {
		inv.Devices = append(inv.Devices, gpu.Device{
			ID: uuid(first + i), Model: "NVIDIA H100 80GB HBM3", Vendor: gpu.NVIDIA, PCIDeviceID: 0x2330,
			BusID: fmt.Sprintf("00000000:%02X:00.0", 0x18+i), Serial: fmt.Sprint(165000 + first + i), MemoryMiB: 81559,
		})
	}
	return inv
}

// sign packs an inventory into a report.
func sign(t testing.TB, name string, seq uint64, sent time.Time, n [32]byte, inv gpu.Inventory) []byte {
	t.Helper()
	body, err := json.Marshal(inv)
	require.NoError(t, err)
	key, public := agentKey(name)
	b, err := gpu.Report{Kind: gpu.InventoryReport, Key: public, Seq: seq, Sent: sent, Nonce: n, Body: body}.Sign(key)
	require.NoError(t, err)
	return b
}

func catalog(t testing.TB) *gpu.Catalog {
	t.Helper()
	c, err := gpu.NewCatalog()
	require.NoError(t, err)
	return c
}

func registry(t testing.TB) *gpu.Registry {
	t.Helper()
	g, err := gpu.NewRegistry(gpu.Default())
	require.NoError(t, err)
	return g
}

func apply(t testing.TB, g *gpu.Registry, at time.Time, e gpu.Event) []gpu.Effect {
	t.Helper()
	out, err := g.Apply(at, e)
	require.NoError(t, err)
	require.NoError(t, g.Audit())
	return out
}
