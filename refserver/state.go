package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/refserver/internal/door"
	"github.com/idlegrid/idlegrid/refserver/internal/httpapi"
	"github.com/idlegrid/idlegrid/refserver/internal/verifier"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// openKept opens the network whose state lies in the data folder: its journal, the first epoch that it closes, and the
// operator's token.
func openKept(o options, log *slog.Logger, seen func(time.Time, []network.Fact)) (*server, error) {
	if o.data == "" {
		home, err := os.UserConfigDir()
		if err != nil {
			return nil, fmt.Errorf("where to keep the journal: %w; name a folder with -data", err)
		}
		o.data = filepath.Join(home, "idlegrid", "refserver")
	}
	if err := os.MkdirAll(o.data, 0o700); err != nil {
		return nil, err
	}
	first, err := firstEpoch(filepath.Join(o.data, "first.epoch"))
	if err != nil {
		return nil, err
	}
	token, err := kept(filepath.Join(o.data, "operator.token"), rand.Text())
	if err != nil {
		return nil, err
	}
	d, err := door.Open(door.Config{
		Params: network.IONet(network.Accounts{Rewards: "rewards", Escrow: "escrow", Treasury: "treasury", Desk: "desk"}, first),
		Path:   filepath.Join(o.data, "journal"), Now: time.Now, Log: log, Seen: seen,
	})
	if err != nil {
		return nil, err
	}
	v, err := openVerifier(o, d, log)
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return &server{door: d, close: d.Close, config: httpapi.Config{
		Door: d, Log: log, Token: token, Mode: "journal and operator's token in " + o.data, Verifier: v,
	}}, nil
}

// openVerifier returns what challenges the nodes; nil if nothing shall.
func openVerifier(o options, d *door.Door, log *slog.Logger) (*verifier.Verifier, error) {
	if o.proofs == 0 {
		return nil, nil //nolint:nilnil // no verifier is no fault
	}
	rates, err := verifier.ReadRates(o.rates)
	if err != nil {
		return nil, err
	}
	return verifier.New(verifier.Config{
		Params: challenge.DefaultParams(), Schedule: challenge.Schedule{Epoch: o.proofs}, Rates: rates,
		Full: verifier.Full(), Least: verifier.Least(), MemoryPPM: 940_000, Work: min(time.Second, o.proofs/200), Now: time.Now,
		Entropy: rand.Reader, Log: log,
		Speaker: func(key [32]byte) (node string) {
			d.Read(func(n *network.Network) { node = n.Speaker(key) })
			return node
		},
		Do: func(c network.Prove) error {
			_, _, err := d.Do(c)
			return err
		},
	})
}

// firstEpoch is the epoch in which the network was first started. What was emitted before is not this network's business.
func firstEpoch(path string) (tokenomics.Epoch, error) {
	now, err := tokenomics.IONet().Calendar.At(time.Now())
	if err != nil {
		return 0, err
	}
	text, err := kept(path, strconv.FormatUint(uint64(now), 10))
	if err != nil {
		return 0, err
	}
	first, err := strconv.ParseUint(text, 10, 32)
	if err != nil || first == 0 {
		return 0, fmt.Errorf("%s holds %q: want the number of an epoch", path, text)
	}
	return tokenomics.Epoch(first), nil
}

// kept reads a line that is written once and then kept; the first time it is the fresh one.
func kept(path, fresh string) (string, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // in the operator's own folder
	switch {
	case errors.Is(err, os.ErrExist):
	case err != nil:
		return "", err
	default:
		_, err := f.WriteString(fresh + "\n")
		if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
			return "", err
		}
	}
	b, err := os.ReadFile(path) //nolint:gosec // in the operator's own folder
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(string(b))
	if text == "" {
		return "", fmt.Errorf("%s is empty: remove it, and it is made anew", path)
	}
	return text, nil
}
