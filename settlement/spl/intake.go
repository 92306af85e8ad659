package spl

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
)

const (
	maxMemo  = 256 // bytes of a memo that an inflow carries
	maxShown = 64  // references, or transfers, that an inflow carries
	feeTag   = 26  // Token-2022: TransferFeeExtension
	feeOfTag = 1   // of it: TransferCheckedWithFee
)

// arrival is a final transaction, with what an inflow needs besides.
type arrival struct {
	*landed
	time     time.Time
	readOnly map[solana.PublicKey]bool
	groups   []group
}

// group is an instruction with those that it made.
type group struct {
	outer call
	inner []call
}

// arrivalAnswer is the part of getTransaction's answer that transactionAnswer leaves out.
type arrivalAnswer struct {
	BlockTime *int64
	Meta      struct {
		InnerInstructions []struct {
			Index        int
			Instructions []struct{}
		}
	}
}

// arrival reads a transaction that a history has listed.
func (e *endpoint) arrival(ctx context.Context, r signatureRow) (*arrival, error) {
	config := map[string]any{"encoding": "base64", "commitment": finalized, "maxSupportedTransactionVersion": 1}
	var raw json.RawMessage
	if err := e.read(ctx, "getTransaction", config, r.Slot, &raw, r.Signature); err != nil {
		return nil, fmt.Errorf("spl: read transaction %q: %w", r.Signature, err)
	}
	if len(raw) == 0 || string(raw) == "null" {
		return nil, fmt.Errorf("%w: transaction %q of slot %d is listed and not known", ErrGap, r.Signature, r.Slot)
	}
	a, err := decodeArrival(raw)
	switch {
	case err != nil:
		return nil, fmt.Errorf("spl: read transaction %q at %s: %w", r.Signature, e.name, err)
	case a.id != r.Signature || a.slot != r.Slot:
		return nil, fmt.Errorf("spl: read transaction %q of slot %d: %s answers with %q of slot %d", r.Signature, r.Slot, e.name, a.id, a.slot)
	}
	return a, nil
}

func decodeArrival(raw json.RawMessage) (*arrival, error) {
	var answer transactionAnswer
	var more arrivalAnswer
	if err := json.Unmarshal(raw, &answer); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if err := json.Unmarshal(raw, &more); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	l, err := decode(&answer)
	if err != nil {
		return nil, err
	}
	if more.BlockTime == nil {
		return nil, fmt.Errorf("%w: its block has no time", ErrMalformed)
	}
	a := &arrival{landed: l, time: time.Unix(*more.BlockTime, 0).UTC()}
	if err := a.group(&more); err != nil {
		return nil, err
	}
	return a, a.header(answer.Transaction)
}

// group puts the inner instructions, which stand one behind the other, under the outer ones that made them.
func (a *arrival) group(more *arrivalAnswer) error {
	for _, x := range a.instructions {
		a.groups = append(a.groups, group{outer: x})
	}
	rest := a.inner
	for _, g := range more.Meta.InnerInstructions {
		n := len(g.Instructions)
		if g.Index < 0 || g.Index >= len(a.groups) || n > len(rest) {
			return fmt.Errorf("%w: inner instructions of instruction %d of %d", ErrMalformed, g.Index, len(a.groups))
		}
		a.groups[g.Index].inner = append(a.groups[g.Index].inner, rest[:n]...)
		rest = rest[n:]
	}
	return nil
}

// header finds the addresses that the transaction neither signs with nor changes: a reference is one of them.
func (a *arrival) header(raw []byte) error {
	tx, err := solana.TransactionFromBytes(raw)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	a.readOnly = map[solana.PublicKey]bool{}
	h, static := tx.Message.Header, len(tx.Message.AccountKeys)
	writable := 0
	for _, t := range tx.Message.AddressTableLookups {
		writable += len(t.WritableIndexes)
	}
	for i, k := range a.keys {
		switch {
		case i < static:
			a.readOnly[k] = i >= static-int(h.NumReadonlyUnsignedAccounts)
		default:
			a.readOnly[k] = i >= static+writable
		}
	}
	return nil
}

// inflows returns what a transaction has brought to us: every account of ours that holds more after it than before. What our own
// keys have signed brings nothing.
func (w *Watcher) inflows(a *arrival) []settlement.Inflow {
	if a.err != nil || slices.ContainsFunc(w.own, a.signedBy) {
		return nil
	}
	var out []settlement.Inflow
	for i, k := range a.keys {
		b := a.tokens[i]
		ours := slices.Contains(w.accounts, k)
		switch {
		case b.known && b.post > b.pre && (ours || slices.Contains(w.wallets, b.owner)):
			in := w.inflow(a, k, b.post-b.pre)
			in.Owner, in.Program = text(b.owner), text(b.program)
			in.Asset = settlement.Asset{Mint: text(b.mint), Decimals: b.decimals}
			in.Payer = w.payer(a, b)
			out = append(out, in)
		case !b.known && a.post[i] > a.pre[i] && (slices.Contains(w.wallets, k) || ours && !slices.Contains(w.treasuries(), k)):
			in := w.inflow(a, k, a.post[i]-a.pre[i])
			in.Owner, in.Asset = text(k), settlement.Asset{Decimals: solDecimals}
			in.Payer = w.coinPayer(a)
			out = append(out, in)
		}
	}
	return out
}

// inflow has what all inflows of a transaction have in common.
func (w *Watcher) inflow(a *arrival, at solana.PublicKey, units uint64) settlement.Inflow {
	in := settlement.Inflow{ID: settlement.InflowID{Tx: a.id, Account: text(at)}, Units: units, Memo: a.memo(), Arrived: a.time}
	in.Transfers = a.transfers(at)
	add := func(k solana.PublicKey) {
		if r := settlement.Reference(k); len(in.Refs) < maxShown && !slices.Contains(in.Refs, r) {
			in.Refs = append(in.Refs, r)
		}
	}
	for _, x := range in.Transfers {
		for _, r := range x.Refs {
			add(solana.PublicKey(r))
		}
	}
	for _, g := range a.groups {
		for _, k := range g.outer.accounts {
			if a.mayRefer(k) {
				add(k)
			}
		}
	}
	return in
}

// mayRefer says whether an address may be a reference: it is neither changed nor signs, and holds no tokens.
func (a *arrival) mayRefer(k solana.PublicKey) bool {
	i := a.find(k)
	return i >= 0 && a.readOnly[k] && !a.signedBy(k) && !a.tokens[i].known && !isTokenProgram(k) && k != solana.SystemProgramID
}

// transfers lists the instructions that name the account as the one to be paid, those of a batch each for itself, with the
// references that stand in them. One that a program made has those of the program's own instruction too. What is not understood
// is left out: the till then gives nothing away that several references claim.
func (a *arrival) transfers(to solana.PublicKey) []settlement.Transfer {
	var out []settlement.Transfer
	put := func(x call, outer []solana.PublicKey) {
		target, units, rest, ok := paid(x)
		if !ok || target != to || len(out) == maxShown {
			return
		}
		t := settlement.Transfer{Units: units}
		for _, k := range slices.Concat(rest, outer) {
			if r := settlement.Reference(k); a.mayRefer(k) && len(t.Refs) < maxShown && !slices.Contains(t.Refs, r) {
				t.Refs = append(t.Refs, r)
			}
		}
		out = append(out, t)
	}
	for _, g := range a.groups {
		for _, x := range unpack(g.outer) {
			put(x, nil)
		}
		for _, x := range g.inner {
			for _, part := range unpack(x) {
				put(part, g.outer.accounts)
			}
		}
	}
	return out
}

// paid reads a transfer: whom it pays, how much, and the accounts behind its own.
func paid(x call) (to solana.PublicKey, units uint64, rest []solana.PublicKey, ok bool) {
	d, n := x.data, len(x.accounts)
	switch {
	case x.program == solana.SystemProgramID && n >= 2 && len(d) == 12 && binary.LittleEndian.Uint32(d) == systemTransfer:
		return x.accounts[1], binary.LittleEndian.Uint64(d[4:]), x.accounts[2:], true
	case !isTokenProgram(x.program) || len(d) == 0:
	case d[0] == tokenTransfer && len(d) == 9 && n >= 3:
		return x.accounts[1], binary.LittleEndian.Uint64(d[1:]), x.accounts[3:], true
	case d[0] == tokenTransferChecked && len(d) == 10 && n >= 4:
		return x.accounts[2], binary.LittleEndian.Uint64(d[1:]), x.accounts[4:], true
	case d[0] == feeTag && len(d) == 19 && d[1] == feeOfTag && n >= 4:
		return x.accounts[2], binary.LittleEndian.Uint64(d[2:]), x.accounts[4:], true
	}
	return solana.PublicKey{}, 0, nil, false
}

// payer returns whom a refund of tokens goes to. It is known if one account alone has less of the mint than before, and its owner
// is a wallet: a pool's or a program's account gets no refund. If it is the wallet's associated account, the wallet is named, as
// in any other intent; otherwise the account itself.
func (w *Watcher) payer(a *arrival, b tokenBalance) settlement.Account {
	source := -1
	for i, t := range a.tokens {
		if t.known && t.mint == b.mint && t.post < t.pre {
			if source >= 0 {
				return ""
			}
			source = i
		}
	}
	if source < 0 || !a.tokens[source].owner.IsOnCurve() || slices.Contains(w.wallets, a.tokens[source].owner) {
		return ""
	}
	t := a.tokens[source]
	at, _, err := solana.FindAssociatedTokenAddressWithProgram(t.owner, t.mint, t.program)
	if err == nil && at == a.keys[source] {
		return text(t.owner)
	}
	return text(a.keys[source])
}

// coinPayer returns who paid lamports, if one wallet alone has less of them and is not a program's.
func (w *Watcher) coinPayer(a *arrival) settlement.Account {
	source := -1
	for i := range a.keys {
		if a.post[i] < a.pre[i] {
			if source >= 0 {
				return ""
			}
			source = i
		}
	}
	if source < 0 || !a.keys[source].IsOnCurve() {
		return ""
	}
	return text(a.keys[source])
}

// memo returns the first memo, as much of it as is kept.
func (a *arrival) memo() string {
	for _, x := range a.instructions {
		if x.program != solana.MemoProgramID {
			continue
		}
		m := strings.ToValidUTF8(string(x.data), "\uFFFD")
		for len(m) > maxMemo {
			cut := strings.ToValidUTF8(m[:maxMemo], "")
			m = cut
		}
		return m
	}
	return ""
}

// holdings reads the treasuries and their mints, as of at least a slot.
func (w *Watcher) holdings(ctx context.Context, e *endpoint, slot uint64) ([]*account, uint64, error) {
	keys := slices.Clone(w.treasuries())
	for _, t := range w.config.Treasuries {
		keys = append(keys, solana.MustPublicKeyFromBase58(string(t.Asset.Mint)))
	}
	var out []*account
	as := ^uint64(0)
	for part := range slices.Chunk(keys, maxAccounts) {
		var answer inContext[[]*account]
		config := map[string]any{"encoding": "base64", "commitment": finalized}
		if err := e.read(ctx, "getMultipleAccounts", config, slot, &answer, part); err != nil {
			return nil, 0, err
		}
		if n := len(answer.Value); n != len(part) {
			return nil, 0, fmt.Errorf("spl: read %d accounts at %s: it answered %d", len(part), e.name, n)
		}
		if answer.Context.Slot < slot {
			return nil, 0, fmt.Errorf("spl: read accounts at %s: as of slot %d, want %d: %w", e.name, answer.Context.Slot, slot, errBehind)
		}
		if len(out) > 0 && answer.Context.Slot != as {
			return nil, 0, fmt.Errorf("spl: read accounts at %s: as of slots %d and %d: %w", e.name, as, answer.Context.Slot, errBehind)
		}
		as = answer.Context.Slot
		out = append(out, answer.Value...)
	}
	return out, as, nil
}

// changes tells of treasuries that take no money any more, or take it again.
func (w *Watcher) changes(held []*account) []settlement.TillEvent {
	var out []settlement.TillEvent
	for i, t := range w.config.Treasuries {
		now := troubleOf(t, held[i], held[len(w.config.Treasuries)+i])
		if before, told := w.trouble[i]; !told || before != now {
			w.trouble[i] = now
			out = append(out, settlement.TreasuryChanged{Account: t.Account, Trouble: now})
		}
	}
	return out
}

// troubleOf says why a treasury takes no money, "" if it does.
func troubleOf(t settlement.Treasury, at, mintAt *account) string {
	h, ok := readHolding(at)
	m, minted := readMint(mintAt)
	switch {
	case at == nil:
		return "account does not exist"
	case !ok:
		return "account is no token account"
	case text(h.program) != t.Program:
		return fmt.Sprintf("account is of token program %s", h.program)
	case text(h.mint) != t.Asset.Mint:
		return fmt.Sprintf("account is of mint %s", h.mint)
	case text(h.owner) != t.Owner:
		return fmt.Sprintf("account belongs to %s", h.owner)
	case h.frozen:
		return "account is frozen"
	case !minted || m.decimals != t.Asset.Decimals:
		return fmt.Sprintf("mint is none of %d decimals", t.Asset.Decimals)
	case m.paused():
		return "mint is paused"
	}
	return ""
}
