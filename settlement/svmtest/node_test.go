package svmtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// call makes one JSON-RPC call and returns the result and the error's code.
func call(t testing.TB, n *svmtest.Node, method string, params ...any) (any, float64) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	require.NoError(t, err)
	resp, err := http.Post(n.URL(), "application/json", bytes.NewReader(body))
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	var out struct {
		Result any
		Error  struct{ Code float64 }
	}
	require.NoError(t, json.Unmarshal(text, &out), "%s", text)
	return out.Result, out.Error.Code
}

// value is the "value" of a result that carries a context.
func value(t testing.TB, result any) any {
	t.Helper()
	m, ok := result.(map[string]any)
	require.True(t, ok, "%v", result)
	return m["value"]
}

func TestTheSameCallsGiveTheSameChain(t *testing.T) {
	history := func() string {
		n := svmtest.ForTest(t, svmtest.Config{})
		ctx := t.Context()
		boss := svmtest.Key("boss")
		require.NoError(t, n.Airdrop(ctx, svmtest.Address(boss), 1e9))
		asset, err := n.CreateMint(ctx, boss, svmtest.Key("mint"), 8)
		require.NoError(t, err)
		require.NoError(t, n.CreateAccount(ctx, boss, asset, svmtest.Address(boss)))
		require.NoError(t, n.MintTo(ctx, boss, asset, svmtest.Address(boss), 5))
		require.NoError(t, n.Advance(ctx, svmtest.BlocksToFinal))
		log, _ := call(t, n, "getSignaturesForAddress", svmtest.Address(boss))
		hash, _ := call(t, n, "getLatestBlockhash")
		require.Len(t, log, 3)
		return fmt.Sprint(log, hash)
	}
	require.Equal(t, history(), history())
}

func TestBlockhashIsGoodFor150Blocks(t *testing.T) {
	n := svmtest.ForTest(t, svmtest.Config{})
	processed := map[string]any{"commitment": "processed"}
	latest, _ := call(t, n, "getLatestBlockhash", processed)
	first, ok := value(t, latest).(map[string]any)
	require.True(t, ok)
	for _, row := range []struct {
		advance int
		good    bool
	}{{149, true}, {1, true}, {1, false}} {
		require.NoError(t, n.Advance(t.Context(), row.advance))
		height, _ := call(t, n, "getBlockHeight", processed)
		got, _ := call(t, n, "isBlockhashValid", first["blockhash"], processed)
		require.Equal(t, row.good, value(t, got))
		require.Equal(t, row.good, height.(float64) <= first["lastValidBlockHeight"].(float64))
	}
}

func TestCommitmentLevels(t *testing.T) {
	n := svmtest.ForTest(t, svmtest.Config{})
	ann := svmtest.Address(svmtest.Key("ann"))
	require.NoError(t, n.Airdrop(t.Context(), ann, 7))
	for _, row := range []struct {
		advance int
		level   string
		want    float64
	}{
		{0, "processed", 7},
		{0, "confirmed", 0},
		{0, "finalized", 0},
		{1, "confirmed", 7},
		{0, "finalized", 0},
		{29, "finalized", 0},
		{1, "finalized", 7},
	} {
		require.NoError(t, n.Advance(t.Context(), row.advance))
		got, _ := call(t, n, "getBalance", ann, map[string]any{"commitment": row.level})
		require.Equal(t, row.want, value(t, got), "%+v", row)
	}
}

func TestRentIsAsConfigured(t *testing.T) {
	for _, row := range []struct {
		perByte uint64
		want    float64
	}{{0, 1_488_440}, {5080, 1_488_440}, {6960, 2_039_280}} {
		n := svmtest.ForTest(t, svmtest.Config{RentPerByte: row.perByte})
		got, _ := call(t, n, "getMinimumBalanceForRentExemption", 165)
		require.Equal(t, row.want, got)
	}
}

func TestClockIsAsConfigured(t *testing.T) {
	n := svmtest.ForTest(t, svmtest.Config{StartTime: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)})
	require.NoError(t, n.Advance(t.Context(), 10))
	slot, _ := call(t, n, "getSlot", map[string]any{"commitment": "processed"})
	got, _ := call(t, n, "getBlockTime", slot)
	require.EqualValues(t, time.Date(2027, 3, 1, 0, 0, 16, 0, time.UTC).Unix(), got, "block 42 is 41 blocks of 0.4 s after the first")
}

func TestBlocksMoveByThemselves(t *testing.T) {
	n := svmtest.ForTest(t, svmtest.Config{SlotEvery: time.Millisecond})
	for { // ends, or the test times out: no wall clock is asserted
		if h, _ := call(t, n, "getBlockHeight"); h.(float64) > 5 {
			return
		}
	}
}

func TestRefusedCalls(t *testing.T) {
	n := svmtest.ForTest(t, svmtest.Config{})
	ann := svmtest.Address(svmtest.Key("ann"))
	for _, row := range []struct {
		method string
		params []any
		code   float64
	}{
		{"noSuchMethod", nil, -32601},
		{"constructor", nil, -32601},
		{"getBalance", []any{"O0Il"}, -32602},
		{"getBalance", []any{strings.Repeat("1", 1000)}, -32602},
		{"getBalance", []any{nil}, -32602},
		{"getBalance", []any{ann, map[string]any{"commitment": "sure"}}, -32602},
		{"getSlot", []any{map[string]any{"minContextSlot": 1e15}}, -32016},
		{"getTransaction", []any{"x", map[string]any{"commitment": "processed"}}, -32602},
		{"requestAirdrop", []any{ann, -1}, -32602},
		{"requestAirdrop", []any{ann, 1e300}, -32602},
		{"getMultipleAccounts", []any{make([]string, 101)}, -32602},
		{"getSignatureStatuses", []any{make([]string, 257)}, -32602},
		{"getTokenAccountBalance", []any{ann}, -32602},
		{"getTokenSupply", []any{ann}, -32602},
		{"getMinimumBalanceForRentExemption", []any{-1}, -32602},
		{"svm_advance", []any{1e9}, -32602},
		{"sendTransaction", []any{""}, -32602},
		{"sendTransaction", []any{strings.Repeat("1", 9000)}, -32602},
	} {
		_, code := call(t, n, row.method, row.params...)
		require.Equal(t, row.code, code, "%s %v", row.method, row.params)
	}
}

func TestCloseEndsTheChild(t *testing.T) {
	n, err := svmtest.Start(t.Context(), svmtest.Config{})
	require.NoError(t, err)
	require.NoError(t, n.Close())
	require.NoError(t, n.Close())
	err = n.Advance(t.Context(), 1)
	require.ErrorContains(t, err, "svmtest: advance by 1 blocks: the child has ended")
}

func TestConfigRefused(t *testing.T) {
	for name, c := range map[string]svmtest.Config{
		"SlotEvery": {SlotEvery: time.Microsecond},
		"StartTime": {StartTime: time.Unix(-1, 0)},
		"it said":   {Port: 1 << 20},
	} {
		_, err := svmtest.Start(t.Context(), c)
		require.ErrorContains(t, err, name)
	}
}

func TestNoNode(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := svmtest.Start(t.Context(), svmtest.Config{})
	require.ErrorIs(t, err, svmtest.ErrNoNode)
	require.ErrorContains(t, err, "install Node.js 20 or newer")
}

// program writes a shell script that stands in for a program.
func program(t *testing.T, dir, name, script string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700))
}

func TestOldNode(t *testing.T) {
	dir := t.TempDir()
	program(t, dir, "node", "echo v18.20.4")
	t.Setenv("PATH", dir)
	_, err := svmtest.Start(t.Context(), svmtest.Config{})
	require.ErrorIs(t, err, svmtest.ErrNoNode)
	require.ErrorContains(t, err, `"v18.20.4"`)
}

func TestNoNPM(t *testing.T) {
	dir := t.TempDir()
	program(t, dir, "node", "echo v22.0.0")
	t.Setenv("PATH", dir)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	_, err := svmtest.Start(t.Context(), svmtest.Config{})
	require.ErrorIs(t, err, svmtest.ErrNoNPM)
}

func TestOffline(t *testing.T) {
	dir, cache := t.TempDir(), t.TempDir()
	program(t, dir, "node", "echo v22.0.0")
	program(t, dir, "npm", "echo 'npm error network request failed' >&2; exit 1")
	t.Setenv("PATH", dir+":/bin:/usr/bin")
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	_, err := svmtest.Start(t.Context(), svmtest.Config{})
	require.ErrorContains(t, err, "needs a package registry, once")
	require.ErrorContains(t, err, "npm error network request failed")
	left, err := filepath.Glob(filepath.Join(cache, "idlegrid", "svmd-*"))
	require.NoError(t, err)
	require.Len(t, left, 1, "only the lock is left: %v", left)
}

// TestParallelInstall starts several first starts at once, each in a process of its own as parallel test binaries are.
// npm is replaced by a copy of what it would install, so that no registry is asked.
func TestParallelInstall(t *testing.T) {
	if os.Getenv("SVMTEST_CHILD") != "" {
		n, err := svmtest.Start(t.Context(), svmtest.Config{})
		require.NoError(t, err)
		require.NoError(t, n.Close())
		return
	}
	svmtest.ForTest(t, svmtest.Config{}) // the real installation exists after this
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	found, err := filepath.Glob(filepath.Join(cache, "idlegrid", "svmd-*", "node_modules"))
	require.NoError(t, err)
	require.NotEmpty(t, found)
	dir, cache := t.TempDir(), t.TempDir()
	count := filepath.Join(dir, "count")
	program(t, dir, "npm", fmt.Sprintf("echo x >>%q; cp -r %q .", count, found[len(found)-1]))
	cmds := make([]*exec.Cmd, 4)
	for i := range cmds {
		cmds[i] = exec.Command(os.Args[0], "-test.run=^TestParallelInstall$")
		cmds[i].Env = append(os.Environ(), "SVMTEST_CHILD=1", "PATH="+dir+":"+os.Getenv("PATH"), "XDG_CACHE_HOME="+cache, "HOME="+cache)
		var out bytes.Buffer
		cmds[i].Stdout, cmds[i].Stderr = &out, &out
		require.NoError(t, cmds[i].Start())
	}
	for _, c := range cmds {
		require.NoError(t, c.Wait(), "%v", c.Stdout)
	}
	b, err := os.ReadFile(count)
	require.NoError(t, err)
	require.Equal(t, "x\n", string(b), "npm ran once")
}

// TestChildDiesWithItsParent kills a process that holds a node, and sees the node's port close.
func TestChildDiesWithItsParent(t *testing.T) {
	if os.Getenv("SVMTEST_PARENT") != "" {
		n, err := svmtest.Start(context.Background(), svmtest.Config{})
		require.NoError(t, err)
		fmt.Println("URL", n.URL())
		select {}
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestChildDiesWithItsParent$")
	cmd.Env = append(os.Environ(), "SVMTEST_PARENT=1")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var word, url string
	_, err = fmt.Fscan(out, &word, &url)
	require.NoError(t, err)
	resp, err := http.Get(url)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	for { // ends, or the test times out
		resp, err := http.Get(url)
		if err != nil {
			return
		}
		_ = resp.Body.Close()
	}
}
