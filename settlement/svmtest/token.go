package svmtest

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"

	"github.com/gagliardetto/solana-go"
	ata "github.com/gagliardetto/solana-go/programs/associated-token-account"
	"github.com/gagliardetto/solana-go/programs/system"
	"github.com/gagliardetto/solana-go/programs/token"
	"github.com/gagliardetto/solana-go/rpc"

	"github.com/idlegrid/idlegrid/settlement"
)

const mintSize = 82 // bytes of a mint of the SPL Token program

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
	asset := settlement.Asset{Mint: Address(mint), Decimals: decimals}
	rent, err := n.client.GetMinimumBalanceForRentExemption(ctx, mintSize, rpc.CommitmentProcessed)
	if err != nil {
		return settlement.Asset{}, n.wrap(err, "ask for the rent of a mint")
	}
	owner, key := solana.PrivateKey(authority).PublicKey(), solana.PrivateKey(mint).PublicKey()
	err = n.send(ctx, []ed25519.PrivateKey{authority, mint},
		system.NewCreateAccountInstruction(rent, mintSize, solana.TokenProgramID, owner, key).Build(),
		token.NewInitializeMint2Instruction(decimals, owner, owner, key).Build())
	return asset, n.wrap(err, "create mint %q", asset.Mint)
}

// CreateAccount makes the owner's associated token account for the asset, if there is none.
func (n *Node) CreateAccount(ctx context.Context, payer ed25519.PrivateKey, a settlement.Asset, owner settlement.Account) error {
	at, err := locate(a, owner)
	if err != nil {
		return err
	}
	err = n.send(ctx, []ed25519.PrivateKey{payer},
		ata.NewCreateIdempotentInstruction(solana.PrivateKey(payer).PublicKey(), at.owner, at.mint).Build())
	return n.wrap(err, "create the token account of %q", owner)
}

// MintTo makes units of the asset for an owner who has a token account for it.
func (n *Node) MintTo(ctx context.Context, authority ed25519.PrivateKey, a settlement.Asset, owner settlement.Account, units uint64) error {
	at, err := locate(a, owner)
	if err != nil {
		return err
	}
	err = n.send(ctx, []ed25519.PrivateKey{authority},
		token.NewMintToCheckedInstruction(units, a.Decimals, at.mint, at.account, solana.PrivateKey(authority).PublicKey(), nil).Build())
	return n.wrap(err, "mint %d units to %q", units, owner)
}

// Freeze makes the owner's token account unable to send and to receive.
func (n *Node) Freeze(ctx context.Context, authority ed25519.PrivateKey, a settlement.Asset, owner settlement.Account) error {
	at, err := locate(a, owner)
	if err != nil {
		return err
	}
	err = n.send(ctx, []ed25519.PrivateKey{authority},
		token.NewFreezeAccountInstruction(at.account, at.mint, solana.PrivateKey(authority).PublicKey(), nil).Build())
	return n.wrap(err, "freeze the token account of %q", owner)
}

// RevokeMintAuthority gives up the right to mint, for ever.
func (n *Node) RevokeMintAuthority(ctx context.Context, authority ed25519.PrivateKey, a settlement.Asset) error {
	at, err := locate(a, a.Mint)
	if err != nil {
		return err
	}
	data := []byte{6, 0, 0} // SetAuthority, of minting, to nobody
	err = n.send(ctx, []ed25519.PrivateKey{authority}, solana.NewInstruction(solana.TokenProgramID, solana.AccountMetaSlice{
		solana.Meta(at.mint).WRITE(), solana.Meta(solana.PrivateKey(authority).PublicKey()).SIGNER(),
	}, data))
	return n.wrap(err, "revoke the authority to mint %q", a.Mint)
}

// Balance returns what the owner's associated token account holds in the newest block, in base units.
func (n *Node) Balance(ctx context.Context, a settlement.Asset, owner settlement.Account) (uint64, error) {
	at, err := locate(a, owner)
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

// place is where an owner's tokens of one mint are.
type place struct{ owner, mint, account solana.PublicKey }

func locate(a settlement.Asset, owner settlement.Account) (place, error) {
	var p place
	var err error
	if p.owner, err = solana.PublicKeyFromBase58(string(owner)); err != nil {
		return p, fmt.Errorf("svmtest: address %q: %w", owner, err)
	}
	if p.mint, err = solana.PublicKeyFromBase58(string(a.Mint)); err != nil {
		return p, fmt.Errorf("svmtest: mint %q: %w", a.Mint, err)
	}
	if p.account, _, err = solana.FindAssociatedTokenAddress(p.owner, p.mint); err != nil {
		return p, fmt.Errorf("svmtest: token account of %q: %w", owner, err)
	}
	return p, nil
}

// send signs with the keys, of which the first pays, executes, and adds a block, so that the same call may be made again.
func (n *Node) send(ctx context.Context, keys []ed25519.PrivateKey, instructions ...solana.Instruction) error {
	latest, err := n.client.GetLatestBlockhash(ctx, rpc.CommitmentProcessed)
	if err != nil {
		return fmt.Errorf("ask for a blockhash: %w", err)
	}
	payer := solana.PrivateKey(keys[0]).PublicKey()
	tx, err := solana.NewTransaction(instructions, latest.Value.Blockhash, solana.TransactionPayer(payer))
	if err != nil {
		return fmt.Errorf("build: %w", err)
	}
	_, err = tx.Sign(func(k solana.PublicKey) *solana.PrivateKey {
		for _, own := range keys {
			if p := solana.PrivateKey(own); p.PublicKey() == k {
				return &p
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	if _, err := n.client.SendTransaction(ctx, tx); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return n.Advance(ctx, 1)
}
