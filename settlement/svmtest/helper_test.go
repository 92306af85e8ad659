package svmtest_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gagliardetto/solana-go"
	"github.com/gagliardetto/solana-go/programs/system"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// The formats of a transaction.
const (
	legacy = iota
	v1
)

func keys(k ...ed25519.PrivateKey) []ed25519.PrivateKey { return k }

func at(level string) map[string]any { return map[string]any{"commitment": level} }

// pub is the address of a name's key.
func pub(name string) solana.PublicKey { return solana.PrivateKey(svmtest.Key(name)).PublicKey() }

// blockhash asks for the newest blockhash of a level.
func blockhash(t testing.TB, n *svmtest.Node, level string) string {
	t.Helper()
	latest, _ := call(t, n, "getLatestBlockhash", at(level))
	return value(t, latest).(map[string]any)["blockhash"].(string)
}

// signed builds a transaction that the first key pays and all sign.
func signed(t testing.TB, hash string, format int, by []ed25519.PrivateKey, list ...solana.Instruction) []byte {
	t.Helper()
	opts := []solana.TransactionOption{solana.TransactionPayer(solana.PrivateKey(by[0]).PublicKey())}
	if format == v1 {
		opts = append(opts, solana.TransactionV1Config(solana.TransactionConfig{}.WithComputeUnitLimit(200_000).WithLoadedAccountsDataSizeLimit(1<<24)))
	}
	return sign(t, hash, by, list, opts...)
}

func sign(t testing.TB, hash string, by []ed25519.PrivateKey, list []solana.Instruction, opts ...solana.TransactionOption) []byte {
	t.Helper()
	tx, err := solana.NewTransaction(list, solana.MustHashFromBase58(hash), opts...)
	require.NoError(t, err)
	_, err = tx.Sign(func(k solana.PublicKey) *solana.PrivateKey {
		for _, own := range by {
			if p := solana.PrivateKey(own); p.PublicKey() == k {
				return &p
			}
		}
		return nil
	})
	require.NoError(t, err)
	raw, err := tx.MarshalBinary()
	require.NoError(t, err)
	return raw
}

// pay is a transfer of lamports.
func pay(from, to string, lamports uint64) solana.Instruction {
	return system.NewTransferInstruction(lamports, pub(from), pub(to)).Build()
}

// sent sends without preflight and returns the signature.
func sent(t testing.TB, n *svmtest.Node, raw []byte) string {
	t.Helper()
	signature, code := send(t, n, "sendTransaction", raw)
	require.Zero(t, code)
	return signature.(string)
}

// status is what getSignatureStatuses says of a signature: nil, or its object.
func status(t testing.TB, n *svmtest.Node, signature string) map[string]any {
	t.Helper()
	got, _ := call(t, n, "getSignatureStatuses", []any{signature}, map[string]any{"searchTransactionHistory": true})
	s, _ := value(t, got).([]any)[0].(map[string]any)
	return s
}

// lamports is a balance at a level.
func lamports(t testing.TB, n *svmtest.Node, name, level string) float64 {
	t.Helper()
	got, _ := call(t, n, "getBalance", pub(name).String(), at(level))
	return value(t, got).(float64)
}

// answer is what came back over HTTP.
type answer struct {
	status int
	header http.Header
	body   string
	err    error
}

// post makes one call over a connection of its own and returns what a client sees.
func post(t testing.TB, url, method string, params ...any) answer {
	t.Helper()
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
	require.NoError(t, err)
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(string(body)))
	require.NoError(t, err)
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return answer{err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(text), err}
}

// rpc is the answer as JSON-RPC has it.
func (a answer) rpc(t testing.TB) (result any, id, code float64) {
	t.Helper()
	require.NoError(t, a.err)
	var out struct {
		Result any
		ID     float64
		Error  struct{ Code float64 }
	}
	require.NoError(t, json.Unmarshal([]byte(a.body), &out), "%s", a.body)
	return out.Result, out.ID, out.Error.Code
}

// b64 is a transaction as the RPC takes it.
func b64(raw []byte) string { return base64.StdEncoding.EncodeToString(raw) }
