package svmtest_test

import (
	"crypto/ed25519"
	"testing"

	"github.com/gagliardetto/solana-go"
	budget "github.com/gagliardetto/solana-go/programs/compute-budget"
	"github.com/gagliardetto/solana-go/programs/memo"
	"github.com/gagliardetto/solana-go/programs/system"
	"github.com/gagliardetto/solana-go/programs/token"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// TestComputeUnits holds the runtime to what p-token costs on mainnet (SIMD-0266).
func TestComputeUnits(t *testing.T) {
	n := rich(t)
	ctx := t.Context()
	boss := svmtest.Key("boss")
	asset, err := n.CreateMint(ctx, boss, svmtest.Key("IO"), 2)
	require.NoError(t, err)
	require.NoError(t, n.CreateAccount(ctx, boss, asset, svmtest.Address(boss)))
	require.NoError(t, n.CreateAccount(ctx, boss, asset, svmtest.Address(svmtest.Key("ann"))))
	require.NoError(t, n.MintTo(ctx, boss, asset, svmtest.Address(boss), 100))
	from, err := n.TokenAddress(ctx, asset, svmtest.Address(boss))
	require.NoError(t, err)
	to, err := n.TokenAddress(ctx, asset, svmtest.Address(svmtest.Key("ann")))
	require.NoError(t, err)
	source, dest, mint := solana.MPK(string(from)), solana.MPK(string(to)), solana.MPK(string(asset.Mint))
	for name, row := range map[string]struct {
		instruction solana.Instruction
		units       float64
	}{
		"Transfer":        {token.NewTransferInstruction(1, source, dest, pub("boss"), nil).Build(), 76},
		"TransferChecked": {token.NewTransferCheckedInstruction(1, 2, source, mint, dest, pub("boss"), nil).Build(), 105},
		"Burn":            {token.NewBurnInstruction(1, source, mint, pub("boss"), nil).Build(), 123},
		"BurnChecked":     {token.NewBurnCheckedInstruction(1, 2, source, mint, pub("boss"), nil).Build(), 126},
	} {
		for _, format := range []int{legacy, v1} {
			raw := signed(t, blockhash(t, n, "processed"), format, keys(boss), row.instruction)
			sim := value(t, ask(t, n, "simulateTransaction", b64(raw), map[string]any{"encoding": "base64", "commitment": "processed"})).(map[string]any)
			require.Equal(t, row.units, sim["unitsConsumed"], name)
			s := sent(t, n, raw)
			require.NoError(t, n.Advance(ctx, 1))
			require.Equal(t, row.units, transaction(t, n, s)["meta"].(map[string]any)["computeUnitsConsumed"], name)
		}
	}
}

// TestRentChangesInMidRun: what is enough for an account is not a constant. Accounts that exist keep what they have.
func TestRentChangesInMidRun(t *testing.T) {
	n := svmtest.ForTest(t, svmtest.Config{RentPerByte: 6960})
	ctx := t.Context()
	require.NoError(t, n.Airdrop(ctx, svmtest.Address(svmtest.Key("boss")), 1e12))
	marker := func(name string, amount uint64) any {
		s := sent(t, n, signed(t, blockhash(t, n, "processed"), v1, keys(svmtest.Key("boss"), svmtest.Key(name)),
			system.NewCreateAccountInstruction(amount, 0, solana.SystemProgramID, pub("boss"), pub(name)).Build()))
		require.NoError(t, n.Advance(ctx, 1))
		return status(t, n, s)["err"]
	}
	for i, row := range []struct {
		perByte             uint64
		empty, tokenAccount float64
	}{{6960, 890_880, 2_039_280}, {5080, 650_240, 1_488_440}, {2575, 329_600, 754_475}, {696, 89_088, 203_928}, {5080, 650_240, 1_488_440}} {
		require.NoError(t, n.SetRent(ctx, row.perByte))
		require.Equal(t, row.empty, ask(t, n, "getMinimumBalanceForRentExemption", 0))
		require.Equal(t, row.tokenAccount, ask(t, n, "getMinimumBalanceForRentExemption", 165))
		short := map[string]any{"InsufficientFundsForRent": map[string]any{"account_index": 1.0}}
		require.Equal(t, short, marker("short"+string(rune('a'+i)), uint64(row.empty)-1))
		require.Nil(t, marker("enough"+string(rune('a'+i)), uint64(row.empty)))
	}
	require.EqualValues(t, 89_088, lamports(t, n, "enoughd", "processed"))
	require.ErrorContains(t, n.SetRent(ctx, 0), "lamports per byte, 1 to 1000000")
	require.ErrorContains(t, n.SetRent(ctx, 1_000_001), "lamports per byte, 1 to 1000000")
}

// TestWhoCannotPay: what a validator drops costs nothing, what it puts into a block costs the fee.
func TestWhoCannotPay(t *testing.T) {
	n := rich(t)
	ctx := t.Context()
	for name, amount := range map[string]uint64{"poor": 4_999, "even": 5_000, "thin": 5_001, "sound": 655_240} {
		require.NoError(t, n.Airdrop(ctx, svmtest.Address(svmtest.Key(name)), amount))
	}
	note := solana.NewInstruction(solana.MemoProgramID, nil, []byte("x"))
	rentless := func(index float64) any {
		return map[string]any{"InsufficientFundsForRent": map[string]any{"account_index": index}}
	}
	short := map[string]any{"InstructionError": []any{0.0, map[string]any{"Custom": 1.0}}}
	for _, row := range []struct {
		name, payer string
		instruction solana.Instruction
		err         any // of the simulation
		landed      bool
	}{
		{"no account", "nobody", note, "AccountNotFound", false},
		{"a lamport less than the fee", "poor", note, "InsufficientFundsForFee", false},
		{"the fee, and then nothing", "even", note, nil, true},
		{"the fee, and then less than the rent", "thin", note, rentless(0), false},
		{"the fee, and then the rent", "sound", note, nil, true},
		{"the source is short", "boss", pay("boss", "ann", 1e15), short, true},
		{"a new account gets less than the rent", "boss", pay("boss", "ann", 1), rentless(1), true},
		{"no such program", "boss", solana.NewInstruction(pub("nothing"), nil, nil), "ProgramAccountNotFound", true},
		{"no program", "boss", solana.NewInstruction(pub("sound"), nil, nil), "InvalidProgramForExecution", true},
	} {
		raw := signed(t, blockhash(t, n, "processed"), v1, keys(svmtest.Key(row.payer)), row.instruction)
		sim := value(t, ask(t, n, "simulateTransaction", b64(raw), map[string]any{"encoding": "base64", "commitment": "processed"})).(map[string]any)
		require.Equal(t, row.err, sim["err"], row.name)
		before := lamports(t, n, row.payer, "processed")
		s := sent(t, n, raw)
		got := status(t, n, s)
		require.Equal(t, row.landed, got != nil, row.name)
		fee := 0.0
		if row.landed {
			require.Equal(t, row.err, got["err"], row.name)
			fee = 5000
		}
		require.InDelta(t, fee, before-lamports(t, n, row.payer, "processed"), 0, row.name)
		require.NoError(t, n.Advance(ctx, 1))
	}
	require.Zero(t, lamports(t, n, "ann", "processed"))
}

// TestFees: what getTransaction and getFeeForMessage call the fee is what the payer has lost.
func TestFees(t *testing.T) {
	n := rich(t)
	boss := keys(svmtest.Key("boss"))
	price := budget.NewSetComputeUnitPriceInstruction(3_000_001).Build() // millionths of a lamport
	limit := budget.NewSetComputeUnitLimitInstruction(1001).Build()
	note, hers := memo.NewMemoInstruction([]byte("x"), pub("boss")).Build(), memo.NewMemoInstruction([]byte("x"), pub("ann")).Build()
	for name, row := range map[string]struct {
		format int
		by     []ed25519.PrivateKey
		list   []solana.Instruction
		fee    float64
	}{
		"one signature":             {legacy, boss, []solana.Instruction{note}, 5000},
		"two signatures":            {v1, append(boss, svmtest.Key("ann")), []solana.Instruction{hers}, 10_000},
		"price and limit":           {legacy, boss, []solana.Instruction{price, limit, note}, 5000 + 3004},
		"price, limit of a program": {legacy, boss, []solana.Instruction{price, note}, 5000 + 609_001},
		"price, limit of a builtin": {legacy, boss, []solana.Instruction{price, pay("boss", "boss", 1)}, 5000 + 18_001},
	} {
		raw := signed(t, blockhash(t, n, "processed"), row.format, row.by, row.list...)
		before := lamports(t, n, "boss", "processed")
		s := sent(t, n, raw)
		require.Nil(t, status(t, n, s)["err"], name)
		require.NoError(t, n.Advance(t.Context(), 1))
		require.InDelta(t, row.fee, before-lamports(t, n, "boss", "processed"), 0, name)
		require.Equal(t, row.fee, transaction(t, n, s)["meta"].(map[string]any)["fee"], name)
		tx, err := solana.TransactionFromBytes(raw)
		require.NoError(t, err)
		message, err := tx.Message.MarshalBinary()
		require.NoError(t, err)
		require.Equal(t, row.fee, value(t, ask(t, n, "getFeeForMessage", b64(message), at("processed"))), name)
	}
}

// TestLoadedDataLimit: a version 1 transaction whose limit of loaded data is too small lands, fails and costs its fee.
func TestLoadedDataLimit(t *testing.T) {
	n := rich(t)
	raw := sign(t, blockhash(t, n, "processed"), keys(svmtest.Key("boss")), []solana.Instruction{pay("boss", "ann", 1e6)},
		solana.TransactionPayer(pub("boss")),
		solana.TransactionV1Config(solana.TransactionConfig{}.WithComputeUnitLimit(1000).WithLoadedAccountsDataSizeLimit(1)))
	before := lamports(t, n, "boss", "processed")
	s := sent(t, n, raw)
	require.Equal(t, "MaxLoadedAccountsDataSizeExceeded", status(t, n, s)["err"])
	require.InDelta(t, 5000, before-lamports(t, n, "boss", "processed"), 0)
}

// TestPriorityFeeOfVersion1: there it is a total in lamports, not a price.
func TestPriorityFeeOfVersion1(t *testing.T) {
	n := rich(t)
	raw := sign(t, blockhash(t, n, "processed"), keys(svmtest.Key("boss")), []solana.Instruction{pay("boss", "boss", 1)},
		solana.TransactionPayer(pub("boss")),
		solana.TransactionV1Config(solana.TransactionConfig{}.WithComputeUnitLimit(1000).WithLoadedAccountsDataSizeLimit(1<<20).WithPriorityFee(77)))
	before := lamports(t, n, "boss", "processed")
	s := sent(t, n, raw)
	require.NoError(t, n.Advance(t.Context(), 1))
	require.InDelta(t, 5077, before-lamports(t, n, "boss", "processed"), 0)
	require.InDelta(t, 5077, transaction(t, n, s)["meta"].(map[string]any)["fee"], 0)
}

func TestGateOfVersion1(t *testing.T) {
	n := rich(t)
	ctx := t.Context()
	require.NoError(t, n.Inject(ctx, svmtest.Fault{Method: "sendTransaction", Do: svmtest.LandLate, Blocks: 2}))
	late := sent(t, n, transfer(t, n, v1))
	require.NoError(t, n.SetV1(ctx, false))
	for _, method := range []string{"sendTransaction", "simulateTransaction"} {
		_, code := send(t, n, method, transfer(t, n, v1))
		require.EqualValues(t, -32602, code, method)
	}
	require.NoError(t, n.Advance(ctx, 2))
	require.Nil(t, status(t, n, late), "dropped on its way")
	require.NotNil(t, status(t, n, sent(t, n, transfer(t, n, legacy))))
	require.NoError(t, n.SetV1(ctx, true))
	require.NoError(t, n.Advance(ctx, 1))
	require.NotNil(t, status(t, n, sent(t, n, transfer(t, n, v1))))
}
