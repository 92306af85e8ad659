package spl_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

func TestProbe(t *testing.T) {
	l := newLab(t)
	k, err := spl.NewKey(svmtest.Key("nobody without lamports"))
	require.NoError(t, err)
	for _, name := range []string{"payer", "nobody"} {
		c := spl.Config{URL: l.URL(), Payer: k}
		if name == "payer" {
			c.Payer, err = spl.NewKey(svmtest.Key("payer"))
			require.NoError(t, err)
		}
		f, err := spl.Probe(t.Context(), c)
		require.NoError(t, err)
		require.Equal(t, spl.V1, f)
	}
	require.NoError(t, l.SetV1(t.Context(), false))
	f, err := spl.Probe(t.Context(), spl.Config{URL: l.URL(), Payer: k})
	require.NoError(t, err)
	require.Equal(t, spl.V0, f)
	require.NoError(t, l.SetV1(t.Context(), true))

	c, err := spl.New(spl.Config{URL: l.URL(), Payer: k})
	require.NoError(t, err)
	require.NoError(t, l.Advance(t.Context(), 3))
	prices, err := c.RecentPrices(t.Context(), svmtest.Address(svmtest.Key("payer")))
	require.NoError(t, err)
	require.NotEmpty(t, prices)
	_, err = c.RecentPrices(t.Context(), make([]settlement.Account, 129)...)
	require.ErrorContains(t, err, "prices of 129 accounts, want at most 128")
}

// TestProbeOfOddEndpoints asks endpoints that refuse formats in the ways that have been seen, or cannot be asked at all.
func TestProbeOfOddEndpoints(t *testing.T) {
	const (
		fine    = `"result":{"context":{"slot":1},"value":{"err":null}}`
		poor    = `"result":{"context":{"slot":1},"value":{"err":"AccountNotFound"}}`
		version = `"result":{"context":{"slot":1},"value":{"err":"UnsupportedVersion"}}`
		bytes   = `"error":{"code":-32602,"message":"failed to deserialize VersionedTransaction"}`
		old     = `"error":{"code":-32015,"message":"Transaction version (1) is not supported"}`
		busy    = `"error":{"code":-32005,"message":"Node is behind"}`
		none    = `"result":{"context":{"slot":1},"value":null}`
	)
	gate := func(owner string, data ...byte) string {
		return fmt.Sprintf(`"result":{"context":{"slot":1},"value":{"lamports":1,"owner":%q,"data":[%q,"base64"],"executable":false,"rentEpoch":0}}`,
			owner, base64.StdEncoding.EncodeToString(data))
	}
	const feature = "Feature111111111111111111111111111111111111"
	k, err := spl.NewKey(svmtest.Key("payer"))
	require.NoError(t, err)
	for _, row := range []struct {
		name           string
		gate           string
		v1, v0, legacy string
		want           spl.Format
		err            string
	}{
		{"all", none, fine, fine, fine, spl.V1, ""},
		{"payer without lamports", none, poor, poor, poor, spl.V1, ""},
		{"gate is active", gate(feature, 1, 0, 0, 0, 0, 0, 0, 0, 0), fine, fine, fine, spl.V1, ""},
		{"gate waits", gate(feature, 0, 0, 0, 0, 0, 0, 0, 0, 0), fine, fine, fine, spl.V0, ""},
		{"lamports at the gate's address", gate("11111111111111111111111111111111"), fine, fine, fine, spl.V1, ""},
		{"version", none, version, fine, fine, spl.V0, ""},
		{"bytes", none, bytes, fine, fine, spl.V0, ""},
		{"old", none, old, fine, fine, spl.V0, ""},
		{"very old", none, bytes, version, fine, spl.Legacy, ""},
		{"none", none, bytes, bytes, bytes, 0, "takes no format"},
		{"busy", none, busy, fine, fine, 0, "Node is behind"},
		{"gate unknown", busy, fine, fine, fine, 0, "Node is behind"},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var q struct {
				ID     json.RawMessage
				Method string
				Params []json.RawMessage
			}
			_ = json.NewDecoder(r.Body).Decode(&q)
			answer := row.gate
			if q.Method == "simulateTransaction" {
				var raw []byte
				_ = json.Unmarshal(q.Params[0], &raw)
				switch {
				case raw[0] == 0x81:
					answer = row.v1
				case raw[65] == 0x80:
					answer = row.v0
				default:
					answer = row.legacy
				}
			}
			_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,%s}`, q.ID, answer)
		}))
		f, err := spl.Probe(t.Context(), spl.Config{URL: srv.URL, Payer: k})
		srv.Close()
		require.Equal(t, row.want, f, row.name)
		if row.err == "" {
			require.NoError(t, err, row.name)
			continue
		}
		require.ErrorContains(t, err, row.err, row.name)
	}
	_, err = spl.Probe(t.Context(), spl.Config{})
	require.Error(t, err)
}
