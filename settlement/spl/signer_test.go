package spl_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gagliardetto/solana-go"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// numbers writes a key as the Solana command line does.
func numbers(key []byte) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(key), "[]"), " ", ",")
}

// keyFile writes a key file of a mode.
func keyFile(t testing.TB, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "id.json")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	require.NoError(t, os.Chmod(path, mode))
	return path
}

// nodeScript signs with node's own ed25519, and misbehaves on demand.
const nodeScript = `
const { createPrivateKey, sign } = require('crypto');
const [seed, how] = process.argv.slice(1);
const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(seed, 'hex')]);
const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
let text = '';
process.stdin.on('data', (d) => { text += d; }).on('end', () => {
  if (how === 'hang') return setInterval(() => {}, 1000);
  if (how === 'fail') { process.stderr.write('access denied\x1b[31m' + 'x'.repeat(5000)); process.exitCode = 3; return; }
  if (how === 'chatter') return console.log('secret chatter');
  if (!text.endsWith('\n')) process.exit(1);
  const answer = sign(null, Buffer.from(text, 'base64'), key).toString('base64');
  console.log(how === 'twice' ? answer + '\n' + answer : how === 'short' ? answer.slice(8) : answer + (how === 'long' ? ' '.repeat(9000) : ''));
});`

// process returns a signer in a child process.
func process(t testing.TB, account settlement.Account, key ed25519.PrivateKey, how string) *spl.Process {
	t.Helper()
	node, err := exec.LookPath("node")
	require.NoError(t, err)
	p, err := spl.NewProcess(spl.ProcessConfig{Account: account, Argv: []string{node, "-e", nodeScript, hex.EncodeToString(key.Seed()), how}})
	require.NoError(t, err)
	return p
}

func TestSignersAgree(t *testing.T) {
	private := svmtest.Key("payer")
	memory, err := spl.NewKey(private)
	require.NoError(t, err)
	file, err := spl.LoadKey(keyFile(t, " [ "+strings.ReplaceAll(numbers(private), ",", " ,\n")+"]\n", 0o600))
	require.NoError(t, err)
	for _, s := range []spl.Signer{memory, file, process(t, memory.PublicKey(), private, "")} {
		require.Equal(t, svmtest.Address(private), s.PublicKey())
		got, err := s.Sign(t.Context(), []byte("message"))
		require.NoError(t, err)
		require.Equal(t, ed25519.Sign(private, []byte("message")), got[:])
	}
}

func TestProcessThatMisbehaves(t *testing.T) {
	private := svmtest.Key("payer")
	account := svmtest.Address(private)
	for how, want := range map[string]string{
		"chatter": "its answer is not one line of 64 bytes", "twice": "its answer is not one line", "short": "its answer is not one line",
		"long": "its answer is not one line", "fail": `exit status 3: "access denied [31mxxx`,
	} {
		_, err := process(t, account, private, how).Sign(t.Context(), []byte("message"))
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "secret")
		require.Less(t, len(err.Error()), 400)
	}
	_, err := process(t, account, svmtest.Key("other"), "").Sign(t.Context(), []byte("message"))
	require.ErrorIs(t, err, spl.ErrSignature, "another key's signature")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err = process(t, account, private, "hang").Sign(ctx, []byte("message"))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	missing, err := spl.NewProcess(spl.ProcessConfig{Account: account, Argv: []string{filepath.Join(t.TempDir(), "nothing")}})
	require.NoError(t, err)
	_, err = missing.Sign(t.Context(), nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = spl.NewProcess(spl.ProcessConfig{Account: "x", Argv: []string{"x"}})
	require.ErrorContains(t, err, "ProcessConfig.Account")
	_, err = spl.NewProcess(spl.ProcessConfig{Account: account})
	require.ErrorContains(t, err, "ProcessConfig.Argv")
}

func TestKeyFileRefused(t *testing.T) {
	private := svmtest.Key("payer")
	good := numbers(private)
	other := append([]byte(nil), private...)
	other[63] ^= 1
	for name, text := range map[string]string{
		"empty": "", "no list": good, "63 numbers": "[" + numbers(private[:63]) + "]", "65 numbers": "[" + good + ",1]",
		"256":      "[256," + numbers(private[1:]) + "]",
		"negative": "[-1," + numbers(private[1:]) + "]", "hexadecimal": "[0x1," + numbers(private[1:]) + "]",
		"leading zero": "[01," + numbers(private[1:]) + "]",
		"text":         `["` + good + `"]`, "gap": "[," + good + "]", "another public half": "[" + numbers(other) + "]",
		"large": "[" + good + strings.Repeat(" ", 5000) + "]",
	} {
		_, err := spl.LoadKey(keyFile(t, text, 0o600))
		require.ErrorIs(t, err, spl.ErrKeyFile, name)
		clean(t, err.Error(), private)
	}
	_, err := spl.LoadKey(t.TempDir())
	require.Error(t, err)
	_, err = spl.LoadKey(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
	for _, mode := range []os.FileMode{0o601, 0o604, 0o610, 0o620, 0o640, 0o644, 0o660, 0o700, 0o400, 0o600} {
		path := keyFile(t, "["+good+"]", mode)
		_, err := spl.LoadKey(path)
		if runtime.GOOS == "windows" || mode&^0o600 == 0 {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, spl.ErrKeyMode)
		require.ErrorContains(t, err, fmt.Sprintf("has %#o, want at most 0600", mode))
	}
	if runtime.GOOS != "windows" { // a link has no mode of its own: that of the file counts
		for mode, refused := range map[os.FileMode]bool{0o640: true, 0o600: false} {
			link := filepath.Join(t.TempDir(), "link.json")
			require.NoError(t, os.Symlink(keyFile(t, "["+good+"]", mode), link))
			_, err := spl.LoadKey(link)
			require.Equal(t, refused, errors.Is(err, spl.ErrKeyMode), "%v", err)
			require.Equal(t, !refused, err == nil)
		}
	}
	_, err = spl.NewKey(private[:63])
	require.ErrorContains(t, err, "a private key of 63 bytes, want 64")
	_, err = spl.NewKey(other)
	require.ErrorContains(t, err, "public half")
	clean(t, err.Error(), private)
}

// clean requires that a text holds no part of a key in any usual form: neither all of it nor eight bytes in a row.
func clean(t testing.TB, text string, private ed25519.PrivateKey) {
	t.Helper()
	lower := strings.ToLower(text)
	for _, needle := range needles(private) {
		if strings.Contains(lower, strings.ToLower(needle)) {
			t.Fatalf("%q shows a part of the key", text)
		}
	}
}

// needles are the forms of a key that clean looks for.
var needles = func() func(ed25519.PrivateKey) []string {
	var last string
	var out []string
	return func(private ed25519.PrivateKey) []string {
		if string(private) == last {
			return out
		}
		last, out = string(private), nil
		for i := 0; i+8 <= ed25519.SeedSize; i++ {
			part := []byte(private[i : i+8])
			decimals := strings.Trim(fmt.Sprint(part), "[]")
			out = append(out, decimals, strings.ReplaceAll(decimals, " ", ","), strings.ReplaceAll(decimals, " ", ", "), string(part),
				hex.EncodeToString(part), fmt.Sprintf("% x", part), strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", part), "[]byte{"), "}"))
		}
		for _, whole := range [][]byte{private, private.Seed()} {
			out = append(out, solana.PrivateKey(whole).String(), base64.StdEncoding.EncodeToString(whole)[:20])
		}
		return out
	}
}()

// TestCleanFinds makes sure that clean is not blind.
func TestCleanFinds(t *testing.T) {
	private := svmtest.Key("payer")
	for _, verb := range []string{"%v", "%d", "%x", "%X", "% x", "%#v", "%s", "%+v"} {
		text := strings.ToLower(fmt.Sprintf(verb, []byte(private)))
		require.True(t, slices.ContainsFunc(needles(private), func(n string) bool { return strings.Contains(text, strings.ToLower(n)) }), verb)
	}
}

// TestNoVerbShowsAKey prints signers, and what holds them, in every way that fmt and JSON know.
func TestNoVerbShowsAKey(t *testing.T) {
	private := svmtest.Key("payer")
	k, err := spl.NewKey(private)
	require.NoError(t, err)
	ring, err := spl.NewKeyring(k)
	require.NoError(t, err)
	limited, err := spl.NewLimited(k, spl.LimitedConfig{Window: time.Hour, Now: time.Now})
	require.NoError(t, err)
	config := spl.Config{URL: "http://127.0.0.1", Payer: k}
	second := spl.Config{URL: "http://127.0.0.1", Payer: limited}
	chain, err := spl.New(config)
	require.NoError(t, err)
	type inside struct{ k spl.Key }
	for _, v := range []any{
		k, *k, &k, ring, *ring, limited, config, &config, second, chain,
		[]spl.Signer{k},
		map[string]spl.Signer{"x": k},
		inside{*k},
		&inside{*k},
		struct{ S spl.Signer }{k},
	} {
		for _, verb := range "vsqxXdoObcUtTpeEfFgG" {
			for _, flag := range []string{"", "+", "#", " ", "-40", "0", "+#"} {
				clean(t, fmt.Sprintf("%"+flag+string(verb), v), private)
			}
		}
		clean(t, fmt.Sprint(v), private)
		clean(t, errors.New(fmt.Sprint(v)).Error(), private)
		if text, err := json.Marshal(v); err == nil {
			clean(t, string(text), private)
		}
	}
	require.Equal(t, "spl.Key("+string(k.PublicKey())+")", fmt.Sprintf("%+v", *k))
	text, err := json.Marshal(k)
	require.NoError(t, err)
	require.JSONEq(t, `"`+string(k.PublicKey())+`"`, string(text))
}

func TestKeyring(t *testing.T) {
	k, err := spl.NewKey(svmtest.Key("payer"))
	require.NoError(t, err)
	_, err = spl.NewKeyring(k, nil)
	require.ErrorContains(t, err, "signer 1 is nil")
	_, err = spl.NewKeyring(k, k)
	require.ErrorContains(t, err, "stands twice")
	ring, err := spl.NewKeyring(k)
	require.NoError(t, err)
	require.True(t, ring.Has(keyOf("payer")))
	require.False(t, ring.Has(keyOf("owner")))
	raw, err := new(spl.Encoder).AppendPayout(nil, shaped(spl.Shape{Format: spl.V1, Owner: true}, 2))
	require.NoError(t, err)
	before := string(raw)
	require.ErrorIs(t, ring.Sign(t.Context(), raw), spl.ErrNoSigner)
	require.Equal(t, before, string(raw), "nothing half-signed")
	for _, bad := range [][]byte{nil, {0}, {1}, {0x81}, {0x82, 1}, raw[:len(raw)-1], append(raw, 0)} {
		require.ErrorIs(t, ring.Sign(t.Context(), bad), spl.ErrMalformed)
		_, err = spl.TxID(bad)
		require.ErrorIs(t, err, spl.ErrMalformed)
		require.ErrorIs(t, spl.VerifyTx(bad), spl.ErrMalformed)
	}
	_, err = spl.TxID(raw)
	require.ErrorIs(t, err, spl.ErrSignature)
}
