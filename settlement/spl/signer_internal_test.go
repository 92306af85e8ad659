package spl

import (
	"context"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// fickle is a signer that does not do as RFC 8032 says.
type fickle struct {
	Signer
	flip [2]byte // of the first and the second signature
	n    int
}

func (f *fickle) Sign(ctx context.Context, message []byte) ([64]byte, error) {
	s, err := f.Signer.Sign(ctx, message)
	s[0] ^= f.flip[f.n%2]
	f.n++
	return s, err
}

// TestMarkerSecret is the same for one key wherever it lives, and refuses signatures that are not deterministic or wrong.
func TestMarkerSecret(t *testing.T) {
	private := svmtest.Key("payer")
	memory, err := NewKey(private)
	require.NoError(t, err)
	var list []string
	for _, b := range private {
		list = append(list, strconv.Itoa(int(b)))
	}
	path := filepath.Join(t.TempDir(), "id.json")
	require.NoError(t, os.WriteFile(path, []byte("["+strings.Join(list, ",")+"]"), 0o600))
	file, err := LoadKey(path)
	require.NoError(t, err)
	script := `const c = require('crypto');
const key = c.createPrivateKey({ key: Buffer.from('302e020100300506032b657004220420' + process.argv[1], 'hex'), format: 'der', type: 'pkcs8' });
let text = '';
process.stdin.on('data', (d) => { text += d; }).on('end', () => console.log(c.sign(null, Buffer.from(text, 'base64'), key).toString('base64')));`
	child, err := NewProcess(ProcessConfig{Account: memory.PublicKey(), Argv: []string{"node", "-e", script, hex.EncodeToString(private.Seed())}})
	require.NoError(t, err)
	limited, err := NewLimited(memory, LimitedConfig{Window: time.Hour, Now: time.Now})
	require.NoError(t, err)

	want, err := hkdf.Key(sha256.New, ed25519.Sign(private, []byte(markerText)), nil, markerText, 32)
	require.NoError(t, err)
	for _, s := range []Signer{memory, file, child, limited} {
		got, err := markerSecret(t.Context(), s)
		require.NoError(t, err)
		require.Equal(t, want, got[:])
	}
	other, err := NewKey(svmtest.Key("other"))
	require.NoError(t, err)
	secret, err := markerSecret(t.Context(), other)
	require.NoError(t, err)
	require.NotEqual(t, want, secret[:])

	_, err = markerSecret(t.Context(), &fickle{Signer: memory, flip: [2]byte{1, 1}})
	require.ErrorIs(t, err, ErrSignature)
	_, err = markerSecret(t.Context(), &fickle{Signer: memory, flip: [2]byte{0, 1}})
	require.ErrorContains(t, err, "two signatures")
	_, err = markerSecret(t.Context(), nameless{memory})
	require.ErrorContains(t, err, `address "?"`)
}

type nameless struct{ Signer }

func (nameless) PublicKey() settlement.Account { return "?" }
