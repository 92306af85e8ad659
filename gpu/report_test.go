package gpu_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
)

func TestReportRoundTrip(t *testing.T) {
	key, public := agentKey("ann")
	for name, r := range map[string]gpu.Report{
		"empty body":   {Seq: 1, Sent: noon, Nonce: nonce(1), Body: []byte{}},
		"largest body": {Seq: math.MaxUint64, Sent: noon.Add(time.Millisecond), Nonce: nonce(2), Body: bytes.Repeat([]byte{7}, gpu.MaxBody)},
		"long ago":     {Sent: time.UnixMilli(math.MinInt64).UTC(), Body: []byte("x")},
	} {
		r.Kind, r.Key = gpu.InventoryReport, public
		b, err := r.Sign(key)
		require.NoError(t, err, name)
		got, err := gpu.Open(b, public[:], r.Nonce)
		require.NoError(t, err, name)
		require.Equal(t, r, got, name)
	}
}

func TestSignRefuses(t *testing.T) {
	key, public := agentKey("ann")
	good := gpu.Report{Kind: gpu.InventoryReport, Key: public, Seq: 1, Sent: noon}
	for want, c := range map[string]struct {
		change func(*gpu.Report)
		key    ed25519.PrivateKey
	}{
		"signed with another key":            {func(r *gpu.Report) { r.Key[0]++ }, key},
		"with another":                       {func(*gpu.Report) {}, key[:32]},
		"kind unknown(0)":                    {func(r *gpu.Report) { r.Kind = 0 }, key},
		"kind unknown(4)":                    {func(r *gpu.Report) { r.Kind = 4 }, key},
		"body of 262145 bytes, at most 2621": {func(r *gpu.Report) { r.Body = make([]byte, gpu.MaxBody+1) }, key},
	} {
		r := good
		c.change(&r)
		_, err := r.Sign(c.key)
		require.ErrorIs(t, err, gpu.ErrInvalid)
		require.ErrorContains(t, err, want)
	}
}

func TestOpenRefuses(t *testing.T) {
	_, public := agentKey("ann")
	_, other := agentKey("bob")
	good := sign(t, "ann", 1, noon, nonce(1), h100s(1, 1))
	open := func(b []byte, key []byte, n [32]byte) error {
		_, err := gpu.Open(b, key, n)
		return err
	}
	require.NoError(t, open(good, public[:], nonce(1)))
	require.ErrorIs(t, open(good, public[:], nonce(2)), gpu.ErrNonce)
	require.ErrorIs(t, open(good, other[:], nonce(1)), gpu.ErrSignature)
	require.ErrorIs(t, open(good, public[:31], nonce(1)), gpu.ErrSignature)
	require.ErrorIs(t, open(good, nil, nonce(1)), gpu.ErrSignature)
	require.ErrorIs(t, open(nil, public[:], nonce(1)), gpu.ErrMalformed)
	require.ErrorIs(t, open(good[:167], public[:], nonce(1)), gpu.ErrMalformed)
	require.ErrorIs(t, open(good[:len(good)-1], public[:], nonce(1)), gpu.ErrSignature)
	require.ErrorIs(t, open(append(good[:len(good):len(good)], 0), public[:], nonce(1)), gpu.ErrSignature)
	most := append(bytes.Clone(good[:104]), make([]byte, gpu.MaxBody+64)...) // a header, the largest body and a signature
	require.ErrorIs(t, open(most, public[:], nonce(1)), gpu.ErrSignature)
	require.ErrorIs(t, open(append(most, 0), public[:], nonce(1)), gpu.ErrMalformed)
}

// Whatever single bit is flipped, the report is refused.
func TestOpenBitFlips(t *testing.T) {
	_, public := agentKey("ann")
	good := sign(t, "ann", 1, noon, nonce(1), h100s(1, 1))
	for bit := range len(good) * 8 {
		b := bytes.Clone(good)
		b[bit/8] ^= 1 << (bit % 8)
		_, err := gpu.Open(b, public[:], nonce(1))
		require.Error(t, err, "bit %d", bit)
	}
}

// The body is a copy: what the caller does to the bytes afterwards does not reach it.
func TestOpenCopies(t *testing.T) {
	_, public := agentKey("ann")
	b := sign(t, "ann", 1, noon, nonce(1), h100s(1, 1))
	r, err := gpu.Open(b, public[:], nonce(1))
	require.NoError(t, err)
	want := bytes.Clone(r.Body)
	clear(b)
	require.Equal(t, want, r.Body)
}

func FuzzOpen(f *testing.F) {
	_, public := agentKey("ann")
	good := sign(f, "ann", 1, noon, nonce(1), h100s(1, 1))
	f.Add(good)
	f.Add([]byte{})
	f.Add(good[:200])
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := gpu.Open(b, public[:], nonce(1))
		if err == nil { // nobody but ann can sign, and ann signed one report
			require.Equal(t, good, b)
			require.Equal(t, uint64(1), r.Seq)
		}
	})
}

func FuzzParseInventory(f *testing.F) {
	f.Add([]byte(`{"taken":"2026-03-01T12:00:00Z","host":"a","boot_id":"b","driver":"c","devices":[]}`))
	f.Add([]byte(`{"devices":[{"id":"GPU-00000001-0000-4000-8000-000000000001","memory_mib":-1}]}`))
	f.Add([]byte(`null`))
	good, err := json.Marshal(witnessed(h100(func(r *gpu.Reading) { r.NVLinks = gpu.Some([]gpu.NVLink(nil)) })))
	require.NoError(f, err)
	f.Add(good)
	c := catalog(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		inv, err := gpu.ParseInventory(b)
		if err != nil {
			require.ErrorIs(t, err, gpu.ErrInvalid)
			return
		}
		require.NoError(t, inv.Validate())
		again, err := json.Marshal(inv)
		require.NoError(t, err)
		back, err := gpu.ParseInventory(again)
		require.NoError(t, err)
		require.Equal(t, gpu.Check(inv, c), gpu.Check(back, c))
		require.Equal(t, inv.Digest(), back.Digest())
	})
}

func TestParseInventoryRefuses(t *testing.T) {
	for _, text := range []string{"", "{}", "null", "[]", `{"devices":3}`, `{"devices":[{"memory_mib":-1}]}`, `{} {}`, `{"taken":"noon"}`} {
		_, err := gpu.ParseInventory([]byte(text))
		require.ErrorIs(t, err, gpu.ErrInvalid, text)
	}
}

func BenchmarkOpen(b *testing.B) {
	_, public := agentKey("ann")
	report := sign(b, "ann", 1, noon, nonce(1), h100s(1, 8))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := gpu.Open(report, public[:], nonce(1)); err != nil {
			b.Fatal(err)
		}
	}
}
