package svmtest_test

import (
	"testing"

	"github.com/gagliardetto/solana-go"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// TestMethods asks every method of a cluster that there is.
func TestMethods(t *testing.T) {
	n := rich(t)
	ctx := t.Context()
	boss := svmtest.Key("boss")
	asset, err := n.CreateMint(ctx, boss, svmtest.Key("IO"), 2)
	require.NoError(t, err)
	require.NoError(t, n.CreateAccount(ctx, boss, asset, svmtest.Address(boss)))
	account, err := n.TokenAddress(ctx, asset, svmtest.Address(boss))
	require.NoError(t, err)
	signature := landed(t, n)
	require.NoError(t, n.Advance(ctx, svmtest.BlocksToFinal))
	slot := status(t, n, signature)["slot"]
	raw := transfer(t, n, legacy)
	tx, err := solana.TransactionFromBytes(raw)
	require.NoError(t, err)
	message, err := tx.Message.MarshalBinary()
	require.NoError(t, err)
	v := map[string]any{"maxSupportedTransactionVersion": 1, "encoding": "base64"}
	methods := map[string][]any{
		"getAccountInfo":                    {account, v},
		"getBalance":                        {pub("boss")},
		"getBlock":                          {slot, v},
		"getBlockHeight":                    {},
		"getBlockTime":                      {slot},
		"getBlocks":                         {slot, slot},
		"getBlocksWithLimit":                {slot, 1},
		"getEpochInfo":                      {},
		"getEpochSchedule":                  {},
		"getFeeForMessage":                  {b64(message), at("processed")},
		"getFirstAvailableBlock":            {},
		"getGenesisHash":                    {},
		"getHealth":                         {},
		"getIdentity":                       {},
		"getLatestBlockhash":                {},
		"getMinimumBalanceForRentExemption": {0},
		"getMultipleAccounts":               {[]any{account}, v},
		"getProgramAccounts":                {solana.TokenProgramID, v},
		"getRecentPrioritizationFees":       {},
		"getSignatureStatuses":              {[]any{signature}},
		"getSignaturesForAddress":           {pub("ann")},
		"getSlot":                           {},
		"getSlotLeader":                     {},
		"getTokenAccountBalance":            {account},
		"getTokenAccountsByOwner":           {pub("boss"), map[string]any{"mint": asset.Mint}, v},
		"getTokenLargestAccounts":           {asset.Mint},
		"getTokenSupply":                    {asset.Mint},
		"getTransaction":                    {signature, v},
		"getTransactionCount":               {},
		"getVersion":                        {},
		"isBlockhashValid":                  {tx.Message.RecentBlockhash, at("processed")},
		"minimumLedgerSlot":                 {},
		"requestAirdrop":                    {pub("ann"), 1},
		"sendTransaction":                   {b64(raw), map[string]any{"encoding": "base64", "preflightCommitment": "processed"}},
		"simulateTransaction":               {b64(raw), map[string]any{"encoding": "base64", "commitment": "processed"}},
	}
	require.GreaterOrEqual(t, len(methods), 30)
	for method, params := range methods {
		result, code := call(t, n, method, params...)
		require.Zero(t, code, method)
		require.NotNil(t, result, method)
		if m, ok := result.(map[string]any); ok && m["context"] != nil {
			require.NotNil(t, m["value"], method)
		}
	}
	s, err := n.Stats(ctx)
	require.NoError(t, err)
	require.Subset(t, s.Calls, map[string]uint64{"getVersion": 1, "getSlotLeader": 1})
}
