package spl_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// all lets several lies be told at once.
func all(lies ...lie) lie {
	return func(c call, was json.RawMessage) (json.RawMessage, []byte) {
		for _, l := range lies {
			var whole []byte
			if was, whole = l(c, was); whole != nil {
				return nil, whole
			}
		}
		return was, nil
	}
}

// inflates adds units to what a transaction left in the treasury, and to what the treasury holds: the books of one who lies well.
func inflates(t testing.TB, by uint64) lie {
	return all(changes(t, "getTransaction", func(m map[string]any) {
		for _, row := range m["meta"].(map[string]any)["postTokenBalances"].([]any) {
			amount := row.(map[string]any)["uiTokenAmount"].(map[string]any)
			if row.(map[string]any)["owner"] == string(svmtest.Address(svmtest.Key("desk"))) {
				n, err := strconv.ParseUint(fmt.Sprint(amount["amount"]), 10, 64)
				require.NoError(t, err)
				amount["amount"] = fmt.Sprint(n + by)
			}
		}
	}), holds(t, func(units uint64) uint64 { return units + by }))
}

// holds changes what the first account that is read is said to hold.
func holds(t testing.TB, change func(units uint64) uint64) lie {
	return changes(t, "getMultipleAccounts", func(m map[string]any) {
		data := m["value"].([]any)[0].(map[string]any)["data"].([]any)
		raw, err := base64.StdEncoding.DecodeString(data[0].(string))
		require.NoError(t, err)
		binary.LittleEndian.PutUint64(raw[64:], change(binary.LittleEndian.Uint64(raw[64:])))
		data[0] = base64.StdEncoding.EncodeToString(raw)
	})
}

// TestLyingEndpoint: one endpoint alone is believed what it says well enough; with a second one to agree it credits nothing, in
// whichever place it stands, and the error names both.
func TestLyingEndpoint(t *testing.T) {
	s := newShop(t, svmtest.Config{})
	require.Empty(t, s.final())
	s.bill("a", 1000e6)
	s.pay("ann", s.bill("b", 25e6))
	s.blocks(svmtest.BlocksToFinal)
	liar := newLiar(t, s.URL(), nil)
	names := []string{hostOf(t, s.URL()), hostOf(t, liar.URL)}
	for name, x := range map[string]struct {
		lie      lie
		believed uint64 // what comes in by the liar's word alone
		apart    string // pattern of what the two are told to disagree on
	}{
		"more":    {inflates(t, 975e6), 1000e6, "it brings (1000000000 units and 25000000|25000000 units and 1000000000)$"},
		"less":    {all(inflates(t, ^uint64(0))), 25e6 - 1, "it brings (24999999 units and 25000000|25000000 units and 24999999)$"},
		"nothing": {all(says("getSignaturesForAddress", "[]"), holds(t, func(uint64) uint64 { return 0 })), 0, "only the second has it"},
		"failed": {all(func(c call, was json.RawMessage) (json.RawMessage, []byte) {
			var rows []map[string]any
			if c.Method != "getSignaturesForAddress" || json.Unmarshal(was, &rows) != nil {
				return was, nil
			}
			for _, r := range rows {
				r["err"] = "InsufficientFundsForFee"
			}
			out, err := json.Marshal(rows)
			require.NoError(t, err)
			return out, nil
		}, holds(t, func(uint64) uint64 { return 0 })), 0, "failed (true and false|false and true)$"},
		"time": {says("getBlockTime", "4000000000"), 25e6, "the time of slot"},
	} {
		t.Run(name, func(t *testing.T) {
			scan := func(urls ...string) (spl.Scan, error) {
				c := s.config
				c.URL, c.Witnesses = urls[0], nil
				for _, u := range urls[1:] {
					c.Witnesses = append(c.Witnesses, spl.WatchWitness{URL: u})
				}
				w, err := spl.NewWatcher(c)
				require.NoError(t, err)
				return w.Scan(t.Context(), s.cursor, slices.Collect(s.till.References()))
			}
			liar.tell(x.lie)
			alone, err := scan(liar.URL)
			require.NoError(t, err, "the lie holds together")
			require.Equal(t, x.believed, came(alone))
			for _, urls := range [][]string{{liar.URL, s.URL()}, {s.URL(), liar.URL}} {
				r, err := scan(urls...)
				require.Error(t, err)
				require.Empty(t, r, "no event, no cursor")
				for _, n := range names {
					require.ErrorContains(t, err, n)
				}
				require.ErrorIs(t, err, spl.ErrDisagree)
				require.Regexp(t, x.apart, err.Error())
			}
			liar.tell(nil)
			r, err := scan(liar.URL, s.URL())
			require.NoError(t, err)
			require.EqualValues(t, 25e6, came(r))
		})
	}
}

// came is what a scan tells of.
func came(r spl.Scan) (sum uint64) {
	for _, e := range r.Events {
		if in, ok := e.(settlement.InflowSeen); ok {
			sum += in.Inflow.Units
		}
	}
	return sum
}

func hostOf(t testing.TB, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	return u.Host
}

// TestLaggingWitness: what only one endpoint knows is told once the second has come as far; with three, two are enough.
func TestLaggingWitness(t *testing.T) {
	s := newShop(t, svmtest.Config{Endpoints: 3})
	require.Empty(t, s.final())
	s.config.Witnesses = []spl.WatchWitness{{URL: s.URLs()[1]}}
	s.restart()
	s.pay("ann", s.bill("a", 25e6))
	require.NoError(t, s.SetEndpoint(t.Context(), 1, svmtest.Endpoint{Lag: 10}))
	require.Empty(t, s.final(), "final at one endpoint only")
	s.blocks(9)
	through := s.till.Through()
	require.Equal(t, []string{"credited a 25000000"}, s.scan())
	require.True(t, s.till.Through().After(through))

	// One without its history cannot confirm: both are named, and the cursor stays.
	s.pay("ann", s.bill("b", 25e6))
	s.blocks(40)
	require.NoError(t, s.SetEndpoint(t.Context(), 1, svmtest.Endpoint{ForgetTransactions: true}))
	r, err := s.watcher.Scan(t.Context(), s.cursor, nil)
	require.ErrorContains(t, err, "1 endpoints tell the same, want Quorum, 2")
	require.ErrorContains(t, err, hostOf(t, s.URLs()[0]))
	require.ErrorContains(t, err, hostOf(t, s.URLs()[1]))
	require.Empty(t, r)
	s.config.Witnesses = append(s.config.Witnesses, spl.WatchWitness{URL: s.URLs()[2], Name: "third"})
	cursor := s.cursor
	s.restart()
	s.cursor = cursor
	require.Equal(t, []string{"credited b 25000000"}, s.scan())

	// The first one may be the one that is away.
	s.config.URL = "http://127.0.0.1:1"
	s.config.Witnesses = []spl.WatchWitness{{URL: s.URLs()[0]}, {URL: s.URLs()[2]}}
	s.restart()
	s.pay("ann", s.bill("c", 25e6))
	require.Equal(t, []string{"credited c 25000000"}, s.final())
	s.config.Quorum = 3
	s.restart()
	_, err = s.watcher.Scan(t.Context(), s.cursor, nil)
	require.ErrorContains(t, err, "2 endpoints answer, want Quorum, 3")
}

func TestQuorumRefused(t *testing.T) {
	good := spl.WatchConfig{
		URL: "http://127.0.0.1:1/secret-of-ours", Own: []settlement.Account{specRecipient},
		Treasuries: []settlement.Treasury{{Account: specMint, Owner: specRecipient, Asset: settlement.Asset{Mint: specMint}, Program: tokenProgram}},
		Witnesses:  []spl.WatchWitness{{URL: "http://127.0.0.1:2/secret-of-ours"}},
	}
	_, err := spl.NewWatcher(good)
	require.NoError(t, err)
	for says, change := range map[string]func(c *spl.WatchConfig){
		"Quorum is 3, want 1 to the number of endpoints, 2":            func(c *spl.WatchConfig) { c.Quorum = 3 },
		"Quorum is -1, want 1":                                         func(c *spl.WatchConfig) { c.Quorum = -1 },
		"Witnesses[0]: spl: URL is no http":                            func(c *spl.WatchConfig) { c.Witnesses = []spl.WatchWitness{{URL: "secret-of-ours"}} },
		`Witnesses[0] is "127.0.0.1:1", as another endpoint is`:        func(c *spl.WatchConfig) { c.Witnesses = []spl.WatchWitness{{URL: c.URL}} },
		`Witnesses[0] is "other", as another endpoint is: its word`:    func(c *spl.WatchConfig) { c.Witnesses = []spl.WatchWitness{{URL: c.URL, Name: "other"}} },
		`Witnesses[0] is "127.0.0.1:1", as another endpoint is: its w`: func(c *spl.WatchConfig) { c.Witnesses = []spl.WatchWitness{{URL: "http://x", Name: "127.0.0.1:1"}} },
	} {
		c := good
		change(&c)
		_, err := spl.NewWatcher(c)
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), "secret-of-ours")
	}
}

// TestPaymentWhileScanning: what becomes final between the reading of the balance and that of the history is for the next scan.
func TestPaymentWhileScanning(t *testing.T) {
	s := newShop(t, svmtest.Config{})
	s.pay("ann", s.bill("a", 25e6))
	p := s.bill("b", 26e6)
	liar := newLiar(t, s.URL(), nil)
	s.config.URL = liar.URL
	s.restart()
	s.blocks(svmtest.BlocksToFinal)
	once := false
	liar.tell(func(c call, was json.RawMessage) (json.RawMessage, []byte) {
		if c.Method == "getMultipleAccounts" && !once {
			once = true
			s.pay("ann", p)
			s.blocks(svmtest.BlocksToFinal)
		}
		return was, nil
	})
	require.Equal(t, []string{"credited a 25000000"}, s.scan())
	require.Equal(t, []string{"credited b 26000000"}, s.scan())
}
