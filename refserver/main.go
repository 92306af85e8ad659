package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/refserver/internal/demo"
	"github.com/idlegrid/idlegrid/refserver/internal/door"
	"github.com/idlegrid/idlegrid/refserver/internal/httpapi"
	"github.com/idlegrid/idlegrid/settlement"
)

// drainWait is how long the requests under way may take when the server ends.
const drainWait = 5 * time.Second

// options are the flags.
type options struct {
	addr, data string
	rates      string
	proofs     time.Duration
	demo       bool
	speed      int
	verbose    bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	o, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		os.Exit(2) // parse has said why
	}
	if err := run(ctx, o, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "refserver:", err)
		os.Exit(1)
	}
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("refserver", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.addr, "addr", "127.0.0.1:8080", "loopback address to listen on")
	f.StringVar(&o.data, "data", "", "folder of the journal (default: idlegrid/refserver in the user's configuration folder)")
	f.StringVar(&o.rates, "rates", "", "file of measured rates by model (default: the vendors' peaks, by which nothing is proven)")
	f.DurationVar(&o.proofs, "proofs", time.Hour, "challenge every node once in so long, 1m to 24h; 0 challenges none")
	f.BoolVar(&o.demo, "demo", false, "run a network of made-up machines and renters on the real Solana runtime; keeps nothing")
	f.IntVar(&o.speed, "speed", 360, "with -demo: seconds of the network in one of ours, 1 to 3600")
	f.BoolVar(&o.verbose, "v", false, "log every fact")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	speed := false
	f.Visit(func(x *flag.Flag) { speed = speed || x.Name == "speed" })
	var err error
	switch host, _, split := net.SplitHostPort(o.addr); {
	case f.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", f.Arg(0))
	case split != nil:
		err = fmt.Errorf("-addr %q: %w", o.addr, split)
	case host != "localhost" && !net.ParseIP(host).IsLoopback():
		err = fmt.Errorf("-addr %q: only a loopback address: this server has no users and no TLS", o.addr)
	case o.speed < 1 || o.speed > 3600:
		err = fmt.Errorf("-speed %d: want 1 to 3600", o.speed)
	case speed && !o.demo:
		err = errors.New("-speed goes with -demo only")
	case o.proofs != 0 && (o.proofs < time.Minute || o.proofs > 24*time.Hour):
		err = fmt.Errorf("-proofs %s: want 0, or 1m to 24h", o.proofs)
	case o.demo && o.rates != "":
		err = errors.New("-demo has no real machines to be challenged: it goes without -rates")
	case o.demo && o.data != "":
		err = errors.New("-demo keeps nothing: it goes without -data")
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "refserver:", err) // nobody to tell if that fails
	}
	return o, err
}

// server is what runs behind the page.
type server struct {
	door   *door.Door
	chains []settlement.Chain // endpoints of one chain; none if none is connected
	moves  func(context.Context) error
	close  func() error
	config httpapi.Config
}

func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	level := slog.LevelInfo
	if o.verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.addr)
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("%w: another program has the port; -addr 127.0.0.1:0 takes a free one", err)
		}
		return err
	}
	defer listener.Close() //nolint:errcheck // closed by the server; this is for the ways out before it
	s, err := open(ctx, o, log)
	if err != nil {
		return err
	}
	handler, err := httpapi.New(s.config)
	if err != nil {
		return errors.Join(err, s.close())
	}
	web := &http.Server{
		Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	if _, err := fmt.Fprintf(stdout, "idlegrid refserver: %s\nhttp://%s\n", s.config.Mode, listener.Addr()); err != nil {
		return errors.Join(err, s.close())
	}
	return errors.Join(serve(ctx, web, listener, s), s.close())
}

// serve runs everything until the context ends, and then lets the requests that are under way come to their end.
func serve(ctx context.Context, web *http.Server, listener net.Listener, s *server) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainWait)
		defer cancel()
		if err := web.Shutdown(drain); err != nil {
			return errors.Join(fmt.Errorf("requests did not come to their end in %s: %w", drainWait, err), web.Close())
		}
		return nil
	})
	g.Go(func() error {
		var runner *settlement.Runner
		if len(s.chains) > 0 {
			runner = s.door.Runner(s.chains...)
		}
		return s.door.Run(ctx, 200*time.Millisecond, runner)
	})
	if v := s.config.Verifier; v != nil {
		g.Go(func() error { return v.Run(ctx, 100*time.Millisecond) })
	}
	if s.moves != nil {
		g.Go(func() error { return s.moves(ctx) })
	}
	return g.Wait()
}

func open(ctx context.Context, o options, log *slog.Logger) (*server, error) {
	seen := func(at time.Time, facts []network.Fact) {
		for _, f := range facts {
			log.Debug(network.Describe(f), "at", at)
		}
	}
	if o.demo {
		log.Info("starting the Solana runtime; the first time its packages are installed")
		d, err := demo.Start(ctx, demo.Config{Speed: o.speed, Log: log, Seen: seen})
		if err != nil {
			return nil, err
		}
		return &server{
			door: d.Door, chains: d.Chains(), moves: d.Run, close: func() error { return errors.Join(d.Door.Close(), d.Close()) },
			config: httpapi.Config{
				Door: d.Door, Log: log, Chain: "Solana runtime at " + d.URL(),
				Mode: fmt.Sprintf("a demonstration: made-up machines and renters, one hour in %s", time.Hour/time.Duration(o.speed)),
			},
		}, nil
	}
	return openKept(o, log, seen)
}
