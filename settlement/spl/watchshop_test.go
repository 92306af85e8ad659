package spl_test

import (
	"encoding/binary"
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

// shopSecret makes the references of bills.
const shopSecret = "9zQ4vT7mK2xW5nB8cR3j"

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
	ref, err := settlement.BillReference([]byte(shopSecret), id)
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

// inBatch is p-token's batch of calls: before each stand the numbers of its accounts and of its bytes.
func inBatch(calls ...spl.Instruction) spl.Instruction {
	out := spl.Instruction{Program: calls[0].Program, Data: []byte{255}}
	for _, x := range calls {
		out.Accounts = append(out.Accounts, x.Accounts...)
		out.Data = append(append(out.Data, byte(len(x.Accounts)), byte(len(x.Data))), x.Data...)
	}
	return out
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
