package spl

import (
	"encoding/binary"
	"fmt"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
)

// Sizes and states of the token programs. Token-2022 puts extensions behind them.
const (
	holdingSize = 165
	mintSize    = 82
	stateFrozen = 2
)

// maxRemembered is how many token accounts' addresses are remembered: to find one takes 10 to 20 µs.
const maxRemembered = 1 << 17

// holding is a token account.
type holding struct {
	program     solana.PublicKey
	mint, owner solana.PublicKey
	units       uint64
	frozen      bool
	extensions  extensions
}

// mint is a mint.
type mint struct {
	program    solana.PublicKey // the token program that owns it
	supply     uint64
	decimals   uint8
	space      uint64 // bytes
	extensions extensions
}

// wallet is an owner of tokens of one mint, whose account is the associated one.
type wallet struct{ owner, mint, program solana.PublicKey }

func isTokenProgram(k solana.PublicKey) bool {
	return k == solana.TokenProgramID || k == solana.Token2022ProgramID
}

// readHolding reads a token account of either token program, and says whether it is one.
func readHolding(a *account) (holding, bool) {
	if a == nil || !isTokenProgram(a.Owner) {
		return holding{}, false
	}
	d := a.Data
	ext, ok := readExtensions(a, holdingSize, extensionsOfAccount)
	if !ok || d[108] == 0 || d[108] > stateFrozen {
		return holding{}, false
	}
	return holding{
		program:    a.Owner,
		mint:       solana.PublicKeyFromBytes(d[:32]),
		owner:      solana.PublicKeyFromBytes(d[32:64]),
		units:      binary.LittleEndian.Uint64(d[64:]),
		frozen:     d[108] == stateFrozen,
		extensions: ext,
	}, true
}

// readMint reads a mint of either token program, and says whether it is one.
func readMint(a *account) (mint, bool) {
	if a == nil || !isTokenProgram(a.Owner) {
		return mint{}, false
	}
	d := a.Data
	ext, ok := readExtensions(a, mintSize, extensionsOfMint)
	if !ok || d[45] == 0 {
		return mint{}, false
	}
	return mint{program: a.Owner, supply: binary.LittleEndian.Uint64(d[36:]), decimals: d[44], space: uint64(len(d)), extensions: ext}, true
}

// address returns the associated token account of a wallet.
func (c *Chain) address(w wallet) (solana.PublicKey, error) {
	c.mu.Lock()
	at, ok := c.addresses[w]
	c.mu.Unlock()
	if ok {
		return at, nil
	}
	at, _, err := solana.FindAssociatedTokenAddressWithProgram(w.owner, w.mint, w.program)
	if err != nil {
		return at, fmt.Errorf("spl: find the token account of %q: %w", w.owner, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.addresses) >= maxRemembered {
		clear(c.addresses)
	}
	c.addresses[w] = at
	return at, nil
}

func parseMint(a settlement.Asset) (solana.PublicKey, error) {
	k, err := solana.PublicKeyFromBase58(string(a.Mint))
	if err != nil {
		return k, fmt.Errorf("spl: mint %q: %w", a.Mint, err)
	}
	return k, nil
}

func parseOwner(a settlement.Account) (solana.PublicKey, error) {
	k, err := solana.PublicKeyFromBase58(string(a))
	if err != nil {
		return k, fmt.Errorf("spl: account %q: %w", a, err)
	}
	return k, nil
}

func text(k solana.PublicKey) settlement.Account { return settlement.Account(k.String()) }
