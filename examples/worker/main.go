// Command worker is a supplier's agent: it probes the machine's GPUs, reports them to a reference server, sends heartbeats
// with their health, answers challenges of work and memory, and shows in the terminal what it does. It connects again by
// itself when the server or the line comes back.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/idlegrid/idlegrid/internal/host"
	"github.com/idlegrid/idlegrid/internal/worker"
)

type options struct {
	server, fake, key string
	every             time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.server, "server", "http://127.0.0.1:8080", "reference server")
	flag.StringVar(&o.fake, "fake", "", "a made-up host instead of this machine: h100x8, a4000x1, ...; the processor answers its challenges")
	flag.StringVar(&o.key, "key", "", "file of the agent's key, made the first time (default: idlegrid/worker.key in the user's configuration folder)")
	flag.DurationVar(&o.every, "every", 30*time.Second, "between heartbeats, 1s or more")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, out io.Writer) error {
	key, err := worker.Keep(o.key)
	if err != nil {
		return err
	}
	h, err := host.Open(ctx, o.fake, time.Now)
	if err != nil {
		return err
	}
	defer h.Close() //nolint:errcheck // nothing is lost with it
	w, err := worker.New(worker.Config{
		Server: o.server, Key: key, Source: h, Prover: h.Prover, Every: o.every, HTTP: &http.Client{Timeout: time.Minute},
		Health: h.Health,
		Tested: h.Tested,
		Show:   func(s worker.State) { show(out, s) },
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "Agent %x of %s.\nIf the server does not know it, its operator enrols it with this command:\n"+
		`  {"kind":"enrol","command":{"node":"my-node","key":"%x","supplier":"my-wallet"}}`+"\n", key[32:], o.server, key[32:])
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return h.Follow(ctx) })
	g.Go(func() error { return w.Run(ctx) })
	return g.Wait()
}

// show prints one line for a state.
func show(to io.Writer, s worker.State) {
	out := &bytes.Buffer{}
	fmt.Fprintf(out, "%s %-12s %d GPUs, %d reports taken", s.At.Format(time.TimeOnly), s.Doing, len(s.Inventory.Devices), s.Beats)
	if s.Next > 0 {
		fmt.Fprintf(out, ", next in %v", s.Next.Round(100*time.Millisecond))
	}
	for i, d := range s.Inventory.Devices {
		if v, ok := s.Verdicts[d.ID]; ok {
			result := "passed"
			if !v.Passed() {
				result = string(v.Reason) + ": " + v.Text
			}
			fmt.Fprintf(out, "; GPU %d %s at %d Gop/s", i, result, v.OpsPerSec/1_000_000_000)
		}
	}
	if s.Trouble != "" {
		fmt.Fprintf(out, "; %s", s.Trouble)
	}
	fmt.Fprintln(out)
	_, _ = out.WriteTo(to) // a terminal that is gone does not stop the agent
}
