package spl

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
)

// gateV1 is the account whose activation switched version 1 on: enable_tx_v1 of Agave's feature set, on mainnet since slot
// 447,120,000. Clusters that began with version 1 need not have it.
const gateV1 = "txv1aq4pp281K9um3tnPgkfX8UqtFT6wcVW3hNezGLL"

// maxPriced is how many accounts one getRecentPrioritizationFees may name.
const maxPriced = 128

// Probe asks the endpoint which format the cluster accepts, and returns the best: V1, V0 or Legacy. A format counts if the endpoint
// simulates a transaction of it, whatever comes out, and, for V1, if the account of its feature gate is not waiting for its
// activation. Nothing is signed or sent; c.Payer, an address with or without lamports, stands in the message. It is an error if
// the endpoint cannot be asked, or takes none of the three. Ask it once before an epoch is planned, since Format decides
// how many lines fit, see [Shape.MaxLines].
func Probe(ctx context.Context, c Config) (Format, error) {
	chain, err := New(c)
	if err != nil {
		return 0, err
	}
	waiting, err := chain.gateWaits(ctx)
	if err != nil {
		return 0, err
	}
	var last error
	for _, f := range []Format{V1, V0, Legacy} {
		if f == V1 && waiting {
			continue
		}
		last, err = chain.simulates(ctx, f)
		if err != nil {
			return 0, err
		}
		if last == nil {
			return f, nil
		}
	}
	return 0, fmt.Errorf("spl: the endpoint takes no format of transactions: %w", last)
}

// gateWaits says whether the feature gate of version 1 is there and not activated.
func (c *Chain) gateWaits(ctx context.Context) (bool, error) {
	var out inContext[*account]
	err := c.rpc.call(ctx, "getAccountInfo", []any{gateV1, map[string]any{"encoding": "base64", "commitment": finalized}}, &out)
	if err != nil {
		return false, err
	}
	// The account holds an optional slot of activation: one byte that says whether it is there, and eight.
	a := out.Value
	return a != nil && a.Owner == solana.FeatureProgramID && len(a.Data) > 0 && a.Data[0] == 0, nil
}

// simulates says why the endpoint does not take a format, nil if it does. The second error is about the question.
func (c *Chain) simulates(ctx context.Context, f Format) (refusal, err error) {
	var e Encoder
	raw, err := e.AppendMessage(nil, &Message{
		Format: f, Payer: c.payer, ComputeUnits: 10_000, Loaded: 1 << 20,
		Blockhash:    sha256.Sum256([]byte("any, since it is replaced")),
		Instructions: []Instruction{{Program: solana.MemoProgramID, Data: []byte("probe")}},
	})
	if err != nil {
		return nil, err
	}
	var out inContext[struct{ Err json.RawMessage }]
	err = c.rpc.call(ctx, "simulateTransaction", []any{base64.StdEncoding.EncodeToString(raw), map[string]any{
		"encoding": "base64", "commitment": confirmed, "sigVerify": false, "replaceRecentBlockhash": true,
	}}, &out)
	var answer *rpcError
	switch {
	case errors.As(err, &answer) && (answer.code == codeParams || answer.code == codeVersion):
		return answer, nil
	case err != nil:
		return nil, err
	case string(out.Value.Err) == `"UnsupportedVersion"`:
		return errors.New("version is not supported"), nil
	}
	return nil, nil
}

// codeVersion is for a transaction version that the endpoint does not support.
const codeVersion = -32015

// RecentPrices returns what transactions that wrote to the accounts have paid lately for a compute unit, in millionths of a
// lamport, one for each of up to 150 blocks: the least that got in. At most 128 accounts can be asked for: name the source, the
// account that all payouts write to. See [Percentile] and [PriorityFee] for what to make of it.
func (c *Chain) RecentPrices(ctx context.Context, accounts ...settlement.Account) ([]uint64, error) {
	if len(accounts) > maxPriced {
		return nil, fmt.Errorf("spl: prices of %d accounts, want at most %d", len(accounts), maxPriced)
	}
	var rows []struct {
		Slot              uint64
		PrioritizationFee uint64
	}
	if err := c.rpc.call(ctx, "getRecentPrioritizationFees", []any{accounts}, &rows); err != nil {
		return nil, err
	}
	out := make([]uint64, len(rows))
	for i, r := range rows {
		out[i] = r.PrioritizationFee
	}
	return out, nil
}
