package svmtest

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"

	"github.com/idlegrid/idlegrid/settlement"
)

const maxAccountsPerCall = 1000 // so that a call stays far below the megabyte that the child reads

// Account is what a Solana account is.
type Account struct {
	Lamports   uint64             // up to 2^53 - 1, as far as the RPC's numbers go
	Owner      settlement.Account // the program; empty: the System Program
	Data       []byte             // up to 10 MiB
	Executable bool               // a program; see AddProgram for one that can be run
}

// Stats are counts since Start.
type Stats struct {
	Height       uint64            // of the newest block
	FinalHeight  uint64            // of the newest final block
	Slot         uint64            // of the newest block
	Transactions uint64            // executed in blocks, failed ones and those of dropped blocks included
	Failed       uint64            // of these
	Forks        uint64            // switches of fork
	InFlight     uint64            // transactions that will be tried in a later block
	Remembered   uint64            // transactions in memory
	Calls        map[string]uint64 // to the endpoints, by method
	Faults       map[Action]uint64 // done, by kind
}

// Advance adds blocks to the chain, 0 to 1,000,000.
func (n *Node) Advance(ctx context.Context, blocks int) error {
	var slot uint64
	return n.control(ctx, &slot, fmt.Sprintf("advance by %d blocks", blocks), "svm_advance", blocks)
}

// Fork switches to another fork: the newest depth blocks are dropped, of which a final one never is, and a new block takes
// the place of the first of them. What was in the dropped ones is gone: accounts, statuses, blockhashes. Their slots are
// skipped, not used again. It returns the signatures of the dropped transactions. These are tried again replay blocks
// after the new block, in their order, and never if replay is negative.
func (n *Node) Fork(ctx context.Context, depth, replay int) (dropped []string, err error) {
	err = n.control(ctx, &dropped, fmt.Sprintf("fork %d blocks back", depth), "svm_fork", depth, replay)
	return dropped, err
}

// Stall makes finality stand still while blocks go on. When it ends, the next block brings finality to where it belongs.
func (n *Node) Stall(ctx context.Context, on bool) error {
	return n.control(ctx, nil, "stall finality", "svm_stall", on)
}

// SetRent changes the rent, which is asked from the next call on. Accounts that exist keep what they have.
func (n *Node) SetRent(ctx context.Context, lamportsPerByte uint64) error {
	return n.control(ctx, nil, fmt.Sprintf("set the rent to %d lamports per byte", lamportsPerByte), "svm_setRent", lamportsPerByte)
}

// SetV1 says whether transactions of version 1 are accepted, as the feature gate of SIMD-0385 does. At Start they are.
func (n *Node) SetV1(ctx context.Context, accepted bool) error {
	return n.control(ctx, nil, "set the gate of version 1", "svm_setV1", accepted)
}

// SetAccount puts an account into the newest block, over one that may be there. An account without lamports is none.
func (n *Node) SetAccount(ctx context.Context, address settlement.Account, a Account) error {
	return n.SetAccounts(ctx, map[settlement.Account]Account{address: a})
}

// SetAccounts is SetAccount for many, in the order of their addresses. An error may leave the first of them set.
func (n *Node) SetAccounts(ctx context.Context, accounts map[settlement.Account]Account) error {
	for part := range slices.Chunk(slices.Sorted(maps.Keys(accounts)), maxAccountsPerCall) {
		list := make([]wireAccount, len(part))
		for i, address := range part {
			a := accounts[address]
			if a.Lamports > maxJSON {
				return fmt.Errorf("svmtest: set account %q: Lamports is %d, the limit is %d", address, a.Lamports, uint64(maxJSON))
			}
			list[i] = wireAccount{address, a.Lamports, a.Owner, base64.StdEncoding.EncodeToString(a.Data), a.Executable}
		}
		if err := n.control(ctx, nil, fmt.Sprintf("set %d accounts", len(part)), "svm_setAccounts", list); err != nil {
			return err
		}
	}
	return nil
}

// AccountAt returns the account at an address as of the newest block, and whether there is one.
func (n *Node) AccountAt(ctx context.Context, address settlement.Account) (Account, bool, error) {
	var w *wireAccount
	if err := n.control(ctx, &w, fmt.Sprintf("read account %q", address), "svm_account", address); err != nil || w == nil {
		return Account{}, false, err
	}
	data, err := base64.StdEncoding.DecodeString(w.Data)
	if err != nil {
		return Account{}, false, n.wrap(err, "read account %q", address)
	}
	return Account{w.Lamports, w.Owner, data, w.Executable}, true, nil
}

// AddProgram puts a program into the chain, an ELF file for SBF. It is there at once and at every level, and stays at forks.
func (n *Node) AddProgram(ctx context.Context, address settlement.Account, elf []byte) error {
	return n.control(ctx, nil, fmt.Sprintf("add program %q", address), "svm_addProgram", address, base64.StdEncoding.EncodeToString(elf))
}

// Stats returns the counts.
func (n *Node) Stats(ctx context.Context) (Stats, error) {
	var s Stats
	err := n.control(ctx, &s, "read the counts", "svm_stats")
	return s, err
}

const maxJSON = 1<<53 - 1 // the largest number that JSON carries between all programs

// wireAccount is an account as the child's control methods have it.
type wireAccount struct {
	Address    settlement.Account `json:"address"`
	Lamports   uint64             `json:"lamports"`
	Owner      settlement.Account `json:"owner"`
	Data       string             `json:"data"` // base64
	Executable bool               `json:"executable"`
}

// control calls a method that no cluster has. The result goes into out, if that is not nil.
func (n *Node) control(ctx context.Context, out any, what, method string, params ...any) error {
	var ignored any
	if out == nil {
		out = &ignored
	}
	return n.wrap(n.client.RPCCallForInto(ctx, out, method, params), "%s", what)
}
