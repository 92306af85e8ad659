package spl

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
)

// GuardStep is a step of the guard between a foreign swap and our signature, in the order in which they are taken.
type GuardStep uint8

const (
	// GuardWallet is that the swap wallet holds the lot and hardly anything else.
	GuardWallet GuardStep = iota + 1
	// GuardInstructions is that the instructions call listed programs only, want no signature but the wallet's, name no other
	// account of ours and take no right over one.
	GuardInstructions
	// GuardMessage is that the message which is going to be signed is what was composed.
	GuardMessage
	// GuardSimulation is that the message, executed without signatures, does to our accounts what it should and no more.
	GuardSimulation
)

// String returns the step in lower case.
func (s GuardStep) String() string {
	switch s {
	case GuardWallet:
		return "wallet"
	case GuardInstructions:
		return "instructions"
	case GuardMessage:
		return "message"
	case GuardSimulation:
		return "simulation"
	}
	return fmt.Sprintf("step(%d)", uint8(s))
}

// GuardError says which step of the guard refused a swap, and why. Nothing was signed.
type GuardError struct {
	Step   GuardStep
	Reason string
}

// Error names the step and the reason.
func (e *GuardError) Error() string {
	return fmt.Sprintf("spl: swap refused by %s: %s", e.Step, e.Reason)
}

func guardf(s GuardStep, format string, args ...any) error {
	return &GuardError{s, fmt.Sprintf(format, args...)}
}

// First bytes of instructions of the token programs, besides those that payments use.
const (
	tokenRevoke      = 5
	tokenClose       = 9
	tokenInitialize3 = 18
)

const (
	maxForeign       = 16 // instructions of one swap
	maxForeignAccess = 60 // accounts that one instruction names
)

// tokenTagName names what a token program is not let do at the top of a swap.
func tokenTagName(tag byte) string {
	switch tag {
	case 4, 13:
		return "Approve"
	case tokenRevoke:
		return "Revoke"
	case 6:
		return "SetAuthority"
	case tokenMintTo, tokenMintToChecked:
		return "MintTo"
	case tokenBurn, tokenBurnChecked:
		return "Burn"
	case tokenClose:
		return "CloseAccount"
	case tokenBatch:
		return "batch"
	}
	return fmt.Sprintf("instruction %d", tag)
}

// checkForeign is GuardInstructions. It returns the instructions with their addresses read.
func (s *swap) checkForeign(in []settlement.Instruction) ([]Instruction, error) {
	if len(in) == 0 || len(in) > maxForeign {
		return nil, guardf(GuardInstructions, "%d instructions, want 1 to %d", len(in), maxForeign)
	}
	out := make([]Instruction, len(in))
	for i, ix := range in {
		program, err := solana.PublicKeyFromBase58(string(ix.Program))
		if err != nil {
			return nil, guardf(GuardInstructions, "instruction %d: program %q is no address", i, ix.Program)
		}
		if program == solana.SystemProgramID || program == solana.ComputeBudget || program == solana.SPLAssociatedTokenAccountProgramID {
			return nil, guardf(GuardInstructions, "instruction %d calls program %q, which only we call", i, ix.Program)
		}
		if !s.programs[program] {
			return nil, guardf(GuardInstructions, "instruction %d calls program %q, which is not on the list", i, ix.Program)
		}
		if isTokenProgram(program) {
			if len(ix.Data) == 0 || ix.Data[0] != tokenTransfer && ix.Data[0] != tokenTransferChecked {
				what := "nothing"
				if len(ix.Data) > 0 {
					what = tokenTagName(ix.Data[0])
				}
				return nil, guardf(GuardInstructions, "instruction %d is %s of the token program, only transfers are let through", i, what)
			}
		}
		if len(ix.Accounts) > maxForeignAccess {
			return nil, guardf(GuardInstructions, "instruction %d names %d accounts, at most %d", i, len(ix.Accounts), maxForeignAccess)
		}
		metas, err := s.checkAccounts(i, ix.Accounts)
		if err != nil {
			return nil, err
		}
		out[i] = Instruction{Program: program, Accounts: metas, Data: bytes.Clone(ix.Data)}
	}
	return out, nil
}

// checkAccounts looks at what one instruction names. A signature is good for every instruction that names its key, whether
// as a signer or not: so the payer may not be named at all.
func (s *swap) checkAccounts(i int, uses []settlement.AccountUse) ([]Meta, error) {
	metas := make([]Meta, len(uses))
	for j, u := range uses {
		key, err := solana.PublicKeyFromBase58(string(u.Account))
		if err != nil {
			return nil, guardf(GuardInstructions, "instruction %d: account %d, %q, is no address", i, j, u.Account)
		}
		if what, ok := s.ours[key]; ok {
			return nil, guardf(GuardInstructions, "instruction %d names %q, %s of ours", i, u.Account, what)
		}
		if u.Signer && key != s.wallet {
			return nil, guardf(GuardInstructions, "instruction %d wants a signature of %q, only the swap wallet signs", i, u.Account)
		}
		metas[j] = Meta{key, u.Signer, u.Writable}
	}
	return metas, nil
}

// checkMessage is GuardMessage: it reads the encoded message, which is what the signatures are about, by a decoder that is
// not ours.
func (s *swap) checkMessage(tx *solana.Transaction, want []Instruction) error {
	m := tx.Message
	if m.GetVersion() != solana.MessageVersionV1 || len(m.AddressTableLookups) != 0 {
		return guardf(GuardMessage, "it is not of version 1 with every address in it")
	}
	signers := m.AccountKeys[:min(int(m.Header.NumRequiredSignatures), len(m.AccountKeys))]
	if len(signers) != 2 || signers[0] != s.payer || signers[1] != s.wallet {
		return guardf(GuardMessage, "it wants the signatures of %v, not those of payer %q and wallet %q alone", signers, s.payer, s.wallet)
	}
	if len(m.Instructions) != len(want) {
		return guardf(GuardMessage, "it has %d instructions, %d were composed", len(m.Instructions), len(want))
	}
	for i, ix := range m.Instructions {
		accounts := want[i].Accounts
		same := m.AccountKeys[ix.ProgramIDIndex] == want[i].Program && bytes.Equal(ix.Data, want[i].Data) && len(ix.Accounts) == len(accounts)
		for j := 0; same && j < len(accounts); j++ {
			same = m.AccountKeys[ix.Accounts[j]] == accounts[j].Key
		}
		if !same {
			return guardf(GuardMessage, "instruction %d is not the one that was composed", i)
		}
	}
	return nil
}

// checkEffects is GuardSimulation: what the message would do to every account of ours that it may write.
func (s *swap) checkEffects(keys []solana.PublicKey, before, after []*account) error {
	for i, key := range keys {
		switch key {
		case s.fresh:
			if err := s.checkFresh(after[i]); err != nil {
				return err
			}
		case s.payer:
			if err := checkLamports("payer", before[i], after[i], s.fee+s.markerRent+s.freshRent); err != nil {
				return err
			}
		case s.wallet:
			if err := checkLamports("swap wallet", before[i], after[i], 0); err != nil {
				return err
			}
		default:
			if err := s.checkHolding(key, before[i], after[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkFresh wants the proceeds where they should be, with nobody else in charge of them.
func (s *swap) checkFresh(a *account) error {
	h, ok := readHolding(a)
	switch {
	case !ok || h.mint != s.outMint:
		return guardf(GuardSimulation, "the account of the proceeds is no token account for mint %q", s.outMint)
	case h.owner != s.wallet:
		return guardf(GuardSimulation, "the proceeds belong to %q", h.owner)
	case rightsOf(a) != (rights{}):
		return guardf(GuardSimulation, "somebody got a right over the proceeds: %s", rightsOf(a))
	case h.units+s.line.Least < h.units || h.units+s.line.Least < s.quoted:
		return guardf(GuardSimulation, "the swap gets %d, the venue promised at least %d", h.units+s.line.Least, s.quoted)
	}
	return nil
}

// checkHolding compares a token account before and after, if it is ours. Accounts of strangers are none of our business.
func (s *swap) checkHolding(key solana.PublicKey, before, after *account) error {
	owner, ok := holder(before)
	if !ok || !s.own(owner) && key != s.to {
		return nil
	}
	if key != s.source && key != s.to {
		return guardf(GuardSimulation, "it may write %q, a token account of %q, which is ours", key, owner)
	}
	h, _ := readHolding(before)
	now, ok := readHolding(after)
	if !ok || now.owner != h.owner || now.mint != h.mint || now.frozen != h.frozen {
		return guardf(GuardSimulation, "token account %q changes its owner, mint or state", key)
	}
	if rightsOf(before) != rightsOf(after) {
		return guardf(GuardSimulation, "the rights over token account %q change from %s to %s", key, rightsOf(before), rightsOf(after))
	}
	switch {
	case key == s.source && h.units-min(h.units, now.units) > s.line.Units:
		return guardf(GuardSimulation, "it takes %d, the lot is %d", h.units-now.units, s.line.Units)
	case key == s.to && (now.units < h.units || now.units-h.units < s.line.Least):
		return guardf(GuardSimulation, "the recipient goes from %d to %d, it has to get %d", h.units, now.units, s.line.Least)
	}
	return nil
}

// holder returns the owner of a token account of either token program: the first 165 bytes are the same.
func holder(a *account) (solana.PublicKey, bool) {
	if a == nil || !isTokenProgram(a.Owner) || len(a.Data) < holdingSize {
		return solana.PublicKey{}, false
	}
	return solana.PublicKeyFromBytes(a.Data[32:64]), true
}

// checkLamports bounds what an account pays.
func checkLamports(name string, before, after *account, most uint64) error {
	had, has := lamportsOf(before), lamportsOf(after)
	if paid := had - min(had, has); paid > most {
		return guardf(GuardSimulation, "the %s pays %d lamports, at most %d", name, paid, most)
	}
	if before != nil && after != nil && before.Owner != after.Owner {
		return guardf(GuardSimulation, "the %s is given to program %q", name, after.Owner)
	}
	return nil
}

// rights is who besides the owner may do something with a token account.
type rights struct {
	delegate, closer   solana.PublicKey
	delegated, closing bool
	units              uint64 // that the delegate may take
}

// String names them.
func (r rights) String() string {
	switch {
	case r.delegated && r.closing:
		return fmt.Sprintf("delegate %q for %d and close authority %q", r.delegate, r.units, r.closer)
	case r.delegated:
		return fmt.Sprintf("delegate %q for %d", r.delegate, r.units)
	case r.closing:
		return fmt.Sprintf("close authority %q", r.closer)
	}
	return "none"
}

// rightsOf reads them of a token account. Offsets are those of the SPL Token program's Account.
func rightsOf(a *account) rights {
	var r rights
	if _, ok := readHolding(a); !ok {
		return r
	}
	d := a.Data
	if d[72] == 1 {
		r.delegated, r.delegate, r.units = true, solana.PublicKeyFromBytes(d[76:108]), binary.LittleEndian.Uint64(d[121:])
	}
	if d[129] == 1 {
		r.closing, r.closer = true, solana.PublicKeyFromBytes(d[133:165])
	}
	return r
}
