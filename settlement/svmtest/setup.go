package svmtest

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"github.com/gagliardetto/solana-go"
	"github.com/gagliardetto/solana-go/programs/system"
	"github.com/gagliardetto/solana-go/rpc"

	"github.com/idlegrid/idlegrid/settlement"
)

const (
	nonceSize    = 80
	multisigSize = 355
	maxSigners   = 11
	balancesMax  = 5000 // addresses in one call
)

// TransferLamports moves lamports from the key's account to another.
func (n *Node) TransferLamports(ctx context.Context, from ed25519.PrivateKey, to settlement.Account, lamports uint64) error {
	k, err := solana.PublicKeyFromBase58(string(to))
	if err != nil {
		return fmt.Errorf("svmtest: address %q: %w", to, err)
	}
	err = n.send(ctx, []ed25519.PrivateKey{from}, system.NewTransferInstruction(lamports, public(from), k).Build())
	return n.wrap(err, "transfer %d lamports to %q", lamports, to)
}

// CreateNonce makes a nonce account at the address of a key and returns its first value. The authority advances it.
func (n *Node) CreateNonce(ctx context.Context, payer, nonce ed25519.PrivateKey, authority settlement.Account) (value string, err error) {
	owner, err := solana.PublicKeyFromBase58(string(authority))
	if err != nil {
		return "", fmt.Errorf("svmtest: address %q: %w", authority, err)
	}
	rent, err := n.client.GetMinimumBalanceForRentExemption(ctx, nonceSize, rpc.CommitmentProcessed)
	if err != nil {
		return "", n.wrap(err, "ask for the rent of a nonce account")
	}
	err = n.send(ctx, []ed25519.PrivateKey{payer, nonce},
		system.NewCreateAccountInstruction(rent, nonceSize, solana.SystemProgramID, public(payer), public(nonce)).Build(),
		system.NewInitializeNonceAccountInstruction(owner, public(nonce), solana.SysVarRecentBlockHashesPubkey, solana.SysVarRentPubkey).Build())
	if err != nil {
		return "", n.wrap(err, "create nonce account %q", Address(nonce))
	}
	return n.Nonce(ctx, Address(nonce))
}

// Nonce returns the value of a nonce account in the newest block: what a transaction carries in place of a blockhash.
func (n *Node) Nonce(ctx context.Context, account settlement.Account) (string, error) {
	a, found, err := n.AccountAt(ctx, account)
	if err != nil {
		return "", err
	}
	if !found || len(a.Data) != nonceSize {
		return "", fmt.Errorf("svmtest: nonce account %q: there is none", account)
	}
	return solana.HashFromBytes(a.Data[40:72]).String(), nil // after version, state and authority
}

// CreateMultisig makes an SPL multisig account at the address of a key: m of the signers, 1 to 11 of them.
func (n *Node) CreateMultisig(ctx context.Context, payer, multisig ed25519.PrivateKey, m uint8, signers ...settlement.Account) error {
	if len(signers) < 1 || len(signers) > maxSigners || m < 1 || int(m) > len(signers) {
		return fmt.Errorf("svmtest: multisig of %d of %d signers: want 1 to %d signers, and 1 to as many of them", m, len(signers), maxSigners)
	}
	metas := solana.AccountMetaSlice{solana.Meta(public(multisig)).WRITE()}
	for _, s := range signers {
		k, err := solana.PublicKeyFromBase58(string(s))
		if err != nil {
			return fmt.Errorf("svmtest: address %q: %w", s, err)
		}
		metas = append(metas, solana.Meta(k))
	}
	rent, err := n.client.GetMinimumBalanceForRentExemption(ctx, multisigSize, rpc.CommitmentProcessed)
	if err != nil {
		return n.wrap(err, "ask for the rent of a multisig account")
	}
	err = n.send(ctx, []ed25519.PrivateKey{payer, multisig},
		system.NewCreateAccountInstruction(rent, multisigSize, solana.TokenProgramID, public(payer), public(multisig)).Build(),
		solana.NewInstruction(solana.TokenProgramID, metas, []byte{19, m})) // InitializeMultisig2
	return n.wrap(err, "create multisig %q", Address(multisig))
}

// CreateAccounts makes associated token accounts for many owners at once, units in each, as SetAccount does: without
// transactions, over accounts that are there. The mint's supply grows by what they hold then. The asset is of the SPL
// Token program. An error may leave the first of them made.
func (n *Node) CreateAccounts(ctx context.Context, a settlement.Asset, owners []settlement.Account, units uint64) error {
	rent, err := n.client.GetMinimumBalanceForRentExemption(ctx, accountSize, rpc.CommitmentProcessed)
	if err != nil {
		return n.wrap(err, "ask for the rent of a token account")
	}
	mint, found, err := n.AccountAt(ctx, a.Mint)
	if err != nil {
		return err
	}
	if !found || len(mint.Data) != mintSize || mint.Owner != settlement.Account(solana.TokenProgramID.String()) {
		return fmt.Errorf("svmtest: create accounts: %q is no mint of the SPL Token program", a.Mint)
	}
	key, err := solana.PublicKeyFromBase58(string(a.Mint))
	if err != nil {
		return fmt.Errorf("svmtest: mint %q: %w", a.Mint, err)
	}
	supply := binary.LittleEndian.Uint64(mint.Data[supplyAt:])
	all := make(map[settlement.Account]Account, len(owners)+1)
	for _, owner := range owners {
		o, err := solana.PublicKeyFromBase58(string(owner))
		if err != nil {
			return fmt.Errorf("svmtest: address %q: %w", owner, err)
		}
		at, _, err := solana.FindAssociatedTokenAddress(o, key)
		if err != nil {
			return fmt.Errorf("svmtest: token account of %q: %w", owner, err)
		}
		address := settlement.Account(at.String())
		if _, twice := all[address]; twice {
			return fmt.Errorf("svmtest: create accounts: owner %q is there twice", owner)
		}
		if supply+units < supply {
			return fmt.Errorf("svmtest: create accounts: the supply would pass 2^64 - 1 units")
		}
		supply += units
		data := append(append(make([]byte, 0, accountSize), key[:]...), o[:]...)
		data = binary.LittleEndian.AppendUint64(data, units)[:accountSize]
		data[108] = 1 // initialised
		all[address] = Account{Lamports: rent, Owner: mint.Owner, Data: data}
	}
	binary.LittleEndian.PutUint64(mint.Data[supplyAt:], supply)
	all[a.Mint] = mint
	return n.SetAccounts(ctx, all)
}

// Balances returns what the owners' associated token accounts hold in the newest block, in base units, in the owners'
// order. Who has no account holds 0.
func (n *Node) Balances(ctx context.Context, a settlement.Asset, owners []settlement.Account) ([]uint64, error) {
	program, err := n.programOf(ctx, a.Mint)
	if err != nil {
		return nil, err
	}
	mint, err := solana.PublicKeyFromBase58(string(a.Mint))
	if err != nil {
		return nil, fmt.Errorf("svmtest: mint %q: %w", a.Mint, err)
	}
	out := make([]uint64, 0, len(owners))
	for len(owners) > 0 {
		part := owners[:min(balancesMax, len(owners))]
		owners = owners[len(part):]
		addresses := make([]string, len(part))
		for i, owner := range part {
			o, err := solana.PublicKeyFromBase58(string(owner))
			if err != nil {
				return nil, fmt.Errorf("svmtest: address %q: %w", owner, err)
			}
			at, _, err := solana.FindProgramAddress([][]byte{o[:], program[:], mint[:]}, solana.SPLAssociatedTokenAccountProgramID)
			if err != nil {
				return nil, fmt.Errorf("svmtest: token account of %q: %w", owner, err)
			}
			addresses[i] = at.String()
		}
		var text string // 8 bytes each, little endian
		if err := n.control(ctx, &text, fmt.Sprintf("read %d balances", len(part)), "svm_tokens", addresses); err != nil {
			return nil, err
		}
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(raw) != 8*len(part) {
			return nil, n.wrap(fmt.Errorf("%d bytes: %w", len(raw), err), "read %d balances", len(part))
		}
		for ; len(raw) > 0; raw = raw[8:] {
			out = append(out, binary.LittleEndian.Uint64(raw))
		}
	}
	return out, nil
}

// send signs with the keys, of which the first pays, executes, and adds a block, so that the same call may be made again.
func (n *Node) send(ctx context.Context, keys []ed25519.PrivateKey, instructions ...solana.Instruction) error {
	latest, err := n.client.GetLatestBlockhash(ctx, rpc.CommitmentProcessed)
	if err != nil {
		return fmt.Errorf("ask for a blockhash: %w", err)
	}
	tx, err := solana.NewTransaction(instructions, latest.Value.Blockhash, solana.TransactionPayer(public(keys[0])))
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
	// A preflight at the default level would not know the newest blockhash.
	opts := rpc.TransactionOpts{PreflightCommitment: rpc.CommitmentProcessed}
	if _, err := n.client.SendTransactionWithOpts(ctx, tx, opts); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return n.Advance(ctx, 1)
}
