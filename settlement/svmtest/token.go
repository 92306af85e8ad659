package svmtest

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/gagliardetto/solana-go"
	ata "github.com/gagliardetto/solana-go/programs/associated-token-account"
	"github.com/gagliardetto/solana-go/programs/token"
	"github.com/gagliardetto/solana-go/rpc"

	"github.com/idlegrid/idlegrid/settlement"
)

const (
	mintSize    = 82  // bytes of a mint of the SPL Token program
	accountSize = 165 // bytes of a token account of the SPL Token program
	supplyAt    = 36  // where a mint has its supply
	unitsAt     = 64  // where a token account has its units
)

// Key returns the key that belongs to a name. It is for tests: whoever knows the name knows the key.
func Key(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("idlegrid/svmtest/key/v1 " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// Address returns the wallet address of a key, in base58.
func Address(key ed25519.PrivateKey) settlement.Account {
	return settlement.Account(solana.PrivateKey(key).PublicKey().String())
}

// Airdrop gives lamports out of nothing.
func (n *Node) Airdrop(ctx context.Context, to settlement.Account, lamports uint64) error {
	k, err := solana.PublicKeyFromBase58(string(to))
	if err != nil {
		return fmt.Errorf("svmtest: airdrop: address %q: %w", to, err)
	}
	_, err = n.client.RequestAirdrop(ctx, k, lamports, rpc.CommitmentProcessed)
	return n.wrap(err, "airdrop to %q", to)
}

// CreateMint makes a token of the SPL Token program. The authority pays, and may mint and freeze.
func (n *Node) CreateMint(ctx context.Context, authority, mint ed25519.PrivateKey, decimals uint8) (settlement.Asset, error) {
	return n.createMint(ctx, solana.TokenProgramID, mintSize, nil, authority, mint, decimals)
}

// CreateAccount makes the owner's associated token account for the asset, if there is none.
func (n *Node) CreateAccount(ctx context.Context, payer ed25519.PrivateKey, a settlement.Asset, owner settlement.Account) error {
	at, err := n.locate(ctx, a, owner)
	if err != nil {
		return err
	}
	in := ata.NewCreateIdempotentInstruction(public(payer), at.owner, at.mint)
	in.SetTokenProgram(at.program)
	return n.wrap(n.send(ctx, []ed25519.PrivateKey{payer}, in.Build()), "create the token account of %q", owner)
}

// MintTo makes units of the asset for an owner who has a token account for it.
func (n *Node) MintTo(ctx context.Context, authority ed25519.PrivateKey, a settlement.Asset, owner settlement.Account, units uint64) error {
	at, err := n.locate(ctx, a, owner)
	if err != nil {
		return err
	}
	err = n.sendTo(ctx, at.program, authority,
		token.NewMintToCheckedInstruction(units, a.Decimals, at.mint, at.account, public(authority), nil).Build())
	return n.wrap(err, "mint %d units to %q", units, owner)
}

// Transfer moves units from the associated token account of the key to that of another owner, as TransferChecked does.
func (n *Node) Transfer(ctx context.Context, from ed25519.PrivateKey, a settlement.Asset, to settlement.Account, units uint64) error {
	source, err := n.locate(ctx, a, Address(from))
	if err != nil {
		return err
	}
	at, err := n.locate(ctx, a, to)
	if err != nil {
		return err
	}
	err = n.sendTo(ctx, at.program, from,
		token.NewTransferCheckedInstruction(units, a.Decimals, source.account, at.mint, at.account, public(from), nil).Build())
	return n.wrap(err, "transfer %d units to %q", units, to)
}

// Freeze makes the owner's token account unable to send and to receive.
func (n *Node) Freeze(ctx context.Context, authority ed25519.PrivateKey, a settlement.Asset, owner settlement.Account) error {
	at, err := n.locate(ctx, a, owner)
	if err != nil {
		return err
	}
	err = n.sendTo(ctx, at.program, authority, token.NewFreezeAccountInstruction(at.account, at.mint, public(authority), nil).Build())
	return n.wrap(err, "freeze the token account of %q", owner)
}

// Thaw undoes Freeze.
func (n *Node) Thaw(ctx context.Context, authority ed25519.PrivateKey, a settlement.Asset, owner settlement.Account) error {
	at, err := n.locate(ctx, a, owner)
	if err != nil {
		return err
	}
	err = n.sendTo(ctx, at.program, authority, token.NewThawAccountInstruction(at.account, at.mint, public(authority), nil).Build())
	return n.wrap(err, "thaw the token account of %q", owner)
}

// CloseAccount closes the associated token account of the key, which must hold 0 units. The key gets its lamports.
func (n *Node) CloseAccount(ctx context.Context, owner ed25519.PrivateKey, a settlement.Asset) error {
	at, err := n.locate(ctx, a, Address(owner))
	if err != nil {
		return err
	}
	err = n.sendTo(ctx, at.program, owner, token.NewCloseAccountInstruction(at.account, at.owner, at.owner, nil).Build())
	return n.wrap(err, "close the token account of %q", Address(owner))
}

// SetTokenOwner gives the associated token account of the key to another owner. Its address stays.
func (n *Node) SetTokenOwner(ctx context.Context, owner ed25519.PrivateKey, a settlement.Asset, to settlement.Account) error {
	at, err := n.locate(ctx, a, Address(owner))
	if err != nil {
		return err
	}
	other, err := solana.PublicKeyFromBase58(string(to))
	if err != nil {
		return fmt.Errorf("svmtest: address %q: %w", to, err)
	}
	err = n.sendTo(ctx, at.program, owner,
		token.NewSetAuthorityInstruction(token.AuthorityAccountOwner, other, at.account, at.owner, nil).Build())
	return n.wrap(err, "give the token account of %q to %q", Address(owner), to)
}

// RevokeMintAuthority gives up the right to mint, for ever.
func (n *Node) RevokeMintAuthority(ctx context.Context, authority ed25519.PrivateKey, a settlement.Asset) error {
	at, err := n.locate(ctx, a, a.Mint)
	if err != nil {
		return err
	}
	data := []byte{6, 0, 0} // SetAuthority, of minting, to nobody
	err = n.send(ctx, []ed25519.PrivateKey{authority}, solana.NewInstruction(at.program, solana.AccountMetaSlice{
		solana.Meta(at.mint).WRITE(), solana.Meta(public(authority)).SIGNER(),
	}, data))
	return n.wrap(err, "revoke the authority to mint %q", a.Mint)
}

// TokenAddress returns the address of the owner's associated token account for the asset, whether or not there is one.
func (n *Node) TokenAddress(ctx context.Context, a settlement.Asset, owner settlement.Account) (settlement.Account, error) {
	at, err := n.locate(ctx, a, owner)
	return settlement.Account(at.account.String()), err
}

// Balance returns what the owner's associated token account holds in the newest block, in base units.
func (n *Node) Balance(ctx context.Context, a settlement.Asset, owner settlement.Account) (uint64, error) {
	at, err := n.locate(ctx, a, owner)
	if err != nil {
		return 0, err
	}
	r, err := n.client.GetTokenAccountBalance(ctx, at.account, rpc.CommitmentProcessed)
	if err != nil {
		return 0, n.wrap(err, "read the balance of %q", owner)
	}
	var units uint64
	if _, err := fmt.Sscan(r.Value.Amount, &units); err != nil {
		return 0, n.wrap(err, "read the balance of %q: %q", owner, r.Value.Amount)
	}
	return units, nil
}

// Supply returns how many base units of the asset there are in the newest block.
func (n *Node) Supply(ctx context.Context, a settlement.Asset) (uint64, error) {
	mint, found, err := n.AccountAt(ctx, a.Mint)
	if err != nil {
		return 0, err
	}
	if !found || len(mint.Data) < mintSize {
		return 0, fmt.Errorf("svmtest: mint %q: there is none", a.Mint)
	}
	return binary.LittleEndian.Uint64(mint.Data[supplyAt:]), nil
}

// place is where an owner's tokens of one mint are.
type place struct{ owner, mint, account, program solana.PublicKey }

// locate finds the owner's associated token account. Its address depends on the mint's token program.
func (n *Node) locate(ctx context.Context, a settlement.Asset, owner settlement.Account) (place, error) {
	var p place
	var err error
	if p.owner, err = solana.PublicKeyFromBase58(string(owner)); err != nil {
		return p, fmt.Errorf("svmtest: address %q: %w", owner, err)
	}
	if p.mint, err = solana.PublicKeyFromBase58(string(a.Mint)); err != nil {
		return p, fmt.Errorf("svmtest: mint %q: %w", a.Mint, err)
	}
	if p.program, err = n.programOf(ctx, a.Mint); err != nil {
		return p, err
	}
	seeds := [][]byte{p.owner[:], p.program[:], p.mint[:]}
	if p.account, _, err = solana.FindProgramAddress(seeds, solana.SPLAssociatedTokenAccountProgramID); err != nil {
		return p, fmt.Errorf("svmtest: token account of %q: %w", owner, err)
	}
	return p, nil
}

// programOf asks which token program owns a mint. It is not remembered: a fork may take a mint away.
func (n *Node) programOf(ctx context.Context, mint settlement.Account) (solana.PublicKey, error) {
	m, found, err := n.AccountAt(ctx, mint)
	if err != nil {
		return solana.PublicKey{}, err
	}
	if found && m.Owner == settlement.Account(solana.Token2022ProgramID.String()) {
		return solana.Token2022ProgramID, nil
	}
	return solana.TokenProgramID, nil
}
