package door

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/network"
)

// When the journal fails, the command is not applied, nothing more is taken, and everybody hears why.
func TestJournalFails(t *testing.T) {
	now := time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC)
	cfg := Config{
		Params: network.IONet(network.Accounts{Rewards: "rewards", Escrow: "escrow", Treasury: "treasury", Desk: "desk"}, 105),
		Path:   filepath.Join(t.TempDir(), "journal"), Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
	}
	d, err := Open(cfg)
	require.NoError(t, err)
	_, _, err = d.Do(network.Tick{})
	require.NoError(t, err)
	seq, digest, _ := d.Digest()

	require.NoError(t, d.journal.Close()) // the file is gone under the door's feet
	_, _, err = d.Do(network.SetPrice{MicroPerToken: 2_000_000, Source: "test"})
	require.ErrorIs(t, err, ErrClosed)
	require.ErrorIs(t, err, os.ErrClosed, "the cause")
	got, same, audit := d.Digest()
	require.NoError(t, audit)
	require.Equal(t, seq, got)
	require.Equal(t, digest, same)
	require.ErrorIs(t, d.Alive(), os.ErrClosed)
	_, _, err = d.Do(network.Tick{})
	require.ErrorIs(t, err, ErrClosed)
	require.ErrorIs(t, d.Run(t.Context(), time.Hour, nil), os.ErrClosed)
	require.NoError(t, d.Close())

	again, err := Open(cfg)
	require.NoError(t, err)
	got, same, _ = again.Digest()
	require.Equal(t, seq, got)
	require.Equal(t, digest, same)
	require.NoError(t, again.Close())
}
