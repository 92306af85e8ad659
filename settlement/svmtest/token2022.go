package svmtest

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"

	"github.com/gagliardetto/solana-go"
	"github.com/gagliardetto/solana-go/programs/system"
	"github.com/gagliardetto/solana-go/programs/token"
	"github.com/gagliardetto/solana-go/rpc"

	"github.com/idlegrid/idlegrid/settlement"
)

// Extensions are what a mint of Token-2022 can have here. The zero value has none.
type Extensions struct {
	TransferFeeBasisPoints uint16 // ten-thousandths of what is sent, 0 to 10,000, kept back at the receiver, rounded up
	MaxFee                 uint64 // base units, the most that a transfer costs; 0 with a fee: no transfer costs anything
	DefaultFrozen          bool   // new accounts are frozen until Thaw
}

// Sizes and numbers of Token-2022's extensions: spl-token-2022, src/extension/mod.rs.
const (
	base2022       = 166 // bytes before the first extension: a token account's size and the account's type
	feeConfigSize  = 4 + 108
	stateSize      = 4 + 1
	memoExtension  = 8
	feeExtension   = 26
	stateExtension = 28
	reallocate     = 29
	memoTransfer   = 30
)

// CreateMint2022 makes a token of the Token-2022 program. The authority pays, may mint and freeze, and owns the fees.
func (n *Node) CreateMint2022(ctx context.Context, authority, mint ed25519.PrivateKey, decimals uint8, e Extensions) (settlement.Asset, error) {
	owner, key := public(authority), public(mint)
	size := uint64(base2022)
	var before []solana.Instruction // extensions are set up before the mint itself
	add := func(data []byte) {
		before = append(before, solana.NewInstruction(solana.Token2022ProgramID, solana.AccountMetaSlice{solana.Meta(key).WRITE()}, data))
	}
	if e.TransferFeeBasisPoints > 0 || e.MaxFee > 0 {
		size += feeConfigSize
		data := []byte{feeExtension, 0, 1} // InitializeTransferFeeConfig with both authorities
		data = append(append(append(data, owner[:]...), 1), owner[:]...)
		data = binary.LittleEndian.AppendUint16(data, e.TransferFeeBasisPoints)
		add(binary.LittleEndian.AppendUint64(data, e.MaxFee))
	}
	if e.DefaultFrozen {
		size += stateSize
		add([]byte{stateExtension, 0, 2}) // Initialize, state frozen
	}
	if len(before) == 0 {
		size = mintSize
	}
	return n.createMint(ctx, solana.Token2022ProgramID, size, before, authority, mint, decimals)
}

// RequireMemo makes the associated token account of the key refuse transfers that do not follow a memo, or ends that. The
// asset is of Token-2022.
func (n *Node) RequireMemo(ctx context.Context, owner ed25519.PrivateKey, a settlement.Asset, on bool) error {
	at, err := n.locate(ctx, a, Address(owner))
	if err != nil {
		return err
	}
	what := byte(1) // Disable
	if on {
		what = 0 // Enable
	}
	err = n.send(ctx, []ed25519.PrivateKey{owner},
		solana.NewInstruction(at.program, solana.AccountMetaSlice{
			solana.Meta(at.account).WRITE(), solana.Meta(at.owner).WRITE().SIGNER(), solana.Meta(solana.SystemProgramID), solana.Meta(at.owner).SIGNER(),
		}, []byte{reallocate, memoExtension, 0}),
		solana.NewInstruction(at.program, solana.AccountMetaSlice{
			solana.Meta(at.account).WRITE(), solana.Meta(at.owner).SIGNER(),
		}, []byte{memoTransfer, what}))
	return n.wrap(err, "require memos at the token account of %q", Address(owner))
}

// createMint makes a mint of either program, the instructions before its initialisation included.
func (n *Node) createMint(ctx context.Context, program solana.PublicKey, size uint64, before []solana.Instruction,
	authority, mint ed25519.PrivateKey, decimals uint8,
) (settlement.Asset, error) {
	asset := settlement.Asset{Mint: Address(mint), Decimals: decimals}
	rent, err := n.client.GetMinimumBalanceForRentExemption(ctx, size, rpc.CommitmentProcessed)
	if err != nil {
		return settlement.Asset{}, n.wrap(err, "ask for the rent of a mint")
	}
	owner, key := public(authority), public(mint)
	all := append([]solana.Instruction{system.NewCreateAccountInstruction(rent, size, program, owner, key).Build()}, before...)
	all = append(all, of(program, token.NewInitializeMint2Instruction(decimals, owner, owner, key).Build()))
	return asset, n.wrap(n.send(ctx, []ed25519.PrivateKey{authority, mint}, all...), "create mint %q", asset.Mint)
}

// instruction is an instruction of the SPL Token program for whichever token program: their layouts are the same.
type instruction struct {
	solana.Instruction
	program solana.PublicKey
}

// ProgramID implements solana.Instruction.
func (i instruction) ProgramID() solana.PublicKey { return i.program }

func of(program solana.PublicKey, i solana.Instruction) solana.Instruction {
	return instruction{i, program}
}

func public(k ed25519.PrivateKey) solana.PublicKey { return solana.PrivateKey(k).PublicKey() }

// sendTo sends one instruction to a token program, paid by the key that signs it.
func (n *Node) sendTo(ctx context.Context, program solana.PublicKey, key ed25519.PrivateKey, i solana.Instruction) error {
	return n.send(ctx, []ed25519.PrivateKey{key}, of(program, i))
}
