// Command payout pays an hour's emission to 10,003 suppliers on the real Solana runtime on this machine: each exactly once,
// through a death on the way, with its cost in lamports, and with the proof of the sums from the chain alone.
//
// It needs Node.js 20. Progress goes to standard error, the story to standard output.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/idlegrid/idlegrid/internal/payroll"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/wal"
	"github.com/idlegrid/idlegrid/tokenomics"
)

const epoch = 105 // 2024-06-20T00:00Z

func main() {
	dir, err := os.MkdirTemp("", "payout")
	if err == nil {
		err = errors.Join(run(context.Background(), os.Stdout, os.Stderr, dir, 10_003), os.RemoveAll(dir))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "payout:", err)
		os.Exit(1)
	}
}

// open starts a process that pays: with a journal in a file, and a runner over two endpoints, of which neither is believed alone.
func open(town *payroll.Town, path string) (*settlement.Runner, *settlement.Journal, *wal.Log, error) {
	rules := settlement.IONet()
	rules.Assets, rules.MaxLines = []settlement.Asset{town.Token}, 59 // who pays the fees owns the money: 59, not 58
	log, err := wal.Open(path)
	if err != nil {
		return nil, nil, nil, err
	}
	recorder, err := settlement.NewRecorder(rules, log)
	if err != nil {
		return nil, nil, nil, err
	}
	j := recorder.Journal()
	return &settlement.Runner{
		Chains: []settlement.Chain{town.Chains[0], town.Chains[1]}, Quorum: 2, Open: j.Open, Apply: recorder.Apply, Reclaimable: j.Reclaimable,
	}, j, log, nil
}

func run(ctx context.Context, out, progress io.Writer, dir string, suppliers int) error {
	town, err := payroll.Open(ctx, suppliers, epoch)
	if err != nil {
		return err
	}
	defer town.Close() //nolint:errcheck // the story is over
	say := func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }
	say("Epoch %d emitted %s IO, which %d suppliers share by their scores.", epoch, town.Emission, suppliers)
	owed, err := town.Decision()
	if err != nil {
		return err
	}
	runner, journal, log, err := open(town, filepath.Join(dir, "journal"))
	if err != nil {
		return err
	}
	at := tokenomics.IONet().Calendar.StartOf(epoch + 1)
	if _, err := runner.Apply(at, owed); err != nil {
		return err
	}
	all := len(journal.Open())
	say("They are planned as %d batches: each will be one transaction, and its marker account lets it land once only.", all)
	_, err = runner.Step(ctx, at)
	say("Whatever could be signed is recorded and sent. Now the process dies. Another one opens the journal and goes on.")
	if err = errors.Join(err, log.Close()); err != nil {
		return err
	}
	if runner, journal, log, err = open(town, filepath.Join(dir, "journal")); err != nil {
		return err
	}
	for open := all; open > 0; open = len(journal.Open()) {
		payroll.Bar(progress, all-open, all)
		if err := town.Round(ctx, runner, at); err != nil {
			return err
		}
	}
	payroll.Bar(progress, all, all)
	for p := range journal.Payments() {
		if p.State == settlement.StateRefused {
			say("  refused: %s IO: %s", tokenomics.Amount(p.Intent.Units), p.Reason)
		}
	}
	say("Seven hours later nothing that was sent can land any more, and the rent of the markers is taken back.")
	for at = at.Add(7 * time.Hour); len(journal.Reclaimable(at, ^uint64(0))) > 0; {
		if err := town.Round(ctx, runner, at); err != nil {
			return err
		}
	}
	return errors.Join(prove(ctx, town, journal, say), log.Close())
}

// prove asks the chain alone what was paid, and holds the journal against it.
func prove(ctx context.Context, town *payroll.Town, j *settlement.Journal, say func(string, ...any)) error {
	r, err := settlement.Reconcile(ctx, j, town.Chains[0])
	if err != nil {
		return err
	}
	paid, b := uint64(r.Lines), r.Books[0]
	say("\nThe chain says: %d payments in %d transactions, %d more to take rent back, %d failed.", paid, r.Batches, r.Transactions-r.Batches-r.Failed, r.Failed)
	say("  %d lamports of fees, %d.%02d a payment; %d of rent put into markers, %d taken back", r.Fees, r.Fees/paid, r.Fees*100/paid%100, r.RentIn, r.RentOut)
	say("  %s IO decided = %s moved + %s refused", tokenomics.Amount(b.Decided), tokenomics.Amount(b.Moved), tokenomics.Amount(b.Refused))
	held, err := town.Held(ctx)
	say("  the suppliers' balances sum to %s IO; differences between chain and journal: %d", held, len(r.Differences))
	if held != tokenomics.Amount(b.Moved) || len(r.Differences) > 0 {
		return errors.Join(err, fmt.Errorf("the books are wrong: %+v", r.Differences))
	}
	return err
}
