package spl_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

const jupiterKey = "k3y-that-nobody-may-see"

// jupiterBench is a server that answers in the shape of Jupiter's public documentation, as a test bends it. The service
// itself was never asked.
type jupiterBench struct {
	*httptest.Server
	answer   map[string]any
	raw      []byte // instead of answer
	status   int
	requests []*http.Request
	bodies   []map[string]any
	order    settlement.SwapOrder
}

func newJupiterBench(t testing.TB) *jupiterBench {
	t.Helper()
	p := settlement.IONet()
	b := &jupiterBench{status: http.StatusOK}
	b.order = settlement.SwapOrder{
		Quote:  settlement.SwapQuote{In: p.Assets[1], Out: p.Assets[0], Units: 40_000_000, Expect: 1_592_655_174, Least: 1_584_691_898},
		Wallet: svmtest.Address(svmtest.Key("swapper")),
		From:   svmtest.Address(svmtest.Key("from")),
		Into:   svmtest.Address(svmtest.Key("into")),
	}
	text, err := os.ReadFile("testdata/jupiter_build.json")
	require.NoError(t, err)
	full := strings.NewReplacer("TAKER", string(b.order.Wallet), "FROM", string(b.order.From), "INTO", string(b.order.Into)).Replace(string(text))
	require.NoError(t, json.Unmarshal([]byte(full), &b.answer))
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.requests = append(b.requests, r)
		var body map[string]any
		_ = json.NewDecoder(r.Body).Decode(&body)
		b.bodies = append(b.bodies, body)
		w.WriteHeader(b.status)
		if b.raw != nil {
			_, _ = w.Write(b.raw)
			return
		}
		_ = json.NewEncoder(w).Encode(b.answer)
	}))
	t.Cleanup(b.Close)
	return b
}

func (b *jupiterBench) jupiter(t testing.TB, api spl.JupiterAPI) *spl.Jupiter {
	t.Helper()
	j, err := spl.NewJupiter(spl.JupiterConfig{URL: b.URL, Key: jupiterKey, Taker: b.order.Wallet, API: api, SlippageBps: 50})
	require.NoError(t, err)
	return j
}

func TestJupiterBuild(t *testing.T) {
	b := newJupiterBench(t)
	j := b.jupiter(t, spl.JupiterBuild)
	q, err := j.Quote(t.Context(), b.order.Quote.In, b.order.Quote.Out, 40_000_000)
	require.NoError(t, err)
	want := b.order.Quote
	want.Route = "jupiter: Some AMM"
	require.Equal(t, want, q)
	ix, err := j.Build(t.Context(), b.order)
	require.NoError(t, err)
	require.Len(t, ix, 1, "neither compute budget nor the making of accounts")
	require.Equal(t, spl.JupiterProgram(), ix[0].Program)
	require.Len(t, ix[0].Accounts, 6)
	require.Equal(t, settlement.AccountUse{Account: b.order.Wallet, Signer: true}, ix[0].Accounts[0])
	require.Equal(t, settlement.AccountUse{Account: b.order.Into, Writable: true}, ix[0].Accounts[2])

	require.Len(t, b.requests, 2)
	for i, r := range b.requests {
		require.Equal(t, http.MethodGet, r.Method)
		require.Equal(t, "/swap/v2/build", r.URL.Path)
		require.Equal(t, jupiterKey, r.Header.Get("x-api-key"))
		v := r.URL.Query()
		require.Equal(t, "40000000", v.Get("amount"))
		require.Equal(t, "50", v.Get("slippageBps"))
		require.Equal(t, "50", v.Get("maxAccounts"))
		require.Equal(t, string(b.order.Wallet), v.Get("taker"))
		require.Equal(t, []string{"", string(b.order.Into)}[i], v.Get("destinationTokenAccount"))
		require.NotContains(t, r.URL.String(), jupiterKey)
	}
}

func TestJupiterMetis(t *testing.T) {
	b := newJupiterBench(t)
	b.answer["contextSlot"] = 77
	j := b.jupiter(t, spl.JupiterMetis)
	q, err := j.Quote(t.Context(), b.order.Quote.In, b.order.Quote.Out, 40_000_000)
	require.NoError(t, err)
	require.EqualValues(t, 77, q.Slot)
	ix, err := j.Build(t.Context(), b.order)
	require.NoError(t, err)
	require.Len(t, ix, 1)
	require.Len(t, b.requests, 3)
	require.Equal(t, "/swap/v1/quote", b.requests[0].URL.Path)
	require.Equal(t, "ExactIn", b.requests[0].URL.Query().Get("swapMode"))
	last := b.bodies[2]
	require.Equal(t, "/swap/v1/swap-instructions", b.requests[2].URL.Path)
	require.Equal(t, string(b.order.Wallet), last["userPublicKey"])
	require.Equal(t, string(b.order.Into), last["destinationTokenAccount"])
	require.Equal(t, false, last["wrapAndUnwrapSol"])
	quote, ok := last["quoteResponse"].(map[string]any)
	require.True(t, ok)
	require.Equal(t, "1592655174", quote["outAmount"], "the quote goes back as it came")
}

// Hostile and broken answers are refused by name, and none of the errors holds the key.
func TestJupiterRefusesAnswers(t *testing.T) {
	instruction := func(a map[string]any) map[string]any { return a["swapInstruction"].(map[string]any) }
	accounts := func(a map[string]any) []any { return instruction(a)["accounts"].([]any) }
	stranger := string(svmtest.Address(svmtest.Key("stranger")))
	for name, row := range map[string]struct {
		bend func(b *jupiterBench, a map[string]any)
		want string
	}{
		"not JSON":             {func(b *jupiterBench, _ map[string]any) { b.raw = []byte("<html>") }, "is no JSON object"},
		"a list":               {func(b *jupiterBench, _ map[string]any) { b.raw = []byte("[]") }, "is no JSON object"},
		"huge":                 {func(b *jupiterBench, _ map[string]any) { b.raw = make([]byte, 1<<20+1) }, "more than 1048576 bytes"},
		"status":               {func(b *jupiterBench, _ map[string]any) { b.status, b.raw = 429, []byte("slow down "+jupiterKey) }, "status 429"},
		"redirect":             {func(b *jupiterBench, _ map[string]any) { b.status = 302 }, "status 302"},
		"another input mint":   {func(_ *jupiterBench, a map[string]any) { a["inputMint"] = a["outputMint"] }, "inputMint is"},
		"another output mint":  {func(_ *jupiterBench, a map[string]any) { a["outputMint"] = stranger }, "outputMint is"},
		"another amount":       {func(_ *jupiterBench, a map[string]any) { a["inAmount"] = "40000001" }, "inAmount is 40000001"},
		"amount as a number":   {func(_ *jupiterBench, a map[string]any) { a["outAmount"] = 5 }, "decode the answer"},
		"amount with a sign":   {func(_ *jupiterBench, a map[string]any) { a["outAmount"] = "+5" }, "outAmount is"},
		"amount with a zero":   {func(_ *jupiterBench, a map[string]any) { a["outAmount"] = "05" }, "outAmount is"},
		"amount too large":     {func(_ *jupiterBench, a map[string]any) { a["outAmount"] = "18446744073709551616" }, "outAmount is"},
		"amount missing":       {func(_ *jupiterBench, a map[string]any) { delete(a, "otherAmountThreshold") }, "otherAmountThreshold is"},
		"nothing":              {func(_ *jupiterBench, a map[string]any) { a["outAmount"] = "0" }, "outAmount is 0"},
		"threshold above":      {func(_ *jupiterBench, a map[string]any) { a["otherAmountThreshold"] = "1592655175" }, "more than outAmount"},
		"exact out":            {func(_ *jupiterBench, a map[string]any) { a["swapMode"] = "ExactOut" }, "swapMode is"},
		"another slippage":     {func(_ *jupiterBench, a map[string]any) { a["slippageBps"] = 5000 }, "slippageBps is 5000"},
		"a fee":                {func(_ *jupiterBench, a map[string]any) { a["platformFee"] = map[string]any{"amount": "7"} }, "platformFee is"},
		"worse than the quote": {func(b *jupiterBench, _ map[string]any) { b.order.Quote.Least = 1_592_655_175 }, "the quote's least was"},
		"no swap":              {func(_ *jupiterBench, a map[string]any) { a["swapInstruction"] = nil }, "swapInstruction is missing"},
		"cleanup":              {func(_ *jupiterBench, a map[string]any) { a["cleanupInstruction"] = instruction(a) }, "it wants cleanupInstruction"},
		"tip":                  {func(_ *jupiterBench, a map[string]any) { a["tipInstruction"] = instruction(a) }, "it wants tipInstruction"},
		"others":               {func(_ *jupiterBench, a map[string]any) { a["otherInstructions"] = []any{instruction(a)} }, "it wants otherInstructions"},
		"others by a new name": {func(_ *jupiterBench, a map[string]any) { a["extraInstruction"] = instruction(a) }, "it wants extraInstruction"},
		"budget that is none":  {func(_ *jupiterBench, a map[string]any) { a["computeBudgetInstructions"] = []any{instruction(a)} }, "computeBudgetInstructions[0]"},
		"setup that is none":   {func(_ *jupiterBench, a map[string]any) { a["setupInstructions"] = []any{instruction(a)} }, "want none but the making"},
		"account in the middle": {func(_ *jupiterBench, a map[string]any) {
			a["setupInstructions"].([]any)[0].(map[string]any)["accounts"].([]any)[3].(map[string]any)["pubkey"] = stranger
		}, "in the middle of the route"},
		"account of a stranger": {func(_ *jupiterBench, a map[string]any) {
			a["setupInstructions"].([]any)[0].(map[string]any)["accounts"].([]any)[2].(map[string]any)["pubkey"] = stranger
		}, "somebody else's"},
		"extra signer":     {func(_ *jupiterBench, a map[string]any) { accounts(a)[3].(map[string]any)["isSigner"] = true }, "is to sign, only the taker does"},
		"program is none":  {func(_ *jupiterBench, a map[string]any) { instruction(a)["programId"] = "0" }, "programId is"},
		"account is none":  {func(_ *jupiterBench, a map[string]any) { accounts(a)[3].(map[string]any)["pubkey"] = "0" }, "accounts[3] is"},
		"data is none":     {func(_ *jupiterBench, a map[string]any) { instruction(a)["data"] = "" }, "data has 0 bytes"},
		"data not base64":  {func(_ *jupiterBench, a map[string]any) { instruction(a)["data"] = "u2T6zDHEr5d=" }, "is no base64"},
		"data too long":    {func(_ *jupiterBench, a map[string]any) { instruction(a)["data"] = strings.Repeat("AAAA", 1366) }, "data has 4098 bytes"},
		"proceeds go away": {func(_ *jupiterBench, a map[string]any) { accounts(a)[2].(map[string]any)["pubkey"] = stranger }, "where the money is to go"},
		"too many accounts": {func(_ *jupiterBench, a map[string]any) {
			list := accounts(a)
			for len(list) <= 50 {
				list = append(list, list[5])
			}
			instruction(a)["accounts"] = list
		}, "it names 51 accounts"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newJupiterBench(t)
			row.bend(b, b.answer)
			_, err := b.jupiter(t, spl.JupiterBuild).Build(t.Context(), b.order)
			require.ErrorIs(t, err, spl.ErrJupiter)
			require.ErrorContains(t, err, row.want)
			require.NotContains(t, err.Error(), jupiterKey)
		})
	}
	b := newJupiterBench(t)
	j := b.jupiter(t, spl.JupiterBuild)
	b.order.Wallet = b.order.From
	_, err := j.Build(t.Context(), b.order)
	require.ErrorContains(t, err, "Taker is")
	b.Close()
	_, err = j.Quote(t.Context(), b.order.Quote.In, b.order.Quote.Out, 1)
	require.ErrorIs(t, err, spl.ErrJupiter)
	require.NotContains(t, err.Error(), jupiterKey)
}

// An unlisted program passes the adapter, which does not judge programs, and is stopped by the guard.
func TestJupiterIsGuarded(t *testing.T) {
	b := newSwapBench(t)
	j := newJupiterBench(t)
	j.answer["inputMint"], j.answer["outputMint"] = b.dollar.Mint, b.token.Mint
	j.answer["setupInstructions"] = nil
	jupiter, err := spl.NewJupiter(spl.JupiterConfig{URL: j.URL, Key: jupiterKey, Taker: b.walletAt, SlippageBps: 50})
	require.NoError(t, err)
	b.config.Swapper = &bentJupiter{jupiter, j}
	_, err = prepareSwap(t, b.converter(), b.lot(0, b.vaultAt))
	refusedBy(t, err, spl.GuardInstructions, "which is not on the list")

	// Listed, it is executed by the simulation, and there is no such program here.
	b.config.Programs = append(b.config.Programs, spl.JupiterProgram())
	_, err = prepareSwap(t, b.converter(), b.lot(0, b.vaultAt))
	refusedBy(t, err, spl.GuardSimulation, "it fails")
}

func TestNewJupiterRefuses(t *testing.T) {
	taker := svmtest.Address(svmtest.Key("swapper"))
	for want, c := range map[string]spl.JupiterConfig{
		"without path, query and user": {URL: "https://api.jup.ag/x?key=" + jupiterKey, Taker: taker, SlippageBps: 50},
		"the scheme \"http\"":          {URL: "http://api.jup.ag", Taker: taker, SlippageBps: 50},
		"Taker is":                     {Taker: "x", SlippageBps: 50},
		"API is 2":                     {Taker: taker, SlippageBps: 50, API: 2},
		"SlippageBps is 0":             {Taker: taker},
		"SlippageBps is 10000":         {Taker: taker, SlippageBps: 10000},
		"MaxAccounts is 65":            {Taker: taker, SlippageBps: 50, MaxAccounts: 65},
		"Key has a character":          {Taker: taker, SlippageBps: 50, Key: "a\r\nb"},
	} {
		_, err := spl.NewJupiter(c)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), jupiterKey)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		c := spl.JupiterConfig{Key: jupiterKey, Taker: taker, SlippageBps: 50}
		j, err := spl.NewJupiter(c)
		require.NoError(t, err)
		for _, x := range []any{c, j, c.Key} {
			text := fmt.Sprintf(format, x)
			require.NotContains(t, text, jupiterKey, format)
			require.NotContains(t, text, fmt.Sprintf("%x", jupiterKey), format)
		}
	}
	text, err := json.Marshal(map[string]any{"key": spl.APIKey(jupiterKey)})
	require.NoError(t, err)
	require.NotContains(t, string(text), jupiterKey)
}

// bentJupiter puts the accounts of the order into the server's answer.
type bentJupiter struct {
	*spl.Jupiter
	bench *jupiterBench
}

func (j *bentJupiter) Build(ctx context.Context, o settlement.SwapOrder) ([]settlement.Instruction, error) {
	list := j.bench.answer["swapInstruction"].(map[string]any)["accounts"].([]any)
	for i, a := range []settlement.Account{o.Wallet, o.From, o.Into, o.Quote.In.Mint, o.Quote.Out.Mint} {
		list[i].(map[string]any)["pubkey"] = a
	}
	return j.Jupiter.Build(ctx, o)
}
