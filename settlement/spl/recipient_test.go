package spl_test

import (
	"fmt"
	"testing"

	"github.com/gagliardetto/solana-go"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// TestRecipientsUnfit has every kind of recipient that cannot be paid in one batch, and says of each why.
func TestRecipientsUnfit(t *testing.T) {
	b := newBench(t)
	vault := b.open(b.token, "vault", 1000)
	ann := b.open(b.token, "ann", 0)
	nobody := svmtest.Address(svmtest.Key("nobody"))
	frozen := b.open(b.token, "frozen", 0)
	require.NoError(t, b.Freeze(t.Context(), b.boss, b.token, frozen))
	sold := b.open(b.token, "sold", 0)
	b.reown(b.token, "sold", "buyer")
	// A wallet whose key holds a token account itself, with an account of its own for the token besides.
	odd := svmtest.Address(svmtest.Key("odd"))
	require.NoError(t, b.CreateAccount(t.Context(), b.boss, b.token, odd))
	b.holding("odd", b.token, "ann")
	annsAccount := settlement.Account(ata(t, b.token, ann, solana.TokenProgramID).String())
	program := settlement.Account(solana.MemoProgramID.String())
	c := b.chain(spl.Config{}, "vault")

	got := faults(t, c, batch(0, b.token, vault, ann, nobody, frozen, sold, odd, annsAccount, program, "not base58 0OIl", vault))
	want := []string{
		1: fmt.Sprintf(`recipient %q: has no token account for mint %q: one must be created first`, nobody, b.token.Mint),
		2: fmt.Sprintf(`recipient %q: its token account for mint %q is frozen`, frozen, b.token.Mint),
		3: fmt.Sprintf(`recipient %q: its token account for mint %q now belongs to %q`, sold, b.token.Mint, svmtest.Address(svmtest.Key("buyer"))),
		4: fmt.Sprintf(`recipient %q: is itself an account of a token program, not a wallet`, odd),
		5: fmt.Sprintf(`recipient %q has no key: it is not on the curve, and not allowed for by OffCurve`, annsAccount),
		6: fmt.Sprintf(`recipient %q: is a program, not a wallet`, program),
		7: `recipient "not base58 0OIl" is no Solana address`,
		8: fmt.Sprintf(`recipient %q is the sender`, vault),
	}
	require.Len(t, got, len(want)-1)
	for i, f := range got {
		require.Equal(t, settlement.Fault{Line: i + 1, Reason: want[i+1]}, f)
	}

	// The same batch without them is paid.
	_, res := b.pay(c, batch(0, b.token, vault, ann))
	require.Equal(t, settlement.Succeeded, res.Sight)
}

// holding makes a token account at the key of a name, which is no associated account.
func (b *bench) holding(name string, a settlement.Asset, owner string) {
	b.Helper()
	k, o := keyOf(name), keyOf(owner)
	b.do([]string{"boss", name},
		b.create(k, 165, solana.TokenProgramID),
		spl.Instruction{
			Program:  solana.TokenProgramID,
			Accounts: []spl.Meta{{Key: k, Writable: true}, {Key: solana.MustPublicKeyFromBase58(string(a.Mint))}},
			Data:     append([]byte{18}, o[:]...),
		})
}

// TestOffCurve pays an address without a key, because it is allowed for.
func TestOffCurve(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1000)
	pda, _, err := solana.FindProgramAddress([][]byte{[]byte("treasury")}, solana.MemoProgramID)
	require.NoError(t, err)
	to := settlement.Account(pda.String())
	require.NoError(t, b.CreateAccount(t.Context(), b.boss, b.token, to))
	c := b.chain(spl.Config{OffCurve: []settlement.Account{to}})
	_, res := b.pay(c, batch(0, b.token, own, to))
	require.Equal(t, settlement.Succeeded, res.Sight)
	b.holds(c, b.token, to, 1)
}

// TestRecipientChanges lets recipients become unfit between signing and landing: the failure names the line, in every format
// and whatever instructions stand in front.
func TestRecipientChanges(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(b *bench, bob settlement.Account)
		undo   func(b *bench)
		want   string
	}{
		{"frozen", func(b *bench, bob settlement.Account) {
			require.NoError(b, b.Freeze(b.Context(), b.boss, b.token, bob))
		}, nil, "is frozen ("},
		{"closed", func(b *bench, _ settlement.Account) { b.shut(b.token, "bob") }, nil, "has no token account for mint"},
		{
			"frozen, then thawed", func(b *bench, bob settlement.Account) {
				require.NoError(b, b.Freeze(b.Context(), b.boss, b.token, bob))
			},
			func(b *bench) { b.thaw(b.token, "bob") }, "was frozen when the payment landed (",
		},
		{
			"closed, then made again", func(b *bench, _ settlement.Account) { b.shut(b.token, "bob") },
			func(b *bench) { b.open(b.token, "bob", 0) }, "was missing or no token account when the payment landed (",
		},
	} {
		for _, format := range []spl.Format{spl.V1, spl.V0, spl.Legacy} {
			t.Run(fmt.Sprint(row.name, " ", format), func(t *testing.T) {
				b := newBench(t)
				vault := b.open(b.token, "vault", 1000)
				ann, bob, cat := b.open(b.token, "ann", 0), b.open(b.token, "bob", 0), b.open(b.token, "cat", 0)
				c := b.chain(spl.Config{Format: format, Memo: true, PriorityFee: 100}, "vault")
				p := batch(1, b.token, vault, ann, bob, cat)
				tx, err := prepare(t, c, p)
				require.NoError(t, err)
				row.change(b, bob)
				send(t, c, tx)
				if row.undo != nil {
					row.undo(b)
				}
				b.blocks(svmtest.BlocksToFinal)
				res := look(t, c, p, tx)
				require.Equal(t, settlement.Reverted, res.Sight)
				require.False(t, res.Failure.Marker)
				require.Len(t, res.Failure.Faults, 1, "%+v", res.Failure)
				require.Equal(t, 1, res.Failure.Faults[0].Line)
				require.Contains(t, res.Failure.Faults[0].Reason, row.want)
				b.holds(c, b.token, ann, 0) // the batch failed as a whole
				f, err := c.Find(t.Context(), []settlement.Batch{p})
				require.NoError(t, err)
				require.Equal(t, settlement.Never, f.Results[0].Origin, "a failed attempt makes no marker")
			})
		}
	}
}

// TestSenderAtFault names nobody: no recipient is refused for what is our own trouble.
func TestSenderAtFault(t *testing.T) {
	b := newBench(t)
	vault := b.open(b.token, "vault", 10)
	ann, other := b.open(b.token, "ann", 0), b.open(b.token, "other", 0)
	c := b.chain(spl.Config{}, "vault")

	first := batch(0, b.token, vault, ann)
	first.Lines[0].Units = 10
	second := batch(1, b.token, vault, other, ann)
	one, err := prepare(t, c, first)
	require.NoError(t, err)
	two, err := prepare(t, c, second)
	require.NoError(t, err)
	send(t, c, one)
	send(t, c, two)
	b.blocks(svmtest.BlocksToFinal)
	res := look(t, c, second, two)
	require.Equal(t, settlement.Reverted, res.Sight)
	require.Equal(t, settlement.Failure{Reason: `{"InstructionError":[1,{"Custom":1}]}`}, res.Failure)

	require.NoError(t, b.MintTo(t.Context(), b.boss, b.token, vault, 10))
	b.blocks(1)
	third := batch(2, b.token, vault, ann)
	tx, err := prepare(t, c, third)
	require.NoError(t, err)
	require.NoError(t, b.Freeze(t.Context(), b.boss, b.token, vault))
	send(t, c, tx)
	b.blocks(svmtest.BlocksToFinal)
	res = look(t, c, third, tx)
	require.Equal(t, settlement.Reverted, res.Sight)
	require.Equal(t, settlement.Failure{Reason: `{"InstructionError":[1,{"Custom":17}]}`}, res.Failure)
	_, err = prepare(t, c, third)
	require.ErrorContains(t, err, "the sender")
	require.ErrorContains(t, err, "frozen")
}

func TestBatchRefused(t *testing.T) {
	b := newBench(t)
	vault := b.open(b.token, "vault", 10)
	ann := b.open(b.token, "ann", 0)
	c := b.chain(spl.Config{}, "vault")
	wrong := b.token
	wrong.Decimals = 6
	none := settlement.Asset{Mint: ann, Decimals: 8}
	swap := batch(0, b.token, vault, ann)
	swap.Lines[0].Kind = settlement.Swap
	for _, row := range []struct {
		batch settlement.Batch
		want  string
	}{
		{batch(0, wrong, vault, ann), "has 8 decimals, not 6"},
		{batch(0, none, vault, ann), "spl: no mint at"},
		{batch(0, b.dollar, vault, ann), "spl: no token account of the sender"},
		{batch(0, b.token, ann, vault), "spl: no key for the sender"},
		{batch(0, b.token, "x", vault), `spl: account "x"`},
		{batch(0, settlement.Asset{Mint: "x"}, vault, ann), `spl: mint "x"`},
		{batch(0, b.token, vault, ann, ann, ann, ann, ann, ann, ann, ann, ann, ann, ann), "holds 10 units"},
		{swap, "line 0 is a swap"},
	} {
		_, err := prepare(t, c, row.batch)
		require.ErrorContains(t, err, row.want)
	}
	_, err := c.Balance(t.Context(), b.dollar, ann)
	require.ErrorIs(t, err, spl.ErrNoAccount)
	_, err = c.Balance(t.Context(), b.dollar, "x")
	require.ErrorContains(t, err, `spl: account "x"`)
	_, err = c.Supply(t.Context(), none)
	require.ErrorIs(t, err, spl.ErrNoMint)
	_, err = c.Supply(t.Context(), wrong)
	require.ErrorContains(t, err, "8 decimals")
	_, err = c.Supply(t.Context(), settlement.Asset{Mint: "x"})
	require.ErrorContains(t, err, `spl: mint "x"`)
	supply, err := c.Supply(t.Context(), b.token)
	require.NoError(t, err)
	require.EqualValues(t, 10, supply.Units)
}
