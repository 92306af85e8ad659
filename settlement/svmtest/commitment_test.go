package svmtest_test

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// TestEveryReadIsAsOfItsLevel changes an account once and asks each method that reads accounts, block by block.
func TestEveryReadIsAsOfItsLevel(t *testing.T) {
	n := rich(t)
	ctx := t.Context()
	boss, ann := svmtest.Key("boss"), svmtest.Address(svmtest.Key("ann"))
	asset, err := n.CreateMint(ctx, boss, svmtest.Key("IO"), 2)
	require.NoError(t, err)
	require.NoError(t, n.CreateAccount(ctx, boss, asset, ann))
	require.NoError(t, n.Advance(ctx, svmtest.BlocksToFinal))
	account, err := n.TokenAddress(ctx, asset, ann)
	require.NoError(t, err)
	reads := map[string]func(level string) any{
		"getTokenAccountBalance": func(level string) any {
			return value(t, ask(t, n, "getTokenAccountBalance", account, at(level))).(map[string]any)["amount"]
		},
		"getTokenSupply": func(level string) any {
			return value(t, ask(t, n, "getTokenSupply", asset.Mint, at(level))).(map[string]any)["amount"]
		},
		"getTokenLargestAccounts": func(level string) any {
			return value(t, ask(t, n, "getTokenLargestAccounts", asset.Mint, at(level))).([]any)[0].(map[string]any)["amount"]
		},
		"getAccountInfo": func(level string) any {
			return units(t, value(t, ask(t, n, "getAccountInfo", account, map[string]any{"commitment": level, "encoding": "base64"})))
		},
		"getMultipleAccounts": func(level string) any {
			return units(t, value(t, ask(t, n, "getMultipleAccounts", []any{account}, map[string]any{"commitment": level, "encoding": "base64"})).([]any)[0])
		},
		"getProgramAccounts": func(level string) any {
			return units(t, ask(t, n, "getProgramAccounts", "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA", map[string]any{
				"commitment": level, "encoding": "base64", "filters": []any{map[string]any{"dataSize": 165}},
			}).([]any)[0].(map[string]any)["account"])
		},
		"getTokenAccountsByOwner": func(level string) any {
			return units(t, value(t, ask(t, n, "getTokenAccountsByOwner", ann, map[string]any{"mint": asset.Mint},
				map[string]any{"commitment": level, "encoding": "base64"})).([]any)[0].(map[string]any)["account"])
		},
	}
	before := map[string]any{}
	for name, read := range reads {
		before[name] = read("processed")
	}
	require.NoError(t, n.MintTo(ctx, boss, asset, ann, 77)) // and a block
	for blocks := 1; blocks <= svmtest.BlocksToFinal; blocks++ {
		for name, read := range reads {
			require.NotEqual(t, before[name], read("processed"), name)
			require.Equal(t, read("processed"), read("confirmed"), name)
			if blocks < svmtest.BlocksToFinal {
				require.Equal(t, before[name], read("finalized"), "%s after %d blocks", name, blocks)
			} else {
				require.Equal(t, read("processed"), read("finalized"), name)
			}
		}
		require.NoError(t, n.Advance(ctx, 1))
	}
}

// units are the units in an account's data, as text.
func units(t testing.TB, account any) string {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(account.(map[string]any)["data"].([]any)[0].(string))
	require.NoError(t, err)
	return string(data[64:72])
}

// TestListsKnowWhatIsNoMore closes and opens accounts: lists of accounts are as of their level too.
func TestListsKnowWhatIsNoMore(t *testing.T) {
	n := rich(t)
	ctx := t.Context()
	boss := svmtest.Key("boss")
	owner := svmtest.Address(boss)
	asset, err := n.CreateMint(ctx, boss, svmtest.Key("IO"), 2)
	require.NoError(t, err)
	count := func(level string) int {
		return len(value(t, ask(t, n, "getTokenAccountsByOwner", owner, map[string]any{"mint": asset.Mint}, at(level))).([]any))
	}
	require.NoError(t, n.CreateAccount(ctx, boss, asset, owner))
	require.Equal(t, []int{1, 1, 0}, []int{count("processed"), count("confirmed"), count("finalized")})
	require.NoError(t, n.Advance(ctx, svmtest.BlocksToFinal))
	require.Equal(t, 1, count("finalized"))
	require.NoError(t, n.CloseAccount(ctx, boss, asset))
	require.Equal(t, []int{0, 0, 1}, []int{count("processed"), count("confirmed"), count("finalized")})
	require.NoError(t, n.Advance(ctx, svmtest.BlocksToFinal))
	require.Zero(t, count("finalized"))
}

// TestExpiryThroughEveryLevel asks for a blockhash at each level, and sends with it 149, 150 and 151 blocks after its own.
func TestExpiryThroughEveryLevel(t *testing.T) {
	for _, row := range []struct {
		level string
		lag   int // blocks that the level's block lies behind the tip
	}{{"processed", 0}, {"confirmed", 1}, {"finalized", svmtest.BlocksToFinal}} {
		for _, late := range []int{149, 150, 151} {
			n := rich(t)
			require.NoError(t, n.Advance(t.Context(), svmtest.BlocksToFinal))
			latest := value(t, ask(t, n, "getLatestBlockhash", at(row.level))).(map[string]any)
			last := latest["lastValidBlockHeight"].(float64)
			hash := latest["blockhash"].(string)
			require.NoError(t, n.Advance(t.Context(), late-row.lag))
			raw := signed(t, hash, v1, keys(svmtest.Key("boss")), pay("boss", "ann", 1e6))
			good := late <= 150
			require.Equal(t, good, ask(t, n, "getBlockHeight", at("processed")).(float64) <= last)
			require.Equal(t, good, value(t, ask(t, n, "isBlockhashValid", hash, at("processed"))))
			signature := sent(t, n, raw)
			require.Equal(t, good, status(t, n, signature) != nil, "%s at +%d", row.level, late)
			require.Equal(t, good, lamports(t, n, "ann", "processed") == 1e6)
		}
	}
}

// TestPreflightKnowsTheBlockhashesOfItsLevel is about the most frequent refusal in the field: a blockhash that is newer
// than the level of the preflight.
func TestPreflightKnowsTheBlockhashesOfItsLevel(t *testing.T) {
	n := rich(t)
	require.NoError(t, n.Advance(t.Context(), svmtest.BlocksToFinal))
	for _, row := range []struct {
		hash, preflight string
		code            float64
	}{
		{"processed", "processed", 0},
		{"processed", "confirmed", -32002},
		{"confirmed", "confirmed", 0},
		{"confirmed", "finalized", -32002},
		{"confirmed", "", -32002}, // finalized is the default
		{"finalized", "", 0},
	} {
		raw := signed(t, blockhash(t, n, row.hash), v1, keys(svmtest.Key("boss")), pay("boss", "ann", 1e6))
		c := map[string]any{"encoding": "base64"}
		if row.preflight != "" {
			c["preflightCommitment"] = row.preflight
		}
		_, code := call(t, n, "sendTransaction", b64(raw), c)
		require.Equal(t, row.code, code, "%+v", row)
		delete(c, "preflightCommitment")
		c["commitment"] = row.preflight
		if row.preflight == "" {
			delete(c, "commitment")
		}
		again := signed(t, blockhash(t, n, row.hash), v1, keys(svmtest.Key("boss")), pay("boss", "bob", 1e6))
		sim := value(t, ask(t, n, "simulateTransaction", b64(again), c)).(map[string]any)["err"]
		require.Equal(t, row.code == 0, sim == nil, "%+v", row)
		require.NoError(t, n.Advance(t.Context(), 1))
	}
}
