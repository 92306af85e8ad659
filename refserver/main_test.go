package main

import (
	"bytes"
	"flag"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/tokenomics"
)

func TestParse(t *testing.T) {
	usual := options{addr: "127.0.0.1:8080", speed: 360, proofs: time.Hour}
	for name, tc := range map[string]struct {
		args []string
		want func(*options)
	}{
		"nothing": {nil, func(*options) {}},
		"demo":    {[]string{"-demo"}, func(o *options) { o.demo = true }},
		"all": {[]string{"-demo", "-speed", "3600", "-v", "-addr", "[::1]:0"}, func(o *options) {
			*o = options{addr: "[::1]:0", demo: true, speed: 3600, verbose: true, proofs: time.Hour}
		}},
		"slowest":   {[]string{"-demo", "-speed=1"}, func(o *options) { o.demo, o.speed = true, 1 }},
		"localhost": {[]string{"--addr=localhost:80"}, func(o *options) { o.addr = "localhost:80" }},
		"data":      {[]string{"-data", "x"}, func(o *options) { o.data = "x" }},
		"proofs":    {[]string{"-proofs", "1m", "-rates", "r"}, func(o *options) { o.proofs, o.rates = time.Minute, "r" }},
		"none":      {[]string{"-proofs", "0"}, func(o *options) { o.proofs = 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			var said bytes.Buffer
			got, err := parse(tc.args, &said)
			require.NoError(t, err)
			require.Empty(t, said.String())
			want := usual
			tc.want(&want)
			require.Equal(t, want, got)
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for args, says := range map[string]string{
		"-nothing":                "flag provided but not defined: -nothing",
		"-speed fast":             "invalid value",
		"-speed 0":                "-speed 0: want 1 to 3600",
		"-speed -1":               "-speed -1",
		"-demo -speed 3601":       "-speed 3601",
		"-speed 60":               "-speed goes with -demo only",
		"serve":                   `unexpected argument "serve"`,
		"-demo true":              `unexpected argument "true"`,
		"-addr 8080":              "missing port",
		"-addr ":                  "missing port",
		"-addr :8080":             "only a loopback address",
		"-addr 0.0.0.0:8080":      "only a loopback address",
		"-addr [::]:8080":         "only a loopback address",
		"-addr 192.168.1.7:8080":  "only a loopback address",
		"-addr idlegrid.test:80":  "only a loopback address",
		"-addr 127.0.0.1.test:80": "only a loopback address",
		"-demo -data x":           "-demo keeps nothing",
		"-proofs 59s":             "-proofs 59s: want 0, or 1m to 24h",
		"-proofs 25h":             "-proofs 25h0m0s: want 0, or 1m to 24h",
		"-demo -rates x":          "-demo has no real machines",
	} {
		t.Run(args, func(t *testing.T) {
			var said bytes.Buffer
			_, err := parse(strings.Split(args, " "), &said)
			require.Error(t, err)
			require.Contains(t, said.String(), says)
		})
	}
	var said bytes.Buffer
	_, err := parse([]string{"-h"}, &said)
	require.ErrorIs(t, err, flag.ErrHelp)
	for _, name := range []string{"-addr", "-data", "-demo", "-speed", "-v"} {
		require.Contains(t, said.String(), name)
	}
}

func TestPortTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	data := filepath.Join(t.TempDir(), "data")
	err = run(t.Context(), options{addr: l.Addr().String(), data: data, speed: 1}, io.Discard, io.Discard)
	require.ErrorContains(t, err, "another program has the port; -addr 127.0.0.1:0 takes a free one")
	require.NoDirExists(t, data, "nothing is made for a server that cannot be reached")
}

func TestDataFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	err := run(t.Context(), options{addr: "127.0.0.1:0", data: file}, io.Discard, io.Discard)
	require.ErrorContains(t, err, file)

	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "AppData"} {
		t.Setenv(name, "")
	}
	err = run(t.Context(), options{addr: "127.0.0.1:0"}, io.Discard, io.Discard)
	require.ErrorContains(t, err, "name a folder with -data")
}

func TestKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "operator.token")
	first, err := kept(path, "one")
	require.NoError(t, err)
	require.Equal(t, "one", first)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	again, err := kept(path, "two")
	require.NoError(t, err)
	require.Equal(t, first, again)

	require.NoError(t, os.WriteFile(path, []byte(" \n"), 0o600))
	_, err = kept(path, "three")
	require.ErrorContains(t, err, "is empty: remove it")
	_, err = kept(t.TempDir(), "a folder stands there")
	require.Error(t, err)
}

// A network begins with the epoch in which it was first started, and keeps to it.
func TestFirstEpoch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "first.epoch")
	now, err := tokenomics.IONet().Calendar.At(time.Now())
	require.NoError(t, err)
	first, err := firstEpoch(path)
	require.NoError(t, err)
	require.InDelta(t, uint64(now), uint64(first), 1)

	require.NoError(t, os.WriteFile(path, []byte("105\n"), 0o600))
	first, err = firstEpoch(path)
	require.NoError(t, err)
	require.Equal(t, tokenomics.Epoch(105), first)
	for _, bad := range []string{"0", "-1", "now", "99999999999"} {
		require.NoError(t, os.WriteFile(path, []byte(bad), 0o600))
		_, err = firstEpoch(path)
		require.ErrorContains(t, err, "want the number of an epoch")
	}
}
