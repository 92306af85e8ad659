package network_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// everyCommand has every field of every command set.
func everyCommand() []network.Command {
	id := settlement.BatchID{Epoch: 7, Lane: 1, Index: 2}
	marker := settlement.MarkerID{Batch: id, N: 1}
	line := settlement.Line{Kind: settlement.Pay, Asset: settlement.Asset{Mint: "IO", Decimals: 8}, From: "a", To: "b", Units: 5, Intents: []settlement.IntentID{}}
	faults := []settlement.Fault{{Line: 3, Reason: "no account"}}
	return []network.Command{
		network.Enrol{Node: "n", Key: network.Key{1, 31: 2}, Supplier: "ann"},
		network.Challenge{Key: network.Key{1}, Nonce: network.Key{2}},
		network.Report{Signed: []byte{0, 255, '"'}},
		network.List{Node: "n", Site: "s", Country: "DE", Connectivity: 4, CPUMilli: 1, RAMMiB: 2, HourMicro: 3},
		network.Link{A: "a", B: "b", DelayMicros: 1, Mbps: 2},
		network.Heartbeats{Up: []string{"a", "b"}, Down: []string{"c"}},
		network.Attest{Node: "n", Criterion: "SOC 2", Issuer: "i", Expires: hour.Add(1)},
		network.Prove{
			ID: "i", Node: "n", Device: "GPU-1", Passed: true, Judged: true, Reason: "value", CommitMicros: 1<<64 - 1, OpsPerSecond: 1 << 60,
		},
		network.AttestChip{Node: "n", Device: "GPU-1", ChipID: "41"},
		network.RotateKey{Signed: []byte{0, 255}},
		network.RevokeKey{Node: "n", Why: "sold"},
		network.Stake{Node: "n", Amount: 1<<64 - 1},
		network.PostOffer{Offer: "o", Node: "n", Amount: 1, ShareBps: 500, Expires: hour},
		network.AcceptOffer{Offer: "o", Holder: "h", Amount: 2},
		network.SetPrice{MicroPerToken: 1, Source: "s"},
		network.Submit{
			Job: "j", Wallet: "w", Currency: tokenomics.Card, Replicas: 1, GPUsPerReplica: 2, Models: []string{"m"}, MinMemoryMiB: 3, CPUMilli: 4, RAMMiB: 5,
			Countries: []string{"DE"}, MinConnectivity: 1, MinTier: 2, MinStandingPPM: 6, MaxHourMicro: 7, MaxSites: 8, MaxDelayMicros: 9, MinMbps: 10, Seconds: 11,
		},
		network.Finish{Lease: "l"},
		network.Retry{Payment: "00"},
		network.OtherScores{Epoch: 1, Pool: tokenomics.PoolGPU, Score: 1 << 62},
		network.Tick{},
		network.Settle{Event: settlement.Signed{Batch: id, Revision: 1, Tx: settlement.Tx{ID: "t", Raw: []byte{1}, LastValid: 9}}},
		network.Settle{Event: settlement.Rejected{Batch: id, Revision: 1, Faults: faults}},
		network.Settle{Event: settlement.Landed{Batch: id, Tx: "t", Slot: 1, Fee: 2, Witnesses: sworn(1)}},
		network.Settle{Event: settlement.Failed{Batch: id, Tx: "t", Slot: 1, Fee: 2, Failure: settlement.Failure{Faults: faults, Marker: true, Reason: "r"}, Witnesses: sworn(1)}},
		network.Settle{Event: settlement.Expired{Batch: id, Tx: "t", Witnesses: sworn(3)}},
		network.Settle{Event: settlement.Found{Marker: marker, Tx: "t", Slot: 1, Fee: 2, Lines: []settlement.Line{line}, Witnesses: sworn(1)}},
		network.Settle{Event: settlement.Poisoned{Marker: marker, Tx: "t", Slot: 1, Witnesses: sworn(1)}},
		network.Settle{Event: settlement.Reclaimed{Markers: []settlement.MarkerID{marker}, Witnesses: sworn(9)}},
		network.Settle{Event: settlement.Resumed{Batch: id}},
	}
}

func TestEncodeDecode(t *testing.T) {
	at := hour.Add(123_456_789)
	for _, c := range everyCommand() {
		b, err := network.Encode(at.In(time.FixedZone("x", 3600)), c)
		require.NoError(t, err)
		require.NotContains(t, string(b), "\n", "one line")
		gotAt, got, err := network.Decode(b)
		require.NoError(t, err, "%s", b)
		require.Equal(t, at, gotAt)
		require.Equal(t, c, got)
		again, err := network.Encode(gotAt, got)
		require.NoError(t, err)
		require.Equal(t, string(b), string(again))
	}
	_, err := network.Encode(at, network.Settle{})
	require.ErrorIs(t, err, network.ErrInvalid)
}

// TestDecodeIsStrict refuses every line of everyCommand that has lost its end, or has something more.
func TestDecodeIsStrict(t *testing.T) {
	for _, c := range everyCommand() {
		b, err := network.Encode(hour, c)
		require.NoError(t, err)
		for n := range b {
			_, _, err := network.Decode(b[:n])
			require.Error(t, err, "%s", b[:n])
		}
		for _, more := range []string{" {}", "x", "0", "]", string(b)} {
			_, _, err := network.Decode(append(append([]byte{}, b...), more...))
			require.Error(t, err)
		}
		_, _, err = network.Decode([]byte(strings.Replace(string(b), `"command":{`, `"command":{"bogus":1,`, 1)))
		require.Error(t, err, "an unknown field of %T", c)
		_, _, err = network.Decode([]byte(strings.Replace(string(b), `"kind"`, `"bogus":1,"kind"`, 1)))
		require.ErrorContains(t, err, "bogus")
	}
	signed := base64.StdEncoding.EncodeToString(settlement.EncodeEvent(settlement.Resumed{}))
	for _, row := range []struct{ line, says string }{
		{`{"kind":"bogus"}`, `command "bogus": unknown kind`},
		{`{}`, `command "": unknown kind`},
		{`null`, "unknown kind"},
		{`[]`, "network: command"},
		{`{"kind":"tick","command":[]}`, `command "tick"`},
		{`{"kind":"tick","at":"yesterday"}`, "network: command"},
		{`{"kind":"enrol","command":{"key":"00"}}`, "key has 2 characters, want 64 hexadecimal digits"},
		{`{"kind":"enrol","command":{"key":"` + strings.Repeat("x", 64) + `"}}`, "network: key"},
		{`{"kind":"stake","command":{"amount":"-1"}}`, `command "stake"`},
		{`{"kind":"submit","command":{"replicas":65536}}`, `command "submit"`},
		{`{"kind":"settle"}`, `command "settle"`},
		{`{"kind":"settle","command":{}}`, "malformed message"},
		{`{"kind":"settle","command":{"event":"AA=="}}`, "malformed message"},
		{`{"kind":"settle","command":{"event":"` + signed + `","more":1}}`, "more"},
	} {
		_, c, err := network.Decode([]byte(row.line))
		require.ErrorContains(t, err, row.says, row.line)
		require.Nil(t, c, row.line)
	}
	at, c, err := network.Decode([]byte(`{"kind":"tick"}`))
	require.NoError(t, err)
	require.Equal(t, network.Tick{}, c)
	require.True(t, at.IsZero())
}

func TestKey(t *testing.T) {
	k := network.Key{0xab, 31: 0x01}
	text := "ab" + strings.Repeat("00", 30) + "01"
	require.Equal(t, text, k.String())
	b, err := json.Marshal(k)
	require.NoError(t, err)
	require.Equal(t, `"`+text+`"`, string(b))
	var got network.Key
	require.NoError(t, json.Unmarshal(b, &got))
	require.Equal(t, k, got)
	require.Error(t, got.UnmarshalText([]byte(text[:63])))
	require.Error(t, got.UnmarshalText([]byte(text+"0")))
}

// FuzzDecode: whatever is decoded is written back as one line that means the same, and nothing panics, not even a network
// to which it is given.
func FuzzDecode(f *testing.F) {
	for _, c := range everyCommand() {
		b, err := network.Encode(hour, c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		at, c, err := network.Decode(b)
		if err != nil {
			return
		}
		line, err := network.Encode(at, c)
		if err != nil {
			return // a year beyond 9999, or a currency that is missing
		}
		at2, c2, err := network.Decode(line)
		require.NoError(t, err)
		require.True(t, at.Equal(at2))
		line2, err := network.Encode(at2, c2)
		require.NoError(t, err)
		require.Equal(t, string(line), string(line2))

		w := newWorld(t, network.IONet(accounts(), lastEpoch(t)+1), "ann")
		w.agent("n", a4000, 1)
		w.do(hour, network.Enrol{Node: "n", Key: w.agents["n"].Key(), Supplier: "ann"})
		_, err = w.apply(hour, c)
		if _, wrote := network.Encode(hour, c); err == nil {
			require.NoError(t, wrote)
		}
	})
}
