package onchain

import "strconv"

// Code is why the program refuses an instruction: the number in the runtime's InstructionError Custom.
type Code uint32

const (
	// BadAccounts means that their number is not the instruction's.
	BadAccounts Code = iota + 1
	// BadDuplicate means that an account was given twice.
	BadDuplicate
	// BadData means that the instruction is unknown, too short or too long.
	BadData
	// BadOwner means that an account that has to be the program's is not.
	BadOwner
	// BadState means that the state has not the size of one, is not made yet, or is made already.
	BadState
	// BadLedger means that the ledger has a wrong size, is in use, or is not this state's.
	BadLedger
	// BadVault means that the vault is not this state's, or may be moved by somebody else.
	BadVault
	// BadSigner means that whoever has to has not signed.
	BadSigner
	// BadWritable means that an account that is to change was given as read-only.
	BadWritable
	// BadProgram means that the token program is not SPL Token.
	BadProgram
	// BadParams means that delay, cap or bump is out of its range.
	BadParams
	// BadEpoch means that a root is not of the epoch after the active one.
	BadEpoch
	// BadSum means that a root's sum shrinks, or grows by more than the cap.
	BadSum
	// BadRoot means that a root is zero.
	BadRoot
	// Paused means that nothing is paid at present.
	Paused
	// NotActive means that no root has become active yet.
	NotActive
	// BadIndex means that an index is beyond the ledger or beyond the tree that the proof is of.
	BadIndex
	// BadProof means that the leaf is not under the active root.
	BadProof
	// NothingDue means that the ledger has the total already, or more.
	NothingDue
	// SumExceeded means that the claims would come to more than the active root's sum.
	SumExceeded
)

// String returns the name, or the number of a code that is none of ours.
func (c Code) String() string {
	names := []string{
		"no error", "bad accounts", "bad duplicate", "bad data", "bad owner", "bad state", "bad ledger", "bad vault", "bad signer", "bad writable",
		"bad program", "bad params", "bad epoch", "bad sum", "bad root", "paused", "not active", "bad index", "bad proof", "nothing due", "sum exceeded",
	}
	if int64(c) < int64(len(names)) {
		return names[c]
	}
	return "code " + strconv.FormatUint(uint64(c), 10)
}
