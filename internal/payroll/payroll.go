package payroll

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// Town is a chain with people on it.
type Town struct {
	Node      *svmtest.Node
	Chains    [2]*spl.Chain // its endpoints
	Token     settlement.Asset
	Vault     settlement.Account   // holds what Open was given, and pays the fees
	Suppliers []settlement.Account // with an empty token account each
	Emission  tokenomics.Amount    // of the epoch
	epoch     tokenomics.Epoch
}

var errFew = errors.New("payroll: fewer than 4 suppliers")

// Open starts a chain with two endpoints and makes the accounts; the vault holds the epoch's emission. What it has made is
// final.
func Open(ctx context.Context, suppliers int, epoch tokenomics.Epoch) (*Town, error) {
	if suppliers < 4 {
		return nil, errFew
	}
	node, err := svmtest.Start(ctx, svmtest.Config{Endpoints: 2})
	if err != nil {
		return nil, err
	}
	schedule, err := tokenomics.NewSchedule(tokenomics.IONet().Emission)
	if err != nil {
		return nil, errors.Join(err, node.Close())
	}
	t := &Town{Node: node, Vault: svmtest.Address(key("vault")), Emission: schedule.Emission(epoch), epoch: epoch}
	for i := range suppliers {
		t.Suppliers = append(t.Suppliers, svmtest.Address(key(supplier(i))))
	}
	if err := t.fill(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("payroll: %w", err), node.Close())
	}
	return t, nil
}

// Close ends the chain.
func (t *Town) Close() error { return t.Node.Close() }

func (t *Town) fill(ctx context.Context) error {
	for _, who := range []string{"vault", supplier(2), "authority"} {
		if err := t.Node.Airdrop(ctx, svmtest.Address(key(who)), 1_000_000_000_000); err != nil {
			return err
		}
	}
	var err error
	if t.Token, err = t.Node.CreateMint(ctx, key("authority"), key("mint"), tokenomics.AmountPlaces); err != nil {
		return err
	}
	if err := t.Node.CreateAccounts(ctx, t.Token, []settlement.Account{t.Vault}, uint64(t.Emission)); err != nil {
		return err
	}
	if err := t.Node.CreateAccounts(ctx, t.Token, t.Suppliers[1:], 0); err != nil { // the first one has none
		return err
	}
	if err := t.Node.Freeze(ctx, key("authority"), t.Token, t.Suppliers[1]); err != nil {
		return err
	}
	if err := t.Node.SetTokenOwner(ctx, key(supplier(2)), t.Token, svmtest.Address(key("stranger"))); err != nil {
		return err
	}
	if err := t.Node.Advance(ctx, svmtest.BlocksToFinal+1); err != nil {
		return err
	}
	return t.connect()
}

// connect makes the two endpoints, with the vault's key to sign with.
func (t *Town) connect() error {
	payer, err := spl.NewKey(key("vault"))
	if err != nil {
		return err
	}
	for i, url := range t.Node.URLs() {
		c, err := spl.New(spl.Config{URL: url, Name: fmt.Sprintf("endpoint %d", i+1), Payer: payer})
		if err != nil {
			return err
		}
		t.Chains[i] = c
	}
	return nil
}

// Decision is what the epoch owes: its emission, divided by the suppliers' scores, which are 1 to 100,000 and far from even, as
// those of real devices are.
func (t *Town) Decision() (settlement.Decided, error) {
	r := rand.New(rand.NewPCG(2024, 6)) //nolint:gosec // the same for everybody who runs it
	scores := make([]uint64, len(t.Suppliers))
	for i := range scores {
		x := 1 + r.Uint64N(1000)
		scores[i] = max(x*x/10, 1)
	}
	parts, err := tokenomics.Split(t.Emission, scores)
	if err != nil {
		return settlement.Decided{}, fmt.Errorf("payroll: %w", err)
	}
	out := settlement.Decided{Epoch: t.epoch}
	for i, to := range t.Suppliers {
		out.Intents = append(out.Intents, settlement.Intent{
			ID:   settlement.NewIntentID(settlement.Pay, "block reward", strconv.FormatUint(uint64(t.epoch), 10), string(to)),
			Kind: settlement.Pay, Asset: t.Token, From: t.Vault, To: to, Units: uint64(parts[i]),
		})
	}
	return out, nil
}

// Held is what all suppliers have in their token accounts together, in the newest block.
func (t *Town) Held(ctx context.Context) (tokenomics.Amount, error) {
	units, err := t.Node.Balances(ctx, t.Token, t.Suppliers)
	if err != nil {
		return 0, err
	}
	sum := tokenomics.Amount(0)
	for _, n := range units {
		if sum, err = sum.Add(tokenomics.Amount(n)); err != nil {
			return 0, err
		}
	}
	return sum, nil
}

// Round makes one round of a runner, and lets as many blocks pass as it takes to make what was sent final.
func (t *Town) Round(ctx context.Context, r *settlement.Runner, at time.Time) error {
	_, err := r.Step(ctx, at)
	return errors.Join(err, t.Node.Advance(ctx, svmtest.BlocksToFinal))
}

// Bar draws how much is done.
func Bar(w io.Writer, done, all int) {
	full := 40 * done / max(all, 1)
	_, _ = fmt.Fprintf(w, "\r[%s%s] %d of %d batches", strings.Repeat("#", full), strings.Repeat(".", 40-full), done, all) // for the eye only
	if done == all {
		_, _ = fmt.Fprintln(w)
	}
}

func supplier(i int) string { return fmt.Sprintf("supplier %d", i) }

func key(name string) ed25519.PrivateKey { return svmtest.Key("payroll/" + name) }
