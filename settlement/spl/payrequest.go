package spl

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
)

// PayToken is what a payer has to know of the mint of a request.
type PayToken struct {
	Mint     solana.PublicKey
	Program  solana.PublicKey // SPL Token or Token-2022
	Decimals uint8
}

// Instructions returns what a wallet puts at the end of its transaction, in this order: the memo, if the request has one, and
// the transfer with the references behind its own accounts, read-only and not signing. The payer's money comes from its
// associated token account, or for a request without mint out of its lamports. Units are base units and those of the request,
// unless that leaves them to the payer.
func (p PayRequest) Instructions(payer settlement.Account, t PayToken, units uint64) ([]Instruction, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	from, err := solana.PublicKeyFromBase58(string(payer))
	if err != nil {
		return nil, fmt.Errorf("spl: pay: payer %.60q: %w", payer, err)
	}
	if p.Mint != "" && string(p.Mint) != t.Mint.String() {
		return nil, fmt.Errorf("spl: pay: token is mint %q, the request is for %q", t.Mint, p.Mint)
	}
	places := t.Decimals
	if p.Mint == "" {
		places = solDecimals
	}
	if p.Amount != "" {
		asked, err := p.Units(places)
		if err != nil {
			return nil, err
		}
		if asked != units {
			return nil, fmt.Errorf("spl: pay: units is %d, the request is for %d", units, asked)
		}
	}
	transfer, err := p.transfer(from, t, units)
	if err != nil {
		return nil, err
	}
	for _, r := range p.References {
		transfer.Accounts = append(transfer.Accounts, Meta{Key: solana.PublicKey(r)})
	}
	var out []Instruction
	if p.Memo != "" {
		out = append(out, Instruction{Program: solana.MemoProgramID, Data: []byte(p.Memo)})
	}
	return append(out, transfer), nil
}

const (
	solDecimals    = 9 // of lamports
	systemTransfer = 2
)

// transfer is System's Transfer or the token program's TransferChecked.
func (p PayRequest) transfer(from solana.PublicKey, t PayToken, units uint64) (Instruction, error) {
	to := solana.MustPublicKeyFromBase58(string(p.Recipient)) // validated
	if p.Mint == "" {
		data := binary.LittleEndian.AppendUint32(nil, systemTransfer)
		return Instruction{
			Program:  solana.SystemProgramID,
			Accounts: []Meta{{from, true, true}, {to, false, true}},
			Data:     binary.LittleEndian.AppendUint64(data, units),
		}, nil
	}
	source, _, err := solana.FindAssociatedTokenAddressWithProgram(from, t.Mint, t.Program)
	if err != nil {
		return Instruction{}, fmt.Errorf("spl: pay: token account of the payer: %w", err)
	}
	target, _, err := solana.FindAssociatedTokenAddressWithProgram(to, t.Mint, t.Program)
	if err != nil {
		return Instruction{}, fmt.Errorf("spl: pay: token account of the recipient: %w", err)
	}
	return Instruction{
		Program:  t.Program,
		Accounts: []Meta{{source, false, true}, {t.Mint, false, false}, {target, false, true}, {from, true, false}},
		Data:     append(binary.LittleEndian.AppendUint64([]byte{tokenTransferChecked}, units), t.Decimals),
	}, nil
}

// Pay pays a request out of the payer's wallet, as a wallet app does: it asks the mint, makes the transaction, signs it and
// sends it once. It returns the signature; whether it landed is for the other side to see. Who repeats it without looking pays
// twice: it is for tests and demonstrations, payouts have a Journal.
func (c *Chain) Pay(ctx context.Context, p PayRequest) (string, error) {
	if err := p.Validate(); err != nil {
		return "", err
	}
	var t PayToken
	places := uint8(solDecimals)
	if p.Mint != "" {
		key := solana.MustPublicKeyFromBase58(string(p.Mint)) // validated
		list, _, err := c.accounts(ctx, confirmed, []solana.PublicKey{key}, 0, true)
		if err != nil {
			return "", err
		}
		m, ok := readMint(list[0])
		if !ok {
			return "", fmt.Errorf("%w: %q", ErrNoMint, p.Mint)
		}
		t = PayToken{key, m.program, m.decimals}
		places = m.decimals
	}
	units, err := p.Units(places)
	if err != nil {
		return "", err
	}
	in, err := p.Instructions(text(c.payer), t, units)
	if err != nil {
		return "", err
	}
	hash, err := c.rpc.blockhash(ctx, confirmed)
	if err != nil {
		return "", err
	}
	var e Encoder
	raw, err := e.AppendMessage(nil, &Message{Payer: c.payer, Format: V0, Blockhash: hash.hash, Instructions: in})
	if err != nil {
		return "", err
	}
	tx, err := c.sign(ctx, raw, hash)
	if err != nil {
		return "", err
	}
	return tx.ID, c.Send(ctx, []settlement.Tx{tx})
}
