package spl_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gagliardetto/solana-go"
	"github.com/gagliardetto/solana-go/rpc"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

const tokenProgram = settlement.Account("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")

// shop is a treasury in dollars, its till, and a watcher between them; everything it applies is kept, as in a store.
type shop struct {
	*bench
	till     *settlement.Till
	watcher  *spl.Watcher
	config   spl.WatchConfig
	treasury settlement.Treasury
	cursor   spl.Cursor
	store    [][]byte
	text     []string // effects so far
}

// newShop opens a shop; its customers ann and bob have 1,000 dollars each, and lamports.
func newShop(t testing.TB, c svmtest.Config) *shop {
	t.Helper()
	b := newBenchWith(t, c)
	s := &shop{bench: b}
	owner := b.open(b.dollar, "desk", 0)
	s.treasury = settlement.Treasury{
		Account: b.at(b.dollar, owner), Owner: owner, Asset: b.dollar, Program: tokenProgram, MinRefund: 1000,
	}
	for _, name := range []string{"ann", "bob"} {
		require.NoError(t, b.Airdrop(t.Context(), b.open(b.dollar, name, 1000e6), 1e12))
	}
	require.NoError(t, b.Airdrop(t.Context(), owner, 1e12))
	b.blocks(svmtest.BlocksToFinal) // a fork must not take an account away
	p := settlement.IONetTill(s.treasury)
	var err error
	s.till, err = settlement.NewTill(p)
	require.NoError(t, err)
	s.config = spl.WatchConfig{URL: b.URL(), Treasuries: p.Treasuries, Own: []settlement.Account{owner, svmtest.Address(b.boss)}}
	s.restart()
	return s
}

// at returns the address of a token account.
func (b *bench) at(a settlement.Asset, owner settlement.Account) settlement.Account {
	b.Helper()
	at, err := b.TokenAddress(b.Context(), a, owner)
	require.NoError(b, err)
	return at
}

// restart loses all that is in memory but the store and the cursor.
func (s *shop) restart() {
	s.Helper()
	var err error
	s.watcher, err = spl.NewWatcher(s.config)
	require.NoError(s, err)
	s.till, err = settlement.NewTill(settlement.IONetTill(s.treasury))
	require.NoError(s, err)
	for _, record := range s.store {
		e, err := settlement.DecodeTillEvent(record)
		require.NoError(s, err)
		_, err = s.till.Apply(time.Unix(0, 0), e)
		require.NoError(s, err)
	}
}

// apply stores and applies an event.
func (s *shop) apply(e settlement.TillEvent) {
	s.Helper()
	effects, err := s.till.Apply(time.Unix(0, 0), e)
	require.NoError(s, err)
	require.NoError(s, s.till.Audit())
	s.store = append(s.store, settlement.EncodeTillEvent(e))
	for _, f := range effects {
		switch f := f.(type) {
		case settlement.Credited:
			s.text = append(s.text, fmt.Sprintf("credited %s %d", f.Bill, f.Units))
		case settlement.Suspended:
			s.text = append(s.text, fmt.Sprintf("suspended %d: %s", f.Units, f.Why))
		case settlement.Owed:
			s.text = append(s.text, fmt.Sprintf("owed %d", f.Intent.Units))
		case settlement.Balanced:
			s.text = append(s.text, fmt.Sprintf("balance %d", f.Units))
		case settlement.Kept:
			s.text = append(s.text, fmt.Sprintf("kept %d", f.Units))
		case settlement.Alarmed:
			s.text = append(s.text, "alarm "+f.Trouble)
		case settlement.Lapsed:
			s.text = append(s.text, "lapsed "+f.Bill)
		case settlement.Settled, settlement.Reversed:
			s.Fatalf("unexpected %T", f)
		}
	}
}

// scan scans once, applies, and returns the effects since the last call.
func (s *shop) scan() []string {
	s.Helper()
	for {
		r, err := s.watcher.Scan(s.Context(), s.cursor, slices.Collect(s.till.References()))
		require.NoError(s, err)
		for _, e := range r.Events {
			s.apply(e)
		}
		s.cursor = r.Cursor
		if !r.More {
			out := s.text
			s.text = nil
			return out
		}
	}
}

// final makes everything final and scans.
func (s *shop) final() []string {
	s.Helper()
	s.blocks(svmtest.BlocksToFinal)
	return s.scan()
}

// bill opens a bill and returns its request.
func (s *shop) bill(id string, units uint64) spl.PayRequest {
	s.Helper()
	ref, err := settlement.BillReference([]byte("the secret of a shop in a test"), id)
	require.NoError(s, err)
	b := settlement.Bill{
		ID: id, Customer: "c", Asset: s.dollar, Owner: s.treasury.Owner, Units: units, Reference: ref, Memo: id,
		Expires: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), Remainder: settlement.ToBalance,
	}
	s.apply(settlement.BillOpened{Bill: b})
	text, err := spl.RequestFor(b, "shop", "").URL()
	require.NoError(s, err)
	p, err := spl.ParsePayURL(text)
	require.NoError(s, err)
	return p
}

// wallet is a customer's wallet.
func (s *shop) wallet(name string) *spl.Chain {
	s.Helper()
	c, err := spl.New(spl.Config{URL: s.URL(), Payer: signer(s, name)})
	require.NoError(s, err)
	return c
}

func (s *shop) pay(name string, p spl.PayRequest) string {
	s.Helper()
	id, err := s.wallet(name).Pay(s.Context(), p)
	require.NoError(s, err)
	s.blocks(1)
	return id
}

// transact signs for the names, of whom the first pays, and sends without preflight.
func (b *bench) transact(names []string, in ...spl.Instruction) string {
	b.Helper()
	c := rpc.New(b.URL())
	latest, err := c.GetLatestBlockhash(b.Context(), rpc.CommitmentProcessed)
	require.NoError(b, err)
	var signers []spl.Signer
	for _, n := range names {
		signers = append(signers, signer(b, n))
	}
	var e spl.Encoder
	raw, err := e.AppendMessage(nil, &spl.Message{
		Format: spl.V0, Payer: key(signers[0].PublicKey()), Blockhash: latest.Value.Blockhash, Instructions: in,
	})
	require.NoError(b, err)
	ring, err := spl.NewKeyring(signers...)
	require.NoError(b, err)
	require.NoError(b, ring.Sign(b.Context(), raw))
	id, err := spl.TxID(raw)
	require.NoError(b, err)
	never := uint(0)
	_, err = c.SendRawTransactionWithOpts(b.Context(), raw, rpc.TransactionOpts{SkipPreflight: true, MaxRetries: &never})
	require.NoError(b, err)
	b.blocks(1)
	return id
}

func key(a settlement.Account) solana.PublicKey { return solana.MustPublicKeyFromBase58(string(a)) }

// transfer is TransferChecked out of the token account of a name, with references.
func (s *shop) transfer(a settlement.Asset, program settlement.Account, name string, to settlement.Account, units uint64, refs ...settlement.Reference) spl.Instruction {
	s.Helper()
	owner := svmtest.Address(svmtest.Key(name))
	in := spl.Instruction{
		Program: key(program),
		Accounts: []spl.Meta{
			{Key: key(s.at(a, owner)), Writable: true}, {Key: key(a.Mint)}, {Key: key(to), Writable: true}, {Key: key(owner), Signer: true},
		},
		Data: append(binary.LittleEndian.AppendUint64([]byte{12}, units), a.Decimals),
	}
	for _, r := range refs {
		in.Accounts = append(in.Accounts, spl.Meta{Key: solana.PublicKey(r)})
	}
	return in
}

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

// many lets ann pay 1, 2, 3 … n units.
func (s *shop) many(n int) {
	s.Helper()
	c := rpc.New(s.URL())
	ann := signer(s, "ann")
	ring, err := spl.NewKeyring(ann)
	require.NoError(s, err)
	var e spl.Encoder
	in := s.transfer(s.dollar, tokenProgram, "ann", s.treasury.Account, 0)
	never := uint(0)
	var hash solana.Hash
	for i := range n {
		if i%500 == 0 {
			s.blocks(1)
			latest, err := c.GetLatestBlockhash(s.Context(), rpc.CommitmentProcessed)
			require.NoError(s, err)
			hash = latest.Value.Blockhash
		}
		binary.LittleEndian.PutUint64(in.Data[1:], uint64(i+1))
		raw, err := e.AppendMessage(nil, &spl.Message{Format: spl.V0, Payer: key(ann.PublicKey()), Blockhash: hash, Instructions: []spl.Instruction{in}})
		require.NoError(s, err)
		require.NoError(s, ring.Sign(s.Context(), raw))
		_, err = c.SendRawTransactionWithOpts(s.Context(), raw, rpc.TransactionOpts{SkipPreflight: true, MaxRetries: &never})
		require.NoError(s, err)
	}
}

// TestFaultsLoseNothing breaks every call of a scan in every way that an endpoint has been seen to break; whatever it answers,
// each payment is credited once, and no bill lapses while its payment is on the chain.
func TestFaultsLoseNothing(t *testing.T) {
	s := newShop(t, svmtest.Config{Endpoints: 2})
	s.config.Timeout = 200 * time.Millisecond
	s.config.Parallel = 1
	s.restart()
	require.Empty(t, s.final())
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
			r, err := s.watcher.Scan(t.Context(), s.cursor, slices.Collect(s.till.References()))
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
