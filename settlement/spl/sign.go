package spl

import (
	"context"
	"encoding/binary"
	"errors"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
)

// Compute units, measured in the Agave 4.3 runtime by this package's tests; those of Token-2022 and of memos, which depend
// on extensions and length, are the most that was seen. Each transaction asks for a tenth more than its sum.
const (
	unitsMarker       = 150 // System program
	unitsBudget       = 150 // each instruction of the compute budget program
	unitsTransfer     = 76  // p-token, SIMD-0266
	unitsChecked      = 105
	unitsBurn         = 126
	units2022         = 3_000 // 2,033 without extensions
	units2022Fee      = 4_000 // 3,261 with a transfer fee
	unitsMemo         = 290
	unitsMemoByte     = 2
	unitsCreation     = 26_000 // without the search for the address
	unitsCreation2022 = 40_000
	unitsBump         = 1_500 // each further try of that search
	unitsError        = 600   // to say why it fails: without them every failure would read ComputationalBudgetExceeded

	budgetInstructions = 3 // of the older formats: units, price and loaded bytes
)

// What a transaction loads, which it has to bound (SIMD-0186): the data of each account and as many bytes besides; the whole
// of a lookup table.
const (
	accountOverhead = 64
	tableBytes      = 56 + 32*maxEntries
	loadedPage      = 32 << 10 // the cluster counts pages of this size
)

// Instructions of the token programs that the encoder of payouts does not write.
const (
	tokenFee        = 26 // TransferFeeExtension of Token-2022,
	tokenFeeChecked = 1  // and its TransferCheckedWithFee
)

const signatureFee = 5000 // lamports

// build makes and signs the transaction of a batch that nothing stands in the way of.
func (c *Chain) build(ctx context.Context, e *Encoder, j *job, s *survey) error {
	units, loaded := c.bounds(j, s)
	memo := ""
	if c.config.Memo {
		memo = j.batch.ID.String()
	}
	mark := Mark{Address: j.marker.at, Seed: j.marker.seed, Lamports: s.rent}
	var raw []byte
	var err error
	if plain(j.routes) {
		p := Payout{
			Format: c.config.Format, Payer: c.payer, Marker: mark, Memo: memo, Blockhash: s.hash.hash,
			ComputeUnits: units, Loaded: loaded, Priority: c.config.PriorityFee, Lines: make([]Transfer, len(j.routes)), Table: c.table(j.routes),
		}
		for i, r := range j.routes {
			p.Source, p.Owner, p.Program, p.Mint, p.Decimals = r.from, r.owner, r.program, r.mint, r.line.Asset.Decimals
			p.Checked, p.Burn = r.program == solana.Token2022ProgramID, r.burns()
			p.Lines[i] = Transfer{To: r.to, Units: r.line.Units}
		}
		raw, err = e.AppendPayout(nil, &p)
	} else {
		m := Message{
			Format: c.config.Format, Payer: c.payer, Blockhash: s.hash.hash, ComputeUnits: units, Loaded: loaded,
			Priority: c.config.PriorityFee, Instructions: instructions(c.payer, mark, memo, j.routes), Tables: c.config.Tables,
		}
		raw, err = e.AppendMessage(nil, &m)
	}
	if err != nil {
		return err
	}
	f, err := readFrame(raw)
	if err != nil {
		return err
	}
	if err := s.spend(j.routes, s.rent+c.config.PriorityFee+uint64(f.signers)*signatureFee); err != nil {
		return err
	}
	j.tx, err = c.sign(ctx, raw, s.hash)
	return err
}

// sign signs a transaction and names it.
func (c *Chain) sign(ctx context.Context, raw []byte, hash blockhash) (settlement.Tx, error) {
	if err := c.ring.Sign(ctx, raw); err != nil {
		return settlement.Tx{}, err
	}
	id, err := TxID(raw)
	return settlement.Tx{ID: id, Raw: raw, LastValid: hash.lastValid}, err
}

// plain says whether the lines are all transfers, or all burns, of one mint from one account, and none wants more than that.
func plain(routes []route) bool {
	for _, r := range routes {
		if r.from != routes[0].from || r.burns() != routes[0].burns() || r.memo || r.fee > 0 {
			return false
		}
	}
	return true
}

// table returns the lookup table that holds most of a batch's recipients, nil if none holds any.
func (c *Chain) table(routes []route) *Table {
	var best *Table
	most := 0
	for _, t := range c.config.Tables {
		n := 0
		for _, r := range routes {
			if _, ok := t.index[r.to]; ok {
				n++
			}
		}
		if n > most {
			best, most = t, n
		}
	}
	return best
}

// instructions returns the marker, the memo and the lines. A recipient's account that wants a memo has its own right before
// its transfer.
func instructions(payer solana.PublicKey, mark Mark, memo string, routes []route) []Instruction {
	out := []Instruction{mark.Instruction(payer)}
	if memo != "" {
		out = append(out, note(memo))
	}
	for _, r := range routes {
		if r.memo {
			out = append(out, note(memoOfLine))
		}
		out = append(out, r.instruction())
	}
	return out
}

// memoOfLine is what a recipient reads who wants a memo with every transfer.
const memoOfLine = "idlegrid"

func note(memo string) Instruction {
	return Instruction{Program: solana.MemoProgramID, Data: []byte(memo)}
}

// instruction returns the token program's instruction for the line.
func (r route) instruction() Instruction {
	units := func(d ...byte) []byte { return binary.LittleEndian.AppendUint64(d, r.line.Units) }
	owner := Meta{r.owner, true, false}
	in := Instruction{Program: r.program}
	switch {
	case r.burns():
		in.Accounts = []Meta{{r.from, false, true}, {r.mint, false, true}, owner}
		in.Data = append(units(tokenBurnChecked), r.line.Asset.Decimals)
	case r.fee > 0:
		in.Accounts = []Meta{{r.from, false, true}, {r.mint, false, false}, {r.to, false, true}, owner}
		in.Data = append(units(tokenFee, tokenFeeChecked), r.line.Asset.Decimals)
		in.Data = binary.LittleEndian.AppendUint64(in.Data, r.fee)
	case r.program == solana.Token2022ProgramID:
		in.Accounts = []Meta{{r.from, false, true}, {r.mint, false, false}, {r.to, false, true}, owner}
		in.Data = append(units(tokenTransferChecked), r.line.Asset.Decimals)
	default:
		in.Accounts = []Meta{{r.from, false, true}, {r.to, false, true}, owner}
		in.Data = units(tokenTransfer)
	}
	return in
}

// bounds returns the compute units and the loaded bytes to ask for.
func (c *Chain) bounds(j *job, s *survey) (units, loaded uint32) {
	sum := uint64(unitsMarker + unitsError)
	if c.config.Format != V1 {
		sum += budgetInstructions * unitsBudget
	}
	uses := map[solana.PublicKey]uint64{c.payer: accountOverhead, j.marker.at: accountOverhead}
	run := func(p solana.PublicKey) { uses[p] = s.programs[p] }
	run(solana.SystemProgramID)
	if c.config.Format != V1 {
		run(solana.ComputeBudget)
	}
	if c.config.Memo {
		run(solana.MemoProgramID)
		sum += unitsMemo + unitsMemoByte*uint64(len(j.batch.ID.String()))
	}
	for _, r := range j.routes {
		run(r.program)
		for _, k := range []solana.PublicKey{r.from, r.to} {
			uses[k] = accountOverhead + s.accounts[k].size()
		}
		uses[r.owner] = accountOverhead
		uses[r.mint] = accountOverhead + s.mints[r.mint].size()
		switch {
		case r.fee > 0:
			sum += units2022Fee
		case r.program == solana.Token2022ProgramID:
			sum += units2022
		case r.burns():
			sum += unitsBurn
		default:
			sum += unitsTransfer
		}
		if r.memo {
			run(solana.MemoProgramID)
			sum += unitsMemo + unitsMemoByte*uint64(len(memoOfLine))
		}
	}
	bytes := uint64(len(c.config.Tables)) * tableBytes
	for _, n := range uses {
		bytes += n
	}
	return uint32(min(tenthMore(sum), maxUnits)), pages(bytes)
}

// tenthMore rounds up.
func tenthMore(n uint64) uint64 { return n + (n+9)/10 }

// pages returns a tenth more than the bytes, in whole pages.
func pages(bytes uint64) uint32 {
	return uint32(min((tenthMore(bytes)+loadedPage-1)/loadedPage*loadedPage, maxLoaded))
}

// size returns the bytes of an account's data, 0 if there is none.
func (a *account) size() uint64 {
	if a == nil {
		return 0
	}
	return max(a.Space, uint64(len(a.Data)))
}

// message signs a transaction of ours that is no batch: creations and reclaims.
func (c *Chain) message(ctx context.Context, e *Encoder, in []Instruction, hash blockhash, units uint64, loaded uint32) (settlement.Tx, error) {
	if units > maxUnits {
		return settlement.Tx{}, errors.New("spl: a transaction of ours needs more compute units than there are")
	}
	raw, err := e.AppendMessage(nil, &Message{
		Format: c.config.Format, Payer: c.payer, Blockhash: hash.hash, ComputeUnits: uint32(units), Loaded: loaded,
		Priority: c.config.PriorityFee, Instructions: in,
	})
	if err != nil {
		return settlement.Tx{}, err
	}
	return c.sign(ctx, raw, hash)
}
