package spl

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
)

// landed is a final transaction, with all addresses resolved.
type landed struct {
	id           string
	raw          []byte
	slot, fee    uint64
	err          json.RawMessage // nil if it has succeeded
	silent       bool            // it left no log
	keys         []solana.PublicKey
	signers      int
	instructions []call
	inner        []call         // that programs made
	pre, post    []uint64       // lamports, by key
	tokens       []tokenBalance // of token accounts, by key; nil mint for any other
}

// call is one instruction of it.
type call struct {
	program  solana.PublicKey
	accounts []solana.PublicKey
	data     []byte
}

// tokenBalance is what a token account held before and after.
type tokenBalance struct {
	known       bool
	mint, owner solana.PublicKey
	program     solana.PublicKey // of the two token programs; zero if the endpoint does not say
	decimals    uint8
	pre, post   uint64
}

// find returns the index of an address, -1 if the transaction does not name it.
func (l *landed) find(k solana.PublicKey) int { return slices.Index(l.keys, k) }

// signedBy says whether the address has signed.
func (l *landed) signedBy(k solana.PublicKey) bool { return slices.Contains(l.keys[:l.signers], k) }

// token returns the balances of a token account.
func (l *landed) token(k solana.PublicKey) tokenBalance {
	if i := l.find(k); i >= 0 {
		return l.tokens[i]
	}
	return tokenBalance{}
}

// transactionAnswer is what getTransaction returns.
type transactionAnswer struct {
	Slot        uint64
	Transaction data
	Meta        *struct {
		Err               json.RawMessage
		Fee               uint64
		PreBalances       []uint64
		PostBalances      []uint64
		PreTokenBalances  []tokenRow
		PostTokenBalances []tokenRow
		LogMessages       []string
		LoadedAddresses   struct{ Writable, Readonly []solana.PublicKey }
		InnerInstructions []struct {
			Instructions []struct {
				ProgramIDIndex int `json:"programIdIndex"`
				Accounts       []int
				Data           solana.Base58
			}
		}
	}
}

type tokenRow struct {
	AccountIndex  int
	Mint          solana.PublicKey
	Owner         *solana.PublicKey
	ProgramID     solana.PublicKey `json:"programId"`
	UITokenAmount struct {
		Amount   string
		Decimals uint8
	}
}

// transaction reads a final transaction as of at least a slot, nil if the endpoint does not know it.
func (c *Chain) transaction(ctx context.Context, id string, slot uint64) (*landed, error) {
	config := map[string]any{"encoding": "base64", "commitment": finalized, "maxSupportedTransactionVersion": 1}
	var answer *transactionAnswer
	if err := c.rpc.read(ctx, "getTransaction", config, slot, &answer, id); err != nil {
		return nil, fmt.Errorf("spl: read transaction %q: %w", id, err)
	}
	if answer == nil {
		return nil, nil //nolint:nilnil // unknown is an answer
	}
	l, err := decode(answer)
	if err != nil {
		return nil, fmt.Errorf("spl: read transaction %q at %s: %w", id, c.rpc.name, err)
	}
	if l.id != id {
		return nil, fmt.Errorf("spl: read transaction %q: %s answers with %q", id, c.rpc.name, l.id)
	}
	return l, nil
}

// decode checks an answer against itself.
func decode(a *transactionAnswer) (*landed, error) {
	if a.Meta == nil {
		return nil, fmt.Errorf("%w: its outcome is left out", ErrMalformed)
	}
	tx, err := solana.TransactionFromBytes(a.Transaction)
	if err != nil || len(tx.Signatures) == 0 {
		return nil, fmt.Errorf("%w: %d bytes do not decode", ErrMalformed, len(a.Transaction))
	}
	m := a.Meta
	l := &landed{
		id: tx.Signatures[0].String(), raw: a.Transaction, slot: a.Slot, fee: m.Fee, signers: int(tx.Message.Header.NumRequiredSignatures),
		pre: m.PreBalances, post: m.PostBalances, silent: len(m.LogMessages) == 0,
	}
	if len(m.Err) > 0 && string(m.Err) != "null" {
		l.err = m.Err
	}
	l.keys = slices.Concat(tx.Message.AccountKeys, m.LoadedAddresses.Writable, m.LoadedAddresses.Readonly)
	if n := len(l.keys); len(l.pre) != n || len(l.post) != n || l.signers > len(tx.Message.AccountKeys) {
		return nil, fmt.Errorf("%w: %d addresses with %d and %d balances", ErrMalformed, n, len(l.pre), len(l.post))
	}
	for _, in := range tx.Message.Instructions {
		accounts := make([]int, len(in.Accounts))
		for i, n := range in.Accounts {
			accounts[i] = int(n)
		}
		x, err := l.call(int(in.ProgramIDIndex), accounts, in.Data)
		if err != nil {
			return nil, err
		}
		l.instructions = append(l.instructions, x)
	}
	for _, group := range m.InnerInstructions {
		for _, in := range group.Instructions {
			x, err := l.call(in.ProgramIDIndex, in.Accounts, in.Data)
			if err != nil {
				return nil, err
			}
			l.inner = append(l.inner, x)
		}
	}
	l.tokens = make([]tokenBalance, len(l.keys))
	if err := l.balances(m.PreTokenBalances, func(t *tokenBalance, n uint64) { t.pre = n }); err != nil {
		return nil, err
	}
	return l, l.balances(m.PostTokenBalances, func(t *tokenBalance, n uint64) { t.post = n })
}

// call resolves the addresses of an instruction.
func (l *landed) call(program int, accounts []int, d []byte) (call, error) {
	x := call{data: d}
	for _, i := range append([]int{program}, accounts...) {
		if i < 0 || i >= len(l.keys) {
			return x, fmt.Errorf("%w: an instruction names account %d of %d", ErrMalformed, i, len(l.keys))
		}
		x.accounts = append(x.accounts, l.keys[i])
	}
	x.program, x.accounts = x.accounts[0], x.accounts[1:]
	return x, nil
}

// balances takes the token balances of one side over.
func (l *landed) balances(rows []tokenRow, put func(*tokenBalance, uint64)) error {
	for _, r := range rows {
		n, err := strconv.ParseUint(r.UITokenAmount.Amount, 10, 64)
		if err != nil || r.AccountIndex < 0 || r.AccountIndex >= len(l.tokens) {
			return fmt.Errorf("%w: token balance %.30q of account %d", ErrMalformed, r.UITokenAmount.Amount, r.AccountIndex)
		}
		t := &l.tokens[r.AccountIndex]
		t.known, t.mint, t.decimals, t.program = true, r.Mint, r.UITokenAmount.Decimals, r.ProgramID
		if r.Owner != nil {
			t.owner = *r.Owner
		}
		put(t, n)
	}
	return nil
}

// role is what an instruction does in a transaction of ours.
type role uint8

const (
	roleOther  role = iota // nothing that we know
	roleAside              // memo, budget or a nonce's advance
	roleMarker             // makes the marker
	roleLines              // carries lines
	roleCreate             // makes a token account
	roleTake               // takes a marker's rent back
	roleClose              // takes a token account's rent back
)

// roleOf tells what each instruction does for a payer.
func (l *landed) roleOf(x call, payer solana.PublicKey) role {
	tag := uint32(0)
	if len(x.data) >= 4 {
		tag = binary.LittleEndian.Uint32(x.data)
	}
	switch {
	case x.program == solana.MemoProgramID, x.program == solana.ComputeBudget:
		return roleAside
	case x.program == solana.SystemProgramID && len(x.data) == 4 && tag == systemAdvanceNonce:
		return roleAside
	case x.program == solana.SystemProgramID && tag == systemCreateWithSeed:
		if _, ok := made(x, payer); ok {
			return roleMarker
		}
	case x.program == solana.SystemProgramID && tag == systemTransferWithSeed:
		if len(x.accounts) == 3 && x.accounts[1] == payer && x.accounts[2] == payer {
			return roleTake
		}
	case x.program == solana.SPLAssociatedTokenAccountProgramID:
		if len(x.accounts) >= 6 && (len(x.data) == 0 || x.data[0] <= createIdempotent) {
			return roleCreate
		}
	case isTokenProgram(x.program):
		if len(moves(x)) > 0 {
			return roleLines
		}
		if len(x.data) == 1 && x.data[0] == tokenClose && len(x.accounts) >= 3 && x.accounts[1] == payer {
			return roleClose
		}
	}
	return roleOther
}

// made returns the marker that System CreateAccountWithSeed makes for a payer, who is its base, without data.
func made(x call, payer solana.PublicKey) (mark solana.PublicKey, ok bool) {
	const fixed = 4 + 32 + 8 // tag, base, length of the seed
	d := x.data
	if x.program != solana.SystemProgramID || len(x.accounts) < 2 || len(d) < fixed || binary.LittleEndian.Uint32(d) != systemCreateWithSeed {
		return mark, false
	}
	n := binary.LittleEndian.Uint64(d[36:])
	if n > maxSeed || len(d) != fixed+int(n)+8+8+32 || solana.PublicKeyFromBytes(d[4:36]) != payer || x.accounts[0] != payer {
		return mark, false
	}
	rest := d[fixed+n:]
	if binary.LittleEndian.Uint64(rest[8:]) != 0 || solana.PublicKeyFromBytes(rest[16:]) != solana.SystemProgramID {
		return mark, false
	}
	return x.accounts[1], true
}

// move is one transfer or burn as an instruction has it.
type move struct {
	from, to solana.PublicKey // token accounts; to is zero for a burn
	units    uint64
}

// moves reads the transfers and burns of one call of a token program; none if it is, or holds, anything else.
func moves(x call) []move {
	var out []move
	for _, part := range unpack(x) {
		m, ok := single(part.accounts, part.data)
		if !ok {
			return nil
		}
		out = append(out, m)
	}
	return out
}

// unpack returns the calls that p-token's batch holds: the number of accounts and of bytes of each stand before its bytes. Any
// other call, and a batch that the program refuses, is returned as it is.
func unpack(x call) []call {
	if len(x.data) == 0 || x.data[0] != tokenBatch || x.program != solana.TokenProgramID {
		return []call{x}
	}
	var out []call
	accounts := x.accounts
	for d := x.data[1:]; len(d) > 0; {
		if len(d) < 2 || len(d) < 2+int(d[1]) || len(accounts) < int(d[0]) {
			return []call{x}
		}
		out = append(out, call{x.program, accounts[:d[0]], d[2 : 2+int(d[1])]})
		accounts, d = accounts[d[0]:], d[2+int(d[1]):]
	}
	return out
}

func single(accounts []solana.PublicKey, d []byte) (move, bool) {
	if len(d) == 19 && d[0] == tokenFee && d[1] == tokenFeeChecked {
		d = append([]byte{tokenTransferChecked}, d[2:11]...)
	}
	if len(d) < 9 || len(accounts) < 3 {
		return move{}, false
	}
	m := move{from: accounts[0], units: binary.LittleEndian.Uint64(d[1:])}
	switch {
	case d[0] == tokenTransfer && len(d) == 9:
		m.to = accounts[1]
	case d[0] == tokenTransferChecked && len(d) == 10 && len(accounts) >= 4:
		m.to = accounts[2]
	case d[0] == tokenBurn && len(d) == 9, d[0] == tokenBurnChecked && len(d) == 10:
	default:
		return move{}, false
	}
	return m, true
}

// lines returns what the transaction carries, in order, with the recipients' names. Lines that the batch planned give the kind;
// any other is a payment. What stays with its owner is no line: only the gathering of a swap's proceeds does that.
func (l *landed) lines(payer solana.PublicKey, names map[solana.PublicKey]settlement.Account, planned []settlement.Line) []settlement.Line {
	left := slices.Clone(planned)
	var out []settlement.Line
	for _, x := range l.instructions {
		if l.roleOf(x, payer) != roleLines {
			continue
		}
		for _, m := range moves(x) {
			source := l.token(m.from)
			line := settlement.Line{
				Kind: settlement.Pay, Asset: settlement.Asset{Mint: text(source.mint), Decimals: source.decimals},
				From: text(source.owner), Units: m.units,
			}
			switch name, ok := names[m.to]; {
			case m.to.IsZero():
				line.Kind = settlement.Burn
			case ok:
				line.To = name
			default: // the endpoint tells no balance of it
				line.To = text(m.to)
			}
			if line.To == line.From {
				continue
			}
			if i := match(left, line); i >= 0 {
				line.Kind = left[i].Kind
				left = slices.Delete(left, i, i+1)
			}
			out = append(out, line)
		}
	}
	return out
}

// match finds the planned line that a decoded one is: by all but the kind, or else by all but kind and units.
func match(planned []settlement.Line, l settlement.Line) int {
	same := func(p settlement.Line) bool {
		return p.Asset == l.Asset && p.From == l.From && p.To == l.To && (p.Kind == settlement.Burn) == (l.Kind == settlement.Burn)
	}
	if i := slices.IndexFunc(planned, func(p settlement.Line) bool { return same(p) && p.Units == l.Units }); i >= 0 {
		return i
	}
	return slices.IndexFunc(planned, same)
}

// First bytes of the token programs' instructions that make units.
const (
	tokenMintTo        = 7
	tokenMintToChecked = 14
)
