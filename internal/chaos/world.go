package chaos

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// world is the chain of a history, with its token, its payer and its recipients.
type world struct {
	*svmtest.Node
	size     World
	to       []settlement.Account // all recipients
	asset    settlement.Asset
	program  settlement.Account // of the token
	boss     ed25519.PrivateKey // who mints and freezes
	payer    ed25519.PrivateKey
	marker   *spl.Chain // that knows where the payer's markers are
	stranger int        // counts strangers
	bad      map[int]string
	ever     map[int]bool    // lines that were bad at any time
	given    map[int]bool    // lines whose account had another owner at any time
	shut     bool            // the gate of version 1
	own      map[string]bool // transactions of the payer's that the harness has sent
}

const (
	rich  = 100_000_000_000 // lamports of the payer
	purse = 10_000_000      // lamports of a recipient who acts
	fee   = 5_000           // lamports of a signature

	splToken  = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA" //nolint:gosec // an address that everybody knows
	token2022 = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb" //nolint:gosec // an address that everybody knows
)

func newWorld(ctx context.Context, s Script) (*world, error) {
	node, err := svmtest.Start(ctx, svmtest.Config{Endpoints: endpoints})
	if err != nil {
		return nil, err
	}
	w := &world{
		Node: node, size: s.World, to: wallets(s.World), boss: svmtest.Key("chaos boss"), payer: svmtest.Key(keyName),
		bad: map[int]string{}, ever: map[int]bool{}, given: map[int]bool{}, own: map[string]bool{},
	}
	if err := w.furnish(ctx, s.Token2022); err != nil {
		_ = node.Close()
		return nil, fmt.Errorf("chaos: furnish the world: %w", err)
	}
	return w, nil
}

// furnish makes all accounts, finally: a fork must not take them away.
func (w *world) furnish(ctx context.Context, newer bool) (err error) {
	key, err := spl.NewKey(w.payer)
	if err != nil {
		return err
	}
	if w.marker, err = spl.New(spl.Config{URL: w.URL(), Payer: key}); err != nil {
		return err
	}
	mint := w.CreateMint
	if w.program = splToken; newer {
		w.program = token2022
		mint = func(ctx context.Context, boss, mint ed25519.PrivateKey, decimals uint8) (settlement.Asset, error) {
			return w.CreateMint2022(ctx, boss, mint, decimals, svmtest.Extensions{})
		}
	}
	accounts := func(ctx context.Context) error { return w.CreateAccounts(ctx, w.asset, w.to, 0) }
	if newer {
		accounts = w.createEach
	}
	payer, total := svmtest.Address(w.payer), uint64(0)
	for i := range s(w.size) {
		total += units(i)
	}
	for _, step := range []func() error{
		func() error { return w.Airdrop(ctx, svmtest.Address(w.boss), 1000*rich) },
		func() error { return w.TransferLamports(ctx, w.boss, payer, rich) }, // a transaction: the history begins with it
		func() error { w.asset, err = mint(ctx, w.boss, svmtest.Key("chaos mint"), 8); return err },
		func() error { return w.CreateAccount(ctx, w.boss, w.asset, payer) },
		func() error { return w.CreateAccount(ctx, w.boss, w.asset, svmtest.Address(w.boss)) },
		func() error { return accounts(ctx) },
		// Much more than is owed, so that what is paid too often is paid, and seen.
		func() error { return w.MintTo(ctx, w.boss, w.asset, payer, 10*total) },
		func() error { return w.Advance(ctx, svmtest.BlocksToFinal+1) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// createEach makes the recipients' accounts one by one.
func (w *world) createEach(ctx context.Context) error {
	for _, to := range w.to {
		if err := w.CreateAccount(ctx, w.boss, w.asset, to); err != nil {
			return err
		}
	}
	return nil
}

func s(w World) int { return w.Batches * w.Lines }

// spoil makes the account of a line unfit. It says whether it could.
func (w *world) spoil(ctx context.Context, how string, line int) (bool, error) {
	if line < 0 || line >= s(w.size) {
		return false, fmt.Errorf("line %d, want 0 to %d", line, s(w.size)-1)
	}
	if w.bad[line] != "" {
		return false, nil
	}
	key := svmtest.Key(recipient(line))
	owner := svmtest.Address(key)
	if how != "freeze" {
		if err := w.Airdrop(ctx, owner, purse); err != nil {
			return false, err
		}
	}
	var err error
	switch how {
	case "freeze":
		err = w.Freeze(ctx, w.boss, w.asset, owner)
	case "close":
		err = w.CloseAccount(ctx, key, w.asset)
	case "reown":
		err = w.SetTokenOwner(ctx, key, w.asset, svmtest.Address(w.boss))
	}
	if err != nil {
		return false, nil //nolint:nilerr // it is paid already, and cannot be closed
	}
	w.bad[line], w.ever[line] = how, true
	w.given[line] = w.given[line] || how == "reown"
	return true, nil
}

// heal makes all accounts fit again that were ever spoilt. It looks at what they are: a fork may have undone what was done to
// them, or have done it again.
func (w *world) heal(ctx context.Context) error {
	for line := range s(w.size) {
		if !w.ever[line] {
			continue
		}
		if err := w.mend(ctx, line); err != nil {
			return fmt.Errorf("heal line %d: %w", line, err)
		}
		delete(w.bad, line)
	}
	return nil
}

func (w *world) mend(ctx context.Context, line int) error {
	owner := svmtest.Address(svmtest.Key(recipient(line)))
	at, err := w.TokenAddress(ctx, w.asset, owner)
	if err != nil {
		return err
	}
	a, found, err := w.AccountAt(ctx, at)
	if err != nil {
		return err
	}
	if !found || len(a.Data) == 0 {
		return w.CreateAccount(ctx, w.boss, w.asset, owner)
	}
	// A token account: mint, owner, units, delegate (36), state. What is frozen cannot be given back.
	if a.Data[108] == 2 {
		if err := w.Thaw(ctx, w.boss, w.asset, owner); err != nil {
			return err
		}
	}
	if svmtest.AddressOf([32]byte(a.Data[32:64])) != owner {
		return w.giveBack(ctx, owner)
	}
	return nil
}

// giveBack makes the account that the boss owns now its first owner's again.
func (w *world) giveBack(ctx context.Context, owner settlement.Account) error {
	account, err := w.TokenAddress(ctx, w.asset, owner)
	if err != nil {
		return err
	}
	to, err := svmtest.BytesOf(owner)
	if err != nil {
		return err
	}
	data := append([]byte{6, 2, 1}, to[:]...) // SetAuthority, of the account, to somebody
	r, err := w.execute(ctx, w.boss, svmtest.Instruction{
		Program: w.program, Data: data,
		Accounts: []svmtest.AccountMeta{{Address: account, Writable: true}, {Address: svmtest.Address(w.boss), Signer: true}},
	})
	if err == nil && r.Err != "" {
		err = fmt.Errorf("the chain says %s", r.Err)
	}
	return err
}

// poison is a stranger who has found out where a marker will be.
func (w *world) poison(ctx context.Context, batch int) error {
	at, err := w.marker.MarkerAddress(ctx, settlement.MarkerID{Batch: settlement.BatchID{Epoch: epoch, Lane: uint32(batch)}})
	if err != nil {
		return err
	}
	w.stranger++
	key := svmtest.Key(fmt.Sprintf("stranger %d", w.stranger))
	if err := w.Airdrop(ctx, svmtest.Address(key), rich); err != nil {
		return err
	}
	return w.TransferLamports(ctx, key, at, 5_000_000)
}

// execute opens the gate of version 1 for a moment if it is shut: Execute needs it.
func (w *world) execute(ctx context.Context, key ed25519.PrivateKey, in svmtest.Instruction) (svmtest.Receipt, error) {
	if !w.shut {
		return w.Execute(ctx, []ed25519.PrivateKey{key}, in)
	}
	if err := w.SetV1(ctx, true); err != nil {
		return svmtest.Receipt{}, err
	}
	r, err := w.Execute(ctx, []ed25519.PrivateKey{key}, in)
	return r, errors.Join(err, w.SetV1(ctx, false))
}

// gate says whether transactions of version 1 are accepted.
func (w *world) gate(ctx context.Context, open bool) error {
	w.shut = !open
	return w.SetV1(ctx, open)
}

// drain leaves the payer without lamports, or gives it as many as it had at first. What it has is looked at: a fork may have
// undone a transfer, or done it again.
func (w *world) drain(ctx context.Context, on bool) error {
	payer, boss := svmtest.Address(w.payer), svmtest.Address(w.boss)
	a, _, err := w.AccountAt(ctx, payer)
	if err != nil {
		return err
	}
	if !on {
		if a.Lamports > rich/2 {
			return nil
		}
		return w.TransferLamports(ctx, w.boss, payer, rich)
	}
	if a.Lamports <= fee {
		return nil
	}
	data := binary.LittleEndian.AppendUint64([]byte{2, 0, 0, 0}, a.Lamports-fee) // Transfer
	return w.byPayer(ctx, svmtest.Instruction{Program: "11111111111111111111111111111111", Data: data, Accounts: []svmtest.AccountMeta{
		{Address: payer, Signer: true, Writable: true}, {Address: boss, Writable: true},
	}})
}

// short leaves the payer without tokens, or gives back what the boss has of them.
func (w *world) short(ctx context.Context, on bool) error {
	payer, boss := svmtest.Address(w.payer), svmtest.Address(w.boss)
	giver := payer
	if !on {
		giver = boss
	}
	held, err := w.Balance(ctx, w.asset, giver)
	if err != nil || held == 0 {
		return err
	}
	if !on {
		return w.Transfer(ctx, w.boss, w.asset, payer, held)
	}
	from, err := w.TokenAddress(ctx, w.asset, payer)
	if err != nil {
		return err
	}
	to, err := w.TokenAddress(ctx, w.asset, boss)
	if err != nil {
		return err
	}
	return w.byPayer(ctx, svmtest.Instruction{Program: w.program, Data: binary.LittleEndian.AppendUint64([]byte{3}, held), Accounts: []svmtest.AccountMeta{
		{Address: from, Writable: true}, {Address: to, Writable: true}, {Address: payer, Signer: true},
	}})
}

// byPayer is a transaction of the payer's that no journal knows of.
func (w *world) byPayer(ctx context.Context, in svmtest.Instruction) error {
	r, err := w.execute(ctx, w.payer, in)
	w.own[r.Signature] = true
	return err
}

// sums compares what recipients have with what they are owed.
func (w *world) sums(ctx context.Context) (over, under uint64, err error) {
	held, err := w.Balances(ctx, w.asset, w.to)
	if err != nil {
		return 0, 0, err
	}
	for i, h := range held {
		if due := units(i); h > due {
			over += h - due
		} else {
			under += due - h
		}
	}
	return over, under, nil
}
