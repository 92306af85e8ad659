package spl

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
)

// maxLabel bounds the text of a route that is kept.
const maxLabel = 200

// jupiterAnswer is what both generations answer, together: a quote, instructions, or both. What it leaves out, such as
// lookup tables and a blockhash, is not used.
type jupiterAnswer struct {
	InputMint            string `json:"inputMint"`
	OutputMint           string `json:"outputMint"`
	InAmount             string `json:"inAmount"`
	OutAmount            string `json:"outAmount"`
	OtherAmountThreshold string `json:"otherAmountThreshold"`
	SwapMode             string `json:"swapMode"`
	SlippageBps          uint32 `json:"slippageBps"`
	ContextSlot          uint64 `json:"contextSlot"`
	PlatformFee          *struct {
		Amount string `json:"amount"`
	} `json:"platformFee"`
	RoutePlan []struct {
		SwapInfo struct {
			Label string `json:"label"`
		} `json:"swapInfo"`
	} `json:"routePlan"`

	ComputeBudgetInstructions []jupiterInstruction `json:"computeBudgetInstructions"`
	SetupInstructions         []jupiterInstruction `json:"setupInstructions"`
	SwapInstruction           *jupiterInstruction  `json:"swapInstruction"`

	unwanted []string // names of further instructions that it wants
}

type jupiterInstruction struct {
	ProgramID string `json:"programId"`
	Accounts  []struct {
		Pubkey     string `json:"pubkey"`
		IsSigner   bool   `json:"isSigner"`
		IsWritable bool   `json:"isWritable"`
	} `json:"accounts"`
	Data string `json:"data"`
}

// decodeJupiter reads an answer. Fields that tell something and are not known are left alone; every field that is named like
// instructions and holds some is either known or refused, because leaving it out could change what the rest does.
func decodeJupiter(body []byte) (*jupiterAnswer, error) {
	var out jupiterAnswer
	var all map[string]json.RawMessage
	if err := json.Unmarshal(body, &all); err != nil {
		return nil, fmt.Errorf("%w: the answer is no JSON object: %w", ErrJupiter, err)
	}
	if err := json.Unmarshal(body, &out); err != nil {
		return nil, fmt.Errorf("%w: decode the answer: %w", ErrJupiter, err)
	}
	for name, value := range all {
		known := name == "computeBudgetInstructions" || name == "setupInstructions" || name == "swapInstruction"
		text := strings.TrimSpace(string(value))
		empty := text == "null" || text == "[]" || text == "{}"
		if !known && !empty && strings.Contains(strings.ToLower(name), "instruction") && !strings.HasSuffix(name, "Version") {
			out.unwanted = append(out.unwanted, name)
		}
	}
	slices.Sort(out.unwanted)
	return &out, nil
}

// quote compares the answer with the question.
func (a *jupiterAnswer) quote(in, out settlement.Asset, units uint64, slippage uint16) (settlement.SwapQuote, error) {
	q := settlement.SwapQuote{In: in, Out: out, Units: units, Slot: a.ContextSlot}
	given, err := jupiterAmount("inAmount", a.InAmount)
	if err != nil {
		return q, err
	}
	if q.Expect, err = jupiterAmount("outAmount", a.OutAmount); err != nil {
		return q, err
	}
	if q.Least, err = jupiterAmount("otherAmountThreshold", a.OtherAmountThreshold); err != nil {
		return q, err
	}
	switch {
	case a.InputMint != string(in.Mint):
		return q, fmt.Errorf("%w: inputMint is %q, asked was %q", ErrJupiter, a.InputMint, in.Mint)
	case a.OutputMint != string(out.Mint):
		return q, fmt.Errorf("%w: outputMint is %q, asked was %q", ErrJupiter, a.OutputMint, out.Mint)
	case given != units:
		return q, fmt.Errorf("%w: inAmount is %d, asked was %d", ErrJupiter, given, units)
	case a.SwapMode != "ExactIn":
		return q, fmt.Errorf("%w: swapMode is %q, want ExactIn", ErrJupiter, a.SwapMode)
	case a.SlippageBps != uint32(slippage):
		return q, fmt.Errorf("%w: slippageBps is %d, asked was %d", ErrJupiter, a.SlippageBps, slippage)
	case q.Expect == 0:
		return q, fmt.Errorf("%w: outAmount is 0", ErrJupiter)
	case q.Least > q.Expect:
		return q, fmt.Errorf("%w: otherAmountThreshold is %d, more than outAmount, %d", ErrJupiter, q.Least, q.Expect)
	case a.PlatformFee != nil && a.PlatformFee.Amount != "" && a.PlatformFee.Amount != "0":
		return q, fmt.Errorf("%w: platformFee is %q, none was asked for", ErrJupiter, a.PlatformFee.Amount)
	}
	labels := make([]string, len(a.RoutePlan))
	for i, r := range a.RoutePlan {
		labels[i] = r.SwapInfo.Label
	}
	route := strings.ToValidUTF8("jupiter: "+strings.Join(labels, " > "), "?")
	q.Route = route[:min(len(route), maxLabel)]
	return q, nil
}

// jupiterAmount reads base units, which are strings of digits.
func jupiterAmount(field, s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || s != strconv.FormatUint(n, 10) {
		return 0, fmt.Errorf("%w: %s is %q, want base units up to 2^64-1", ErrJupiter, field, s)
	}
	return n, nil
}

// instructions returns the swap's. The compute budget is ours to set, the making of the wallet's own accounts is not needed,
// and nothing else is let through.
func (a *jupiterAnswer) instructions(taker settlement.Account, o settlement.SwapOrder, most int) ([]settlement.Instruction, error) {
	if len(a.unwanted) > 0 {
		return nil, fmt.Errorf("%w: it wants %s, only a swap was asked for", ErrJupiter, strings.Join(a.unwanted, " and "))
	}
	if a.SwapInstruction == nil {
		return nil, fmt.Errorf("%w: swapInstruction is missing", ErrJupiter)
	}
	for i, ix := range a.ComputeBudgetInstructions {
		if ix.ProgramID != solana.ComputeBudget.String() {
			return nil, fmt.Errorf("%w: computeBudgetInstructions[%d] calls program %q", ErrJupiter, i, ix.ProgramID)
		}
	}
	for i, ix := range a.SetupInstructions {
		if err := ix.needless(taker, o); err != nil {
			return nil, fmt.Errorf("%w: setupInstructions[%d]: %w", ErrJupiter, i, err)
		}
	}
	ix, err := a.SwapInstruction.read(taker, most)
	if err != nil {
		return nil, fmt.Errorf("%w: swapInstruction: %w", ErrJupiter, err)
	}
	for _, need := range []settlement.Account{o.From, o.Into} {
		if !slices.ContainsFunc(ix.Accounts, func(u settlement.AccountUse) bool { return u.Account == need && u.Writable }) {
			return nil, fmt.Errorf("%w: swapInstruction does not write %q, where the money is to go from or to", ErrJupiter, need)
		}
	}
	return []settlement.Instruction{ix}, nil
}

// needless wants a setup instruction to make an account of the wallet's that exists already, or that is not used. One for
// the middle of a route would be an account of ours that the guard does not let a swap write.
func (x jupiterInstruction) needless(taker settlement.Account, o settlement.SwapOrder) error {
	const owner, mint = 2, 3 // of Create and CreateIdempotent
	if x.ProgramID != solana.SPLAssociatedTokenAccountProgramID.String() {
		return fmt.Errorf("it calls program %q, want none but the making of token accounts", x.ProgramID)
	}
	if len(x.Accounts) <= mint || x.Accounts[owner].Pubkey != string(taker) {
		return fmt.Errorf("it makes an account of somebody else's")
	}
	if m := settlement.Account(x.Accounts[mint].Pubkey); m != o.Quote.In.Mint && m != o.Quote.Out.Mint {
		return fmt.Errorf("it makes an account for mint %q, in the middle of the route: such routes are not taken", m)
	}
	return nil
}

// read decodes an instruction whose only signer is the taker.
func (x jupiterInstruction) read(taker settlement.Account, most int) (settlement.Instruction, error) {
	var out settlement.Instruction
	if _, err := solana.PublicKeyFromBase58(x.ProgramID); err != nil {
		return out, fmt.Errorf("programId is %q: %w", x.ProgramID, err)
	}
	if len(x.Accounts) > most {
		return out, fmt.Errorf("it names %d accounts, at most %d were asked for", len(x.Accounts), most)
	}
	data, err := base64.StdEncoding.Strict().DecodeString(x.Data)
	if err != nil {
		return out, fmt.Errorf("data is no base64: %w", err)
	}
	if len(data) == 0 || len(data) > solana.MaxTransactionSizeV1 {
		return out, fmt.Errorf("data has %d bytes, want 1 to %d", len(data), solana.MaxTransactionSizeV1)
	}
	out = settlement.Instruction{Program: settlement.Account(x.ProgramID), Data: data}
	for i, a := range x.Accounts {
		if _, err := solana.PublicKeyFromBase58(a.Pubkey); err != nil {
			return out, fmt.Errorf("accounts[%d] is %q: %w", i, a.Pubkey, err)
		}
		if a.IsSigner && a.Pubkey != string(taker) {
			return out, fmt.Errorf("accounts[%d]: %q is to sign, only the taker does", i, a.Pubkey)
		}
		out.Accounts = append(out.Accounts, settlement.AccountUse{Account: settlement.Account(a.Pubkey), Signer: a.IsSigner, Writable: a.IsWritable})
	}
	return out, nil
}
