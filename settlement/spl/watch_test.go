package spl_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/gagliardetto/solana-go"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

func TestShop(t *testing.T) {
	s := newShop(t, svmtest.Config{})
	a, b := s.bill("a", 25e6), s.bill("b", 25e6)
	require.Equal(t, []string(nil), s.scan(), "nothing yet, and no trouble")
	id := s.pay("ann", a)
	require.Empty(t, s.scan(), "not final")
	require.Equal(t, []string{"credited a 25000000"}, s.final())
	in, ok := s.till.Inflow(settlement.InflowID{Tx: id, Account: s.treasury.Account})
	require.True(t, ok)
	require.Equal(t, svmtest.Address(svmtest.Key("ann")), in.Inflow.Payer, "the wallet whose associated account paid")
	require.Equal(t, "a", in.Inflow.Memo)
	require.False(t, in.Inflow.Arrived.IsZero())
	require.Empty(t, s.scan(), "told once")

	// The same bill again goes back; two references in one transfer pay nobody; one each pays both.
	s.blocks(1)
	s.pay("bob", a)
	c := s.bill("c", 15e6)
	both := b
	both.Amount, both.References = "40", slices.Concat(b.References, c.References)
	s.pay("ann", both)
	require.Equal(t, []string{"owed 25000000", "suspended 40000000: several references"}, s.final())
	s.transact([]string{"ann"}, s.transfer(s.dollar, tokenProgram, "ann", s.treasury.Account, 25e6, b.References...),
		s.transfer(s.dollar, tokenProgram, "ann", s.treasury.Account, 15e6, c.References...))
	require.Equal(t, []string{"credited b 25000000", "credited c 15000000"}, s.final())

	// The same in one instruction: each transfer of a batch has its own references.
	e, f := s.bill("e", 25e6), s.bill("f", 15e6)
	s.transact([]string{"ann"}, inBatch(s.transfer(s.dollar, tokenProgram, "ann", s.treasury.Account, 15e6, f.References...),
		s.transfer(s.dollar, tokenProgram, "ann", s.treasury.Account, 25e6, e.References...)))
	require.Equal(t, []string{"credited f 15000000", "credited e 25000000"}, s.final())

	// No reference; a failed transaction; a payment of our own; dust.
	d := s.bill("d", 9e6)
	s.transact([]string{"bob"}, s.transfer(s.dollar, tokenProgram, "bob", s.treasury.Account, 9e6))
	s.transact([]string{"bob"}, s.transfer(s.dollar, tokenProgram, "bob", s.treasury.Account, 5000e6, d.References...))
	s.transact([]string{"bob"}, s.transfer(s.dollar, tokenProgram, "bob", s.treasury.Account, 999))
	s.transact([]string{"bob", "boss"}, s.transfer(s.dollar, tokenProgram, "bob", s.treasury.Account, 9e6, d.References...),
		spl.Instruction{Program: solana.MemoProgramID, Accounts: []spl.Meta{{Key: key(svmtest.Address(s.boss)), Signer: true}}, Data: []byte("ours")})
	require.Equal(t, []string{"suspended 9000000: no reference", "kept 999"}, s.final())
	units, err := s.Balance(t.Context(), s.dollar, s.treasury.Owner)
	require.NoError(t, err)
	require.Equal(t, units, s.till.Totals(s.dollar).In+9e6, "all that is there, but what our own key signed")

	// Everything lost but the chain: the same inflows again.
	before := s.till.Totals(s.dollar)
	s.cursor = spl.Cursor{}
	s.restart()
	require.Empty(t, s.scan())
	require.Equal(t, before, s.till.Totals(s.dollar))
}

// TestWrongMoney: what carries our reference and is not what was asked for.
func TestWrongMoney(t *testing.T) {
	s := newShop(t, svmtest.Config{})
	a := s.bill("a", 25e6)
	fake, err := s.CreateMint(t.Context(), s.boss, svmtest.Key("fake USDC"), 6)
	require.NoError(t, err)
	s.open(fake, "ann", 1000e6)
	fakeTill := s.at(fake, s.open(fake, "desk", 0))
	vault := s.at(s.dollar, s.open(s.dollar, "vault", 0))
	s.config.Others = []settlement.Account{vault}
	s.restart()

	s.transact([]string{"ann"}, s.transfer(fake, tokenProgram, "ann", fakeTill, 25e6, a.References...))
	require.Equal(t, []string{"suspended 25000000: unknown mint"}, s.final(), "found by its reference alone")
	s.transact([]string{"ann"}, s.transfer(s.dollar, tokenProgram, "ann", vault, 25e6, a.References...))
	require.Equal(t, []string{"suspended 25000000: account of ours that is no treasury"}, s.final())
	sol := a
	sol.Mint = ""
	s.pay("ann", sol)
	require.Equal(t, []string{"suspended 25000000000: the chain's own coin"}, s.final())
	bill, _ := s.till.Bill("a")
	require.Equal(t, settlement.BillOpen, bill.State)

	// The operator sends the fake money back in kind, to whom it came from.
	for in := range s.till.Inflows() {
		if in.Inflow.Asset == fake {
			s.apply(settlement.RefundOrdered{Inflow: in.Inflow.ID, Units: 25e6})
		}
	}
	for o := range s.till.Refunds() {
		require.Equal(t, fake, o.Intent.Asset)
		require.Equal(t, svmtest.Address(svmtest.Key("ann")), o.Intent.To)
	}
}

// TestFeeOfTheToken: 25 sent are 24.75 that arrive, and with two references nobody can say for whom.
func TestFeeOfTheToken(t *testing.T) {
	s := newShop(t, svmtest.Config{})
	asset, err := s.CreateMint2022(t.Context(), s.boss, svmtest.Key("fee"), 6, svmtest.Extensions{TransferFeeBasisPoints: 100, MaxFee: 1 << 60})
	require.NoError(t, err)
	s.open(asset, "ann", 1000e6)
	owner := s.open(asset, "desk", 0)
	program := settlement.Account(solana.Token2022ProgramID.String())
	s.dollar = asset
	s.treasury = settlement.Treasury{Account: s.at(asset, owner), Owner: owner, Asset: asset, Program: program}
	s.config.Treasuries = []settlement.Treasury{s.treasury}
	s.restart()
	a, b := s.bill("a", 25e6), s.bill("b", 25e6)
	s.pay("ann", a)
	require.Equal(t, []string{"credited a 24750000"}, s.final())
	s.transact([]string{"ann"}, s.transfer(asset, program, "ann", s.treasury.Account, 250_000, a.References...),
		s.transfer(asset, program, "ann", s.treasury.Account, 25e6, b.References...))
	require.Equal(t, []string{"suspended 24997500: several references"}, s.final())
}

func TestTreasuryTrouble(t *testing.T) {
	s := newShop(t, svmtest.Config{})
	require.Empty(t, s.final())
	require.NoError(t, s.Freeze(t.Context(), s.boss, s.dollar, s.treasury.Owner))
	require.Equal(t, []string{"alarm account is frozen"}, s.final())
	require.Empty(t, s.scan())
	s.restart()
	require.Empty(t, s.scan(), "the till remembers")
	require.NoError(t, s.Thaw(t.Context(), s.boss, s.dollar, s.treasury.Owner))
	require.Equal(t, []string{"alarm "}, s.final())
	require.NoError(t, s.SetTokenOwner(t.Context(), svmtest.Key("desk"), s.dollar, svmtest.Address(svmtest.Key("bob"))))
	require.Equal(t, []string{"alarm account belongs to " + string(svmtest.Address(svmtest.Key("bob")))}, s.final())
	none := s.treasury
	none.Account = svmtest.Address(svmtest.Key("nothing"))
	s.config.Treasuries = []settlement.Treasury{none}
	s.treasury = none
	s.store, s.cursor = nil, spl.Cursor{}
	s.restart()
	require.Equal(t, []string{"alarm account does not exist"}, s.scan())
}

// TestForkBeforeFinality: a payment that is confirmed and forked out is never credited; once it lands again, it is once.
func TestForkBeforeFinality(t *testing.T) {
	s := newShop(t, svmtest.Config{})
	a, b := s.bill("a", 25e6), s.bill("b", 25e6)
	s.blocks(svmtest.BlocksToFinal + 5)
	require.Empty(t, s.scan())
	s.pay("ann", a)
	s.pay("bob", b)
	s.blocks(3)
	require.Empty(t, s.scan())
	dropped, err := s.Fork(t.Context(), 6, -1)
	require.NoError(t, err)
	require.Len(t, dropped, 2)
	require.Empty(t, s.final(), "neither came back")
	s.pay("ann", a)
	dropped, err = s.Fork(t.Context(), 2, 3)
	require.NoError(t, err)
	require.Len(t, dropped, 1)
	s.blocks(5)
	require.Equal(t, []string{"credited a 25000000"}, s.final())
}

// TestPages has a full page of payments between two scans, and one more than that; and scans that stop after 700.
func TestPages(t *testing.T) {
	for _, n := range []int{1000, 1001} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := newShop(t, svmtest.Config{})
			require.Empty(t, s.final())
			s.many(n)
			s.blocks(svmtest.BlocksToFinal)
			r, err := s.watcher.Scan(t.Context(), s.cursor, nil)
			require.NoError(t, err)
			require.False(t, r.More)
			sum := uint64(0)
			seen := 0
			for _, e := range r.Events {
				if in, ok := e.(settlement.InflowSeen); ok {
					sum += in.Inflow.Units
					seen++
				}
			}
			require.Equal(t, n, seen)
			require.EqualValues(t, n*(n+1)/2, sum)

			// In parts, with a restart between any two: none is left out, none is told twice.
			s.config.MaxTransactions = 700
			for rounds := 1; ; rounds++ {
				s.restart()
				r, err := s.watcher.Scan(t.Context(), s.cursor, nil)
				require.NoError(t, err)
				for _, e := range r.Events {
					s.apply(e)
					_, through := e.(settlement.SeenThrough)
					require.False(t, through && r.More, "not before all is told")
				}
				s.cursor = r.Cursor
				if !r.More {
					require.Equal(t, (n+699)/700, rounds)
					break
				}
			}
			require.Equal(t, sum, s.till.Totals(s.dollar).In)
			require.Len(t, slices.Collect(s.till.Inflows()), n)
		})
	}
}

// TestFaultsLoseNothing breaks every call of a scan in every way that an endpoint has been seen to break; whatever it answers,
// each payment is credited once, and no bill lapses while its payment is on the chain.
func TestFaultsLoseNothing(t *testing.T) {
	s := newShop(t, svmtest.Config{Endpoints: 2})
	require.Empty(t, s.final())
	hasty := s.config // so that a call that hangs is soon given up; a good one that is slow only counts as failed
	hasty.Timeout, hasty.Parallel = 75*time.Millisecond, 1
	watcher, err := spl.NewWatcher(hasty)
	require.NoError(t, err)
	methods := []string{"getEpochInfo", "getBlockTime", "getMultipleAccounts", "getSignaturesForAddress", "getTransaction"}
	n, failed := 0, 0
	for action := range svmtest.Actions() {
		switch action {
		case svmtest.AcceptedAndDropped, svmtest.LandLate, svmtest.DeliveredTwice, svmtest.WrongSignature, svmtest.BlockhashNotFound,
			svmtest.BlockhashNotFoundAfter, svmtest.NullStatus, svmtest.EarlyFinal:
			continue // of methods that a watcher does not call
		}
		for _, method := range methods {
			n++
			id := fmt.Sprint("bill ", n)
			p := s.bill(id, 1000)
			s.pay([]string{"ann", "bob"}[n%2], p)
			s.blocks(svmtest.BlocksToFinal)
			require.NoError(t, s.ClearFaults(t.Context()))
			f := svmtest.Fault{Endpoint: 0, Method: method, Do: action, Count: 100}
			if action == svmtest.Stale || action == svmtest.AheadContext {
				f.Blocks = 40
			}
			require.NoError(t, s.Inject(t.Context(), f))
			r, err := watcher.Scan(t.Context(), s.cursor, slices.Collect(s.till.References()))
			if err == nil { // it was none that hurts, or what it told is true: apply it
				for _, e := range r.Events {
					s.apply(e)
				}
				s.cursor = r.Cursor
				for in := range s.till.Inflows() {
					require.EqualValues(t, 1000, in.In, "%s on %s", action, method)
				}
				require.False(t, slices.ContainsFunc(r.Events, through) && s.till.Totals(s.dollar).In != uint64(n)*1000,
					"%s on %s: the payment was passed by", action, method)
			}
			if err != nil {
				failed++
				require.Empty(t, r, "all or nothing")
			}
			require.NoError(t, s.ClearFaults(t.Context()))
			s.text = nil
			s.scan()
			b, _ := s.till.Bill(id)
			require.Equal(t, settlement.BillPaid, b.State, "%s on %s", action, method)
		}
	}
	require.EqualValues(t, n*1000, s.till.Totals(s.dollar).Credited)
	require.Greater(t, failed, n/2, "most of them hurt")
}

func through(e settlement.TillEvent) bool { _, ok := e.(settlement.SeenThrough); return ok }

// TestEndpoints: one that lags, one whose history is gone, one that refuses minContextSlot.
func TestEndpoints(t *testing.T) {
	s := newShop(t, svmtest.Config{Endpoints: 2})
	require.Empty(t, s.final())
	s.config.URL = s.URLs()[1]
	s.restart()
	s.pay("ann", s.bill("a", 25e6))
	s.blocks(svmtest.BlocksToFinal)
	require.NoError(t, s.SetEndpoint(t.Context(), 1, svmtest.Endpoint{Lag: 10}))
	require.Empty(t, s.scan(), "its newest final block is older than the payment")
	through := s.till.Through()
	require.NoError(t, s.SetEndpoint(t.Context(), 1, svmtest.Endpoint{ForgetTransactions: true}))
	_, err := s.watcher.Scan(t.Context(), s.cursor, nil)
	require.ErrorIs(t, err, spl.ErrGap)
	require.NoError(t, s.SetEndpoint(t.Context(), 1, svmtest.Endpoint{SlotAsHeight: true}))
	_, err = s.watcher.Scan(t.Context(), s.cursor, nil)
	require.ErrorContains(t, err, "says block height")
	require.NoError(t, s.SetEndpoint(t.Context(), 1, svmtest.Endpoint{RefuseMinContextSlot: true}))
	require.Equal(t, []string{"credited a 25000000"}, s.scan())
	require.True(t, s.till.Through().After(through))
}

// TestCursor: it survives JSON, may begin at a slot, and one of an earlier scan loses nothing that was told of references only.
func TestCursor(t *testing.T) {
	s := newShop(t, svmtest.Config{})
	a := s.bill("a", 25e6)
	s.pay("ann", a)
	require.Equal(t, []string{"credited a 25000000"}, s.final())
	raw, err := json.Marshal(s.cursor)
	require.NoError(t, err)
	var back spl.Cursor
	require.NoError(t, json.Unmarshal(raw, &back))
	require.Equal(t, s.cursor, back)

	// From a slot on: what was before is not told, what comes is, and the balance is followed from the first transaction.
	slot := s.cursor.Accounts[s.treasury.Account].Slot
	fresh := spl.Cursor{Accounts: map[settlement.Account]spl.Progress{s.treasury.Account: {Slot: slot + 1}}}
	r, err := s.watcher.Scan(t.Context(), fresh, nil)
	require.NoError(t, err)
	require.False(t, slices.ContainsFunc(r.Events, seen))
	s.pay("bob", s.bill("b", 25e6))
	s.blocks(svmtest.BlocksToFinal)
	r, err = s.watcher.Scan(t.Context(), r.Cursor, nil)
	require.NoError(t, err)
	require.True(t, slices.ContainsFunc(r.Events, seen))

	// A transaction that only the reference finds, told by a scan whose events were lost, is told again.
	s.scan()
	fake, err := s.CreateMint(t.Context(), s.boss, svmtest.Key("fake USDC"), 6)
	require.NoError(t, err)
	s.open(fake, "ann", 1000e6)
	fakeTill := s.at(fake, s.open(fake, "desk", 0))
	s.transact([]string{"ann"}, s.transfer(fake, tokenProgram, "ann", fakeTill, 25e6, a.References...))
	s.blocks(svmtest.BlocksToFinal)
	for range 2 {
		r, err = s.watcher.Scan(t.Context(), s.cursor, a.References)
		require.NoError(t, err)
		require.True(t, slices.ContainsFunc(r.Events, seen))
	}
	s.cursor = r.Cursor
	r, err = s.watcher.Scan(t.Context(), s.cursor, a.References)
	require.NoError(t, err)
	require.False(t, slices.ContainsFunc(r.Events, seen), "kept by now")
	// A cursor whose balance is wrong does not fit the chain.
	wrong := r.Cursor
	m := wrong.Accounts[s.treasury.Account]
	m.Units++
	wrong.Accounts = map[settlement.Account]spl.Progress{s.treasury.Account: m}
	_, err = s.watcher.Scan(t.Context(), wrong, nil)
	require.ErrorIs(t, err, spl.ErrGap)
}

func seen(e settlement.TillEvent) bool { _, ok := e.(settlement.InflowSeen); return ok }

func TestReferencesTakeTurns(t *testing.T) {
	s := newShop(t, svmtest.Config{})
	s.config.MaxReferences = 2
	s.restart()
	fake, err := s.CreateMint(t.Context(), s.boss, svmtest.Key("fake USDC"), 6)
	require.NoError(t, err)
	s.open(fake, "ann", 1000e6)
	fakeTill := s.at(fake, s.open(fake, "desk", 0))
	for i := range 5 {
		p := s.bill(fmt.Sprint("b", i), 25e6)
		s.transact([]string{"ann"}, s.transfer(fake, tokenProgram, "ann", fakeTill, uint64(i+1), p.References...))
	}
	s.blocks(svmtest.BlocksToFinal)
	found := len(s.scan()) + len(s.scan())
	require.Equal(t, 4, found)
	require.Len(t, s.scan(), 1)
	require.EqualValues(t, 1+2+3+4+5, s.till.Totals(fake).In)
}

func TestWatchRefused(t *testing.T) {
	good := spl.WatchConfig{
		URL: "http://127.0.0.1:1/secret-of-ours", Own: []settlement.Account{specRecipient},
		Treasuries: []settlement.Treasury{{Account: specMint, Owner: specRecipient, Asset: settlement.Asset{Mint: specMint}, Program: tokenProgram}},
	}
	for says, change := range map[string]func(c *spl.WatchConfig){
		"URL is no http":                 func(c *spl.WatchConfig) { c.URL = "x" },
		"WebsocketURL is no ws":          func(c *spl.WatchConfig) { c.WebsocketURL = "http://x/secret-of-ours" },
		"Treasuries is empty":            func(c *spl.WatchConfig) { c.Treasuries = nil },
		"Own is empty":                   func(c *spl.WatchConfig) { c.Own = nil },
		`Own[0] is "x"`:                  func(c *spl.WatchConfig) { c.Own = []settlement.Account{"x"} },
		`Others[0] is "x"`:               func(c *spl.WatchConfig) { c.Others = []settlement.Account{"x"} },
		"stands twice":                   func(c *spl.WatchConfig) { c.Others = []settlement.Account{specMint} },
		`Treasuries[0].Account is "x"`:   func(c *spl.WatchConfig) { c.Treasuries = []settlement.Treasury{{Account: "x"}} },
		"MaxTransactions is -1":          func(c *spl.WatchConfig) { c.MaxTransactions = -1 },
		"MaxReferences -1":               func(c *spl.WatchConfig) { c.MaxReferences = -1 },
		"Timeout is -1ns":                func(c *spl.WatchConfig) { c.Timeout = -1 },
		"Parallel is 257, want 1 to 256": func(c *spl.WatchConfig) { c.Parallel = 257 },
	} {
		c := good
		change(&c)
		_, err := spl.NewWatcher(c)
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), "secret-of-ours")
	}
	w, err := spl.NewWatcher(good)
	require.NoError(t, err)
	_, err = w.Scan(t.Context(), spl.Cursor{}, nil)
	require.Error(t, err)
	require.NotContains(t, err.Error(), "secret-of-ours")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = w.Wait(ctx, time.Hour)
	require.ErrorIs(t, err, context.Canceled)
}

// TestHoleInTheHistory: an endpoint that leaves out one payment in the middle is found out by the balances around it.
func TestHoleInTheHistory(t *testing.T) {
	s := newShop(t, svmtest.Config{})
	for i := range 3 {
		s.pay("ann", s.bill(fmt.Sprint("b", i), uint64(1000+i)))
	}
	s.blocks(svmtest.BlocksToFinal)
	hole := true
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		resp, err := http.Post(s.URL(), "application/json", bytes.NewReader(body))
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer func() { _ = resp.Body.Close() }()
		var answer struct {
			JSONRPC string            `json:"jsonrpc"`
			ID      json.RawMessage   `json:"id"`
			Result  []json.RawMessage `json:"result"`
		}
		text, _ := io.ReadAll(resp.Body)
		if hole && bytes.Contains(body, []byte("getSignaturesForAddress")) && json.Unmarshal(text, &answer) == nil && len(answer.Result) >= 3 {
			answer.Result = slices.Delete(answer.Result, 1, 2)
			text, _ = json.Marshal(answer)
		}
		_, _ = w.Write(text)
	}))
	defer proxy.Close()
	s.config.URL, s.config.Parallel = proxy.URL, 1
	s.restart()
	_, err := s.watcher.Scan(t.Context(), s.cursor, nil)
	require.ErrorIs(t, err, spl.ErrGap)
	require.ErrorContains(t, err, "before transaction")
	hole = false
	require.Equal(t, []string{"credited b0 1000", "credited b1 1001", "credited b2 1002"}, s.scan())
}
