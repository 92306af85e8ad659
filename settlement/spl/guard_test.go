package spl_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// refusedBy wants a refusal by one step of the guard, for one reason.
func refusedBy(t testing.TB, err error, step spl.GuardStep, reason string) {
	t.Helper()
	var refused *spl.GuardError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, step, refused.Step, "%s", err)
	require.Contains(t, refused.Reason, reason)
	require.Contains(t, err.Error(), step.String())
}

// Each row bends one thing about the instructions of a swap that is otherwise in order, and only that is found.
func TestGuardInstructions(t *testing.T) {
	b := newSwapBench(t)
	boss, vaultKey := svmtest.Address(b.boss), b.vaultAt
	use := func(a settlement.Account) settlement.AccountUse { return settlement.AccountUse{Account: a} }
	token := func(data []byte, uses ...settlement.AccountUse) settlement.Instruction {
		return settlement.Instruction{Program: splToken, Data: data, Accounts: uses}
	}
	none := make([]byte, 9)
	none[0] = 3 // a transfer of nothing
	for name, row := range map[string]struct {
		bend func(o settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction
		want string
	}{
		"nothing": {func(settlement.SwapOrder, []settlement.Instruction) []settlement.Instruction { return nil }, "0 instructions, want 1 to 16"},
		"too many": {func(_ settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction {
			for len(ix) < 17 {
				ix = append(ix, ix[0])
			}
			return ix
		}, "17 instructions"},
		"a program that is none": {func(_ settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction {
			return append(ix, settlement.Instruction{Program: "0"})
		}, "is no address"},
		"a program not listed": {func(_ settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction {
			return append(ix, settlement.Instruction{Program: b.deskAt})
		}, "not on the list"},
		"System transfer": {func(_ settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction {
			return append(ix, settlement.Instruction{Program: "11111111111111111111111111111111", Data: []byte{2, 0, 0, 0}})
		}, "which only we call"},
		"compute budget": {func(_ settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction {
			return append(ix, settlement.Instruction{Program: "ComputeBudget111111111111111111111111111111"})
		}, "which only we call"},
		"making of accounts": {func(_ settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction {
			return append(ix, settlement.Instruction{Program: "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"})
		}, "which only we call"},
		"Approve": {func(o settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction {
			return append(ix, token(append([]byte{4}, none[1:]...), use(o.From), use(b.deskAt), use(o.Wallet)))
		}, "instruction 2 is Approve"},
		"ApproveChecked": {func(o settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction {
			return append(ix, token([]byte{13}, use(o.From)))
		}, "is Approve"},
		"SetAuthority": {func(o settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction {
			return append([]settlement.Instruction{token([]byte{6, 2, 0}, use(o.From), use(o.Wallet))}, ix...)
		}, "instruction 0 is SetAuthority"},
		"CloseAccount": {func(o settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction {
			return append(ix, token([]byte{9}, use(o.From), use(b.deskAt), use(o.Wallet)))
		}, "is CloseAccount"},
		"Burn": {func(o settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction {
			return append(ix, token([]byte{8}, use(o.From)))
		}, "is Burn"},
		"batch of the token program": {func(o settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction {
			return append(ix, token([]byte{255, 3}, use(o.From)))
		}, "is batch"},
		"token program without data": {func(o settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction {
			return append(ix, token(nil, use(o.From)))
		}, "is nothing"},
		"the payer, even unsigned": {func(_ settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction {
			ix[0].Accounts = append(ix[0].Accounts, use(boss))
			return ix
		}, "the payer of ours"},
		"another key of ours": {func(_ settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction {
			ix[0].Accounts = append(ix[0].Accounts, use(vaultKey))
			return ix
		}, "a key of ours"},
		"a stranger's signature": {func(_ settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction {
			ix[1].Accounts[2] = settlement.AccountUse{Account: b.deskAt, Signer: true}
			return ix
		}, "wants a signature of"},
		"an account that is none": {func(_ settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction {
			ix[1].Accounts = append(ix[1].Accounts, use("0"))
			return ix
		}, "account 3, \"0\", is no address"},
		"too many accounts": {func(o settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction {
			for len(ix[1].Accounts) <= 60 {
				ix[1].Accounts = append(ix[1].Accounts, use(o.Wallet))
			}
			return ix
		}, "names 61 accounts, at most 60"},
	} {
		t.Run(name, func(t *testing.T) {
			b.config.Swapper = &crooked{Swapper: b.pool, build: row.bend}
			_, err := prepareSwap(t, b.converter(), b.lot(0, b.vaultAt))
			refusedBy(t, err, spl.GuardInstructions, row.want)
		})
	}
	b.config.Swapper = &crooked{Swapper: b.pool}
	_, err := prepareSwap(t, b.converter(), b.lot(0, b.vaultAt))
	require.NoError(t, err, "unbent it passes")
}

func TestGuardMessage(t *testing.T) {
	b := newSwapBench(t)
	b.config.Swapper = &crooked{Swapper: b.pool, build: func(_ settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction {
		for i := range 55 {
			key := svmtest.Address(svmtest.Key(string(rune('A' + i))))
			ix[i%2].Accounts = append(ix[i%2].Accounts, settlement.AccountUse{Account: key})
		}
		return ix
	}}
	_, err := prepareSwap(t, b.converter(), b.lot(0, b.vaultAt))
	refusedBy(t, err, spl.GuardMessage, "addresses, a transaction has 64")
}

func TestGuardQuote(t *testing.T) {
	b := newSwapBench(t)
	honest := b.config.Market
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	price := func(micro uint64, at time.Time) tokenomics.Price {
		return tokenomics.Price{MicroPerToken: micro, At: at, Source: "test"}
	}
	for name, row := range map[string]struct {
		market *fixedMarket
		quote  func(*settlement.SwapQuote)
		field  string
	}{
		"price above ours":   {newMarket(2_400_000, 2_400_000), nil, "Expect"},
		"price below ours":   {newMarket(2_600_000, 2_600_000), nil, "Expect"},
		"one side only":      {&fixedMarket{now: now, market: settlement.Market{Bid: price(2_500_000, now)}}, nil, "Ask"},
		"stale":              {&fixedMarket{now: now.Add(61 * time.Second), market: newMarket(2_500_000, 2_500_000).market}, nil, "Bid"},
		"another amount":     {nil, func(q *settlement.SwapQuote) { q.Units-- }, "Units"},
		"another asset":      {nil, func(q *settlement.SwapQuote) { q.Out = q.In }, "Units"},
		"less than the line": {nil, func(q *settlement.SwapQuote) { q.Expect, q.Least = leastUnits-1, leastUnits-1 }, "Expect"},
		"old":                {nil, func(q *settlement.SwapQuote) { q.Slot -= 21 }, "Slot"},
		"of the future":      {nil, func(q *settlement.SwapQuote) { q.Slot += 2 }, "Slot"},
		"moves the price":    {nil, func(q *settlement.SwapQuote) { q.ImpactBps = 101 }, "ImpactBps"},
	} {
		t.Run(name, func(t *testing.T) {
			b.config.Market, b.config.Swapper = honest, &crooked{Swapper: b.pool, quote: row.quote}
			if row.market != nil {
				b.config.Market = row.market
			}
			_, err := prepareSwap(t, b.converter(), b.lot(0, b.vaultAt))
			var refused *settlement.QuoteError
			require.ErrorAs(t, err, &refused)
			require.Equal(t, row.field, refused.Field, "%s", err)
		})
	}
	b.config.Market = honest
	b.config.Swapper = &crooked{Swapper: b.pool, quote: func(q *settlement.SwapQuote) { q.Slot = 0 }}
	_, err := prepareSwap(t, b.converter(), b.lot(0, b.vaultAt))
	require.NoError(t, err, "a venue that does not say its slot quotes as of the question")
}

func TestGuardWallet(t *testing.T) {
	ctx := t.Context()
	for name, row := range map[string]struct {
		spoil func(b *swapBench)
		want  string
	}{
		"more than the lot": {func(b *swapBench) { b.open(b.dollar, b.walletAt, 1) }, "the lot and what may be spare are 40000000"},
		"lamports":          {func(b *swapBench) { require.NoError(b, b.Airdrop(ctx, b.walletAt, 1_000_000)) }, "holds 1000000 lamports, at most 0"},
		"frozen":            {func(b *swapBench) { require.NoError(b, b.Freeze(ctx, b.boss, b.dollar, b.walletAt)) }, "is frozen"},
		"a delegate": {func(b *swapBench) {
			require.NoError(b, b.Airdrop(ctx, b.walletAt, 1_000_000_000))
			own, err := spl.NewPool(b.chain, spl.PoolConfig{Owner: b.walletAt})
			require.NoError(b, err)
			require.NoError(b, own.Approve(ctx, signer(b, "swapper"), b.deskAt, b.dollar, 5))
			b.config.SpareLamports = 1_000_000_000
		}, "a right over its token account"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newSwapBench(t)
			row.spoil(b)
			b.settle()
			_, err := prepareSwap(t, b.converter(), b.lot(0, b.vaultAt))
			refusedBy(t, err, spl.GuardWallet, row.want)
		})
	}
	b := newSwapBench(t)
	b.open(b.dollar, b.walletAt, 1)
	b.settle()
	b.config.SpareUnits = 1
	_, err := prepareSwap(t, b.converter(), b.lot(0, b.vaultAt))
	require.NoError(t, err, "one unit may be spare")
	batch := b.lot(0, b.vaultAt)
	batch.Lines[0].Units += 2
	_, err = prepareSwap(t, b.converter(), batch)
	refusedBy(t, err, spl.GuardWallet, "holds 40000001 units")
}

// What a swap would do, on the real runtime.
func TestGuardSimulation(t *testing.T) {
	b := newSwapBench(t)
	b.open(b.dollar, b.walletAt, 10)
	b.open(b.token, b.walletAt, 10) // an account of the wallet that is not in the swap
	b.settle()
	b.config.SpareUnits = 10
	units := func(ix *settlement.Instruction, by int64) {
		n := uint64(0)
		for i := range 8 {
			n |= uint64(ix.Data[1+i]) << (8 * i)
		}
		n = uint64(int64(n) + by)
		for i := range 8 {
			ix.Data[1+i] = byte(n >> (8 * i))
		}
	}
	quoted, err := b.pool.Quote(t.Context(), b.dollar, b.token, lotUnits)
	require.NoError(t, err)
	for name, row := range map[string]struct {
		bend func(o settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction
		want string
	}{
		"takes one unit more": {func(_ settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction {
			units(&ix[0], 1)
			return ix
		}, "it fails"},
		"gives one unit less than promised": {func(_ settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction {
			units(&ix[1], -1)
			return ix
		}, "the venue promised at least"},
		"gives one unit less than the least": {func(_ settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction {
			units(&ix[1], int64(leastUnits)-int64(quoted.Expect)-1)
			return ix
		}, "it fails"},
		"fails": {func(_ settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction {
			units(&ix[1], int64(deskTokens))
			return ix
		}, "it fails"},
		"writes another account of ours": {func(_ settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction {
			other := ix[1]
			other.Data = bytes.Clone(other.Data)
			units(&other, 5-int64(quoted.Expect))
			other.Accounts = append([]settlement.AccountUse(nil), other.Accounts...)
			other.Accounts[1].Account = svmtestTokenAccount(t, b, b.token, b.walletAt)
			return append(ix, other)
		}, "which is ours"},
	} {
		t.Run(name, func(t *testing.T) {
			b.config.Swapper = &crooked{Swapper: b.pool, build: row.bend}
			_, err := prepareSwap(t, b.converter(), b.lot(0, b.vaultAt))
			refusedBy(t, err, spl.GuardSimulation, row.want)
		})
	}
}

// svmtestTokenAccount finds an owner's token account by asking the chain.
func svmtestTokenAccount(t testing.TB, b *swapBench, a settlement.Asset, owner settlement.Account) settlement.Account {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"jsonrpc": "2.0", "id": 1, "method": "getTokenAccountsByOwner", "params": []any{owner, map[string]any{"mint": a.Mint}, map[string]any{"encoding": "base64"}},
	})
	require.NoError(t, err)
	resp, err := http.Post(b.URL(), "application/json", bytes.NewReader(body))
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	var out struct {
		Result struct {
			Value []struct{ Pubkey settlement.Account }
		}
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&out))
	require.NotEmpty(t, out.Result.Value)
	return out.Result.Value[0].Pubkey
}

// simulatedAnswer is what simulateTransaction answers.
type simulatedAnswer struct {
	Context json.RawMessage `json:"context"`
	Value   simulatedValue  `json:"value"`
	wanted  []string
}

type simulatedValue struct {
	Err           json.RawMessage    `json:"err"`
	Logs          []string           `json:"logs"`
	UnitsConsumed *uint64            `json:"unitsConsumed"`
	Accounts      []*simulatedHolder `json:"accounts"`
}

type simulatedHolder struct {
	Data       [2]string   `json:"data"`
	Executable bool        `json:"executable"`
	Lamports   uint64      `json:"lamports"`
	Owner      string      `json:"owner"`
	RentEpoch  json.Number `json:"rentEpoch"`
	Space      uint64      `json:"space"`
}

// edit changes the data of the account.
func (h *simulatedHolder) edit(t testing.TB, change func(d []byte)) {
	t.Helper()
	d, err := base64.StdEncoding.DecodeString(h.Data[0])
	require.NoError(t, err)
	change(d)
	h.Data[0] = base64.StdEncoding.EncodeToString(d)
}

// simulationLiar hands requests on to a node and changes what simulations answer.
type simulationLiar struct {
	*httptest.Server
	mu     sync.Mutex
	change func(s *simulatedAnswer)
}

func newSimulationLiar(t testing.TB, node string) *simulationLiar {
	t.Helper()
	l := &simulationLiar{}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		resp, err := http.Post(node, "application/json", bytes.NewReader(body))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer func() { _ = resp.Body.Close() }()
		answer, _ := io.ReadAll(resp.Body)
		var call struct {
			Method string
			Params []json.RawMessage
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if json.Unmarshal(body, &call) == nil && call.Method == "simulateTransaction" && l.change != nil {
			var out struct {
				Jsonrpc string          `json:"jsonrpc"`
				ID      json.RawMessage `json:"id"`
				Result  simulatedAnswer `json:"result"`
			}
			var options struct{ Accounts struct{ Addresses []string } }
			if json.Unmarshal(answer, &out) == nil && json.Unmarshal(call.Params[1], &options) == nil {
				out.Result.wanted = options.Accounts.Addresses
				l.change(&out.Result)
				answer, _ = json.Marshal(out)
			}
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
	}))
	t.Cleanup(l.Close)
	return l
}

// What only an opaque program could do is put into the simulation's answer: the guard reads each of it.
func TestGuardReadsTheSimulation(t *testing.T) {
	b := newSwapBench(t)
	b.open(b.dollar, b.walletAt, 10)
	b.settle()
	b.config.SpareUnits = 10
	l := newSimulationLiar(t, b.URL())
	chain, err := spl.New(spl.Config{URL: l.URL, Payer: signer(b, "boss"), Owners: []spl.Signer{signer(b, "swapper"), signer(b, "vault")}})
	require.NoError(t, err)
	var into settlement.Account
	b.config.Swapper = &crooked{Swapper: b.pool, build: func(o settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction {
		into = o.Into
		return ix
	}}
	c, err := spl.NewConverter(chain, b.config)
	require.NoError(t, err)
	source := svmtestTokenAccount(t, b, b.dollar, b.walletAt)
	vault := svmtestTokenAccount(t, b, b.token, b.vaultAt)
	payer := svmtest.Address(b.boss)
	at := func(s *simulatedAnswer, a settlement.Account) *simulatedHolder {
		for i, w := range s.wanted {
			if w == string(a) {
				return s.Value.Accounts[i]
			}
		}
		t.Fatalf("%s was not asked for", a)
		return nil
	}
	edit := func(a *settlement.Account, change func(d []byte)) func(s *simulatedAnswer) {
		return func(s *simulatedAnswer) { at(s, *a).edit(t, change) }
	}
	for name, row := range map[string]struct {
		change func(s *simulatedAnswer)
		want   string
	}{
		"takes more":                    {edit(&source, func(d []byte) { d[64]-- }), "it takes 40000001, the lot is 40000000"},
		"delegate of the source":        {edit(&source, func(d []byte) { d[72], d[121] = 1, 9 }), "the rights over token account"},
		"close authority of the source": {edit(&source, func(d []byte) { d[129] = 1 }), "the rights over token account"},
		"owner of the source":           {edit(&source, func(d []byte) { d[32]++ }), "changes its owner, mint or state"},
		"state of the source":           {edit(&source, func(d []byte) { d[108] = 2 }), "changes its owner, mint or state"},
		"owner of the proceeds":         {edit(&into, func(d []byte) { d[32]++ }), "the proceeds belong to"},
		"mint of the proceeds":          {edit(&into, func(d []byte) { d[0]++ }), "is no token account for mint"},
		"delegate of the proceeds":      {edit(&into, func(d []byte) { d[72] = 1 }), "a right over the proceeds"},
		"closer of the proceeds":        {edit(&into, func(d []byte) { d[129] = 1 }), "a right over the proceeds"},
		"fewer proceeds":                {edit(&into, func(d []byte) { clear(d[64:72]) }), "the venue promised at least"},
		"recipient gets less":           {edit(&vault, func(d []byte) { clear(d[64:72]) }), "it has to get"},
		"delegate of the recipient":     {edit(&vault, func(d []byte) { d[72] = 1 }), "the rights over token account"},
		"payer's lamports":              {func(s *simulatedAnswer) { at(s, payer).Lamports-- }, "the payer pays"},
		"payer given away":              {func(s *simulatedAnswer) { at(s, payer).Owner = string(splToken) }, "the payer is given to program"},
		"accounts left out":             {func(s *simulatedAnswer) { s.Value.Accounts = s.Value.Accounts[1:] }, "the endpoint told"},
		"units left out":                {func(s *simulatedAnswer) { s.Value.UnitsConsumed = nil }, "the endpoint told"},
		"it fails":                      {func(s *simulatedAnswer) { s.Value.Err = json.RawMessage(`"AccountInUse"`) }, "it fails: \"AccountInUse\""},
	} {
		t.Run(name, func(t *testing.T) {
			l.mu.Lock()
			l.change = row.change
			l.mu.Unlock()
			_, err := prepareSwap(t, c, b.lot(0, b.vaultAt))
			refusedBy(t, err, spl.GuardSimulation, row.want)
		})
	}
	l.mu.Lock()
	l.change = nil
	l.mu.Unlock()
	_, err = prepareSwap(t, c, b.lot(0, b.vaultAt))
	require.NoError(t, err, "an honest answer passes")
}

// The last line: a venue that gives one unit less than the least, and an endpoint whose simulation hides it. It is signed,
// and the chain refuses it as a whole.
func TestTheChainAssertsTheLeast(t *testing.T) {
	for _, to := range []string{"vault", "burned"} {
		t.Run(to, func(t *testing.T) {
			b := newSwapBench(t)
			l := newSimulationLiar(t, b.URL())
			chain, err := spl.New(spl.Config{URL: l.URL, Payer: signer(b, "boss"), Owners: []spl.Signer{signer(b, "swapper"), signer(b, "vault")}})
			require.NoError(t, err)
			short := uint64(0)
			b.config.Swapper = &crooked{Swapper: b.pool, build: func(_ settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction {
				for i := range 8 {
					ix[1].Data[1+i] = byte((leastUnits - short) >> (8 * i))
				}
				return ix
			}, quote: func(q *settlement.SwapQuote) { q.Least = 0 }}
			c, err := spl.NewConverter(chain, b.config)
			require.NoError(t, err)
			batch := b.lot(0, b.vaultAt)
			if to == "burned" {
				batch.Lines[0].To = ""
			}
			var honest simulatedValue
			l.change = func(s *simulatedAnswer) {
				if string(s.Value.Err) == "null" {
					honest = s.Value
				}
				s.Value = honest
			}
			_, err = prepareSwap(t, c, batch) // exactly the least passes, and its simulation is the lie
			require.NoError(t, err)
			short = 1
			tx, err := prepareSwap(t, c, batch)
			require.NoError(t, err, "the lie is believed")
			supply, err := b.chain.Supply(t.Context(), b.token)
			require.NoError(t, err)
			res := b.land(c, batch, tx)
			require.Equal(t, settlement.Reverted, res.Sight)
			require.False(t, res.Failure.Marker)
			require.Equal(t, lotUnits, b.balance(b.dollar, b.walletAt), "nothing was given")
			require.Zero(t, b.balance(b.token, b.vaultAt))
			after, err := b.chain.Supply(t.Context(), b.token)
			require.NoError(t, err)
			require.Equal(t, supply.Units, after.Units)

			// The same batch, by an honest venue, is a new attempt and lands.
			short = 0
			l.change = nil
			tx, err = prepareSwap(t, c, batch)
			require.NoError(t, err)
			res = b.land(c, batch, tx)
			require.Equal(t, settlement.Succeeded, res.Sight)
			require.Equal(t, leastUnits, res.Got)
		})
	}
}
