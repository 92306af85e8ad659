package spl

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/gagliardetto/solana-go"
)

// extension is the type of one extension of a Token-2022 account.
type extension uint16

// The extensions, by their numbers in spl-token-2022's ExtensionType.
const (
	extTransferFeeConfig       extension = 1
	extTransferFeeAmount       extension = 2
	extMintCloseAuthority      extension = 3
	extConfidentialMint        extension = 4
	extConfidentialAccount     extension = 5
	extDefaultAccountState     extension = 6
	extImmutableOwner          extension = 7
	extMemoTransfer            extension = 8
	extNonTransferable         extension = 9
	extInterestBearing         extension = 10
	extCpiGuard                extension = 11
	extPermanentDelegate       extension = 12
	extNonTransferableAccount  extension = 13
	extTransferHook            extension = 14
	extTransferHookAccount     extension = 15
	extConfidentialFeeConfig   extension = 16
	extConfidentialFeeAmount   extension = 17
	extMetadataPointer         extension = 18
	extTokenMetadata           extension = 19
	extGroupPointer            extension = 20
	extTokenGroup              extension = 21
	extGroupMemberPointer      extension = 22
	extTokenGroupMember        extension = 23
	extConfidentialMintAndBurn extension = 24
	extScaledUIAmount          extension = 25
	extPausable                extension = 26
	extPausableAccount         extension = 27
)

// String returns the extension's name in spl-token-2022.
func (x extension) String() string {
	names := [...]string{
		1: "TransferFeeConfig", 2: "TransferFeeAmount", 3: "MintCloseAuthority", 4: "ConfidentialTransferMint",
		5: "ConfidentialTransferAccount", 6: "DefaultAccountState", 7: "ImmutableOwner", 8: "MemoTransfer", 9: "NonTransferable",
		10: "InterestBearingConfig", 11: "CpiGuard", 12: "PermanentDelegate", 13: "NonTransferableAccount", 14: "TransferHook",
		15: "TransferHookAccount", 16: "ConfidentialTransferFeeConfig", 17: "ConfidentialTransferFeeAmount", 18: "MetadataPointer",
		19: "TokenMetadata", 20: "GroupPointer", 21: "TokenGroup", 22: "GroupMemberPointer", 23: "TokenGroupMember",
		24: "ConfidentialMintBurn", 25: "ScaledUiAmount", 26: "Pausable", 27: "PausableAccount",
	}
	if int(x) < len(names) && x > 0 {
		return names[x]
	}
	return fmt.Sprintf("extension %d", uint16(x))
}

// The byte that stands behind the base of an account with extensions.
const (
	extensionsOfMint    = 1
	extensionsOfAccount = 2
)

// found is one extension and its bytes.
type found struct {
	kind  extension
	bytes []byte
}

// extensions are those of one account, in its order.
type extensions []found

// of returns an extension's bytes, and whether it is there.
func (x extensions) of(kind extension) ([]byte, bool) {
	for _, f := range x {
		if f.kind == kind {
			return f.bytes, true
		}
	}
	return nil, false
}

// flag returns byte i of an extension, 0 if it is not there.
func (x extensions) flag(kind extension, i int) byte {
	if b, _ := x.of(kind); i < len(b) {
		return b[i]
	}
	return 0
}

// readExtensions reads what stands behind the base of an account of size bytes: padding up to a token account's 165, the kind
// of the account, then type, length and bytes of each extension. It says whether the account is of that size and kind.
func readExtensions(a *account, size int, kind byte) (extensions, bool) {
	d := a.Data
	if len(d) == size {
		return nil, true
	}
	// An account of 355 bytes is a multisig: the program never makes one of this length with extensions.
	if a.Owner != solana.Token2022ProgramID || len(d) <= holdingSize || len(d) == 355 || d[holdingSize] != kind {
		return nil, false
	}
	var out extensions
	for d = d[holdingSize+1:]; len(d) >= 4; {
		x, n := extension(binary.LittleEndian.Uint16(d)), int(binary.LittleEndian.Uint16(d[2:]))
		if x == 0 {
			break // room that is not used
		}
		if len(d) < 4+n {
			return nil, false
		}
		out = append(out, found{x, d[4 : 4+n]})
		d = d[4+n:]
	}
	return out, true
}

// unfit says why tokens of a mint cannot be paid out at all, by the name of the extension; nothing if they can. An extension
// that is not known is refused: it may change what a transfer does.
func (m mint) unfit(feeAllowed bool) string {
	for _, f := range m.extensions {
		switch f.kind {
		case extMintCloseAuthority, extDefaultAccountState, extInterestBearing, extPermanentDelegate, extMetadataPointer,
			extTokenMetadata, extGroupPointer, extTokenGroup, extGroupMemberPointer, extTokenGroupMember, extScaledUIAmount, extPausable:
			continue // they change nothing about a transfer of base units, or are looked at elsewhere
		case extTransferFeeConfig:
			if feeAllowed {
				continue
			}
			return fmt.Sprintf("%s: the recipient would get less than is sent", f.kind)
		case extTransferHook:
			if len(f.bytes) == 64 && solana.PublicKeyFromBytes(f.bytes[32:]).IsZero() {
				continue // no program is set
			}
		default:
		}
		return f.kind.String()
	}
	return ""
}

// paused says whether the mint's authority has stopped all movement.
func (m mint) paused() bool { return m.extensions.flag(extPausable, 32) != 0 }

// frozenAtBirth says whether a new account of the mint can take nothing until the authority thaws it.
func (m mint) frozenAtBirth() bool {
	return m.extensions.flag(extDefaultAccountState, 0) == stateFrozen
}

// fee returns what a transfer of units costs the recipient in an epoch: TransferFeeConfig holds two authorities, what is
// withheld, and two fees of (epoch, maximum, basis points), of which the newer counts from its epoch on. It rounds up, as the
// program does, in the favour of whom the mint's owner lets collect.
func (m mint) fee(epoch, units uint64) uint64 {
	const authorities, size, perUnit = 32 + 32 + 8, 18, 10_000
	b, ok := m.extensions.of(extTransferFeeConfig)
	if !ok || len(b) < authorities+2*size {
		return 0
	}
	current := b[authorities+size:]
	if epoch < binary.LittleEndian.Uint64(current) {
		current = b[authorities:]
	}
	most, points := binary.LittleEndian.Uint64(current[8:]), uint64(binary.LittleEndian.Uint16(current[16:]))
	if points > perUnit {
		points = perUnit // the program refuses more
	}
	hi, lo := bits.Mul64(units, points) // 128-bit: units may be anything
	q, r := bits.Div64(hi, lo, perUnit) // hi < perUnit, because points <= perUnit
	if r > 0 {
		q++
	}
	return min(q, most)
}

// wantsMemo says whether the account takes a transfer only right behind a memo.
func (h holding) wantsMemo() bool { return h.extensions.flag(extMemoTransfer, 0) != 0 }

// closed says why an account takes no plain transfer, by the name of the extension; nothing if it does.
func (h holding) closed() string {
	// allow_non_confidential_credits stands behind approved (1), key (32), three ciphertexts (64, 64, 64), a decryptable
	// balance (36) and allow_confidential_credits (1).
	const allowPlain = 1 + 32 + 3*64 + 36 + 1
	for _, f := range h.extensions {
		switch f.kind {
		case extTransferFeeAmount, extImmutableOwner, extMemoTransfer, extCpiGuard, extTransferHookAccount, extPausableAccount,
			extConfidentialFeeAmount:
			continue
		case extConfidentialAccount:
			if len(f.bytes) > allowPlain && f.bytes[allowPlain] != 0 {
				continue
			}
		default:
		}
		return f.kind.String()
	}
	return ""
}
