package svmtest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"github.com/gagliardetto/solana-go/rpc"
	"github.com/gagliardetto/solana-go/rpc/jsonrpc"
)

// BlocksToFinal is how many blocks have to follow until what is in the newest block is final.
const BlocksToFinal = 31

const (
	maxEndpoints = 16
	minKeep      = 600
)

// closeWait is how long Close waits for the child to end by itself.
const closeWait = 5 * time.Second

// errEnded says that the child is no more.
var errEnded = errors.New("the child has ended")

// Config says what chain to start. The zero value is a chain whose blocks move by Advance only.
type Config struct {
	SlotEvery   time.Duration // a block each, in whole milliseconds; 0: Advance only
	StartTime   time.Time     // time of the first block; the zero value is 2026-01-01T00:00:00Z, so that runs are alike
	Port        int           // to listen on; 0: any free one
	RentPerByte uint64        // lamports; 0: 5,080
	Endpoints   int           // RPC endpoints over the one chain, each with a port of its own, 1 to 16; 0: 1
	KeepBlocks  int           // final blocks of which transactions are remembered, 600 or more; 0: all, for ever
}

// Node is a running chain. Its methods are safe for concurrent use.
type Node struct {
	ports  []int
	client *rpc.Client // through the first endpoint's door for tests, where no fault is met
	stdin  io.Closer
	child  *os.Process
	log    *tail
	ended  chan struct{} // closed when the child has ended, after exit is set
	exit   error
	close  sync.Once
}

// Start installs the child if this machine has not got it yet, starts it and returns when it can be used. The context
// bounds the start, not the life of the node, which ends with Close or with this process. It returns ErrNoNode or ErrNoNPM
// if what it needs is missing.
func Start(ctx context.Context, c Config) (*Node, error) {
	if c.SlotEvery < 0 || c.SlotEvery%time.Millisecond != 0 {
		return nil, fmt.Errorf("svmtest: SlotEvery is %s, want whole milliseconds", c.SlotEvery)
	}
	if c.StartTime.IsZero() {
		c.StartTime = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if c.StartTime.Unix() < 0 {
		return nil, fmt.Errorf("svmtest: StartTime is %s, before 1970", c.StartTime)
	}
	if c.RentPerByte == 0 {
		c.RentPerByte = 5080
	}
	if c.Endpoints == 0 {
		c.Endpoints = 1
	}
	if c.Endpoints < 1 || c.Endpoints > maxEndpoints {
		return nil, fmt.Errorf("svmtest: Endpoints is %d, want 1 to %d", c.Endpoints, maxEndpoints)
	}
	if c.KeepBlocks != 0 && c.KeepBlocks < minKeep {
		return nil, fmt.Errorf("svmtest: KeepBlocks is %d, want 0 or at least %d", c.KeepBlocks, minKeep)
	}
	node, err := findNode(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := installed(ctx, node)
	if err != nil {
		return nil, fmt.Errorf("svmtest: %w", err)
	}
	cmd := exec.Command(node, "main.js", //nolint:noctx // lives until Close
		"--start-time", strconv.FormatInt(c.StartTime.Unix(), 10),
		"--port", strconv.Itoa(c.Port),
		"--slot-ms", strconv.FormatInt(c.SlotEvery.Milliseconds(), 10),
		"--rent-per-byte", strconv.FormatUint(c.RentPerByte, 10),
		"--endpoints", strconv.Itoa(c.Endpoints),
		"--keep-blocks", strconv.Itoa(c.KeepBlocks))
	cmd.Dir = dir
	n, err := launch(ctx, cmd)
	if err != nil {
		return nil, fmt.Errorf("svmtest: start the child: %w", err)
	}
	return n, nil
}

// launch starts the child and waits for its first line.
func launch(ctx context.Context, cmd *exec.Cmd) (*Node, error) {
	n := &Node{log: &tail{}, ended: make(chan struct{})}
	cmd.Stderr = n.log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	n.stdin = stdin
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	n.child = cmd.Process
	first := make(chan []byte, 1)
	go func() {
		r := bufio.NewReader(stdout)
		line, _ := r.ReadBytes('\n')
		first <- line
		_, _ = io.Copy(n.log, r)
		n.exit = cmd.Wait()
		close(n.ended)
	}()
	var ready struct{ Ports []int }
	select {
	case line := <-first:
		if err := json.Unmarshal(line, &ready); err != nil || len(ready.Ports) == 0 {
			_ = n.child.Kill()
			<-n.ended
			return nil, fmt.Errorf("it said %q: %w\n%s", line, errors.Join(errEnded, n.exit), n.log)
		}
	case <-ctx.Done():
		_ = n.child.Kill()
		<-n.ended
		return nil, fmt.Errorf("%w\n%s", ctx.Err(), n.log)
	}
	n.ports = ready.Ports
	n.client = rpc.New(n.URL() + "/test")
	return n, nil
}

// URL returns the address of the JSON-RPC of the first endpoint.
func (n *Node) URL() string { return n.URLs()[0] }

// WebsocketURL returns the address of the websocket of the first endpoint.
func (n *Node) WebsocketURL() string { return n.WebsocketURLs()[0] }

// URLs returns the addresses of the JSON-RPC of all endpoints, in their order.
func (n *Node) URLs() []string { return n.addresses("http") }

// WebsocketURLs returns the addresses of the websockets of all endpoints, in their order.
func (n *Node) WebsocketURLs() []string { return n.addresses("ws") }

func (n *Node) addresses(scheme string) []string {
	out := make([]string, len(n.ports))
	for i, port := range n.ports {
		out[i] = scheme + "://127.0.0.1:" + strconv.Itoa(port)
	}
	return out
}

// Close ends the child and waits until it has ended. A second call does nothing.
func (n *Node) Close() error {
	n.close.Do(func() { _ = n.stdin.Close() })
	select {
	case <-n.ended:
		return nil
	case <-time.After(closeWait):
		_ = n.child.Kill()
		<-n.ended
		return fmt.Errorf("svmtest: close: the child had to be killed after %s\n%s", closeWait, n.log)
	}
}

// wrap says what was being done, and what the child has said if it is no more.
func (n *Node) wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	what := fmt.Sprintf(format, args...)
	if refused := (*jsonrpc.RPCError)(nil); errors.As(err, &refused) { // its own text is a dump of many lines
		return fmt.Errorf("svmtest: %s: error %d: %s", what, refused.Code, refused.Message)
	}
	select {
	case <-n.ended:
		return fmt.Errorf("svmtest: %s: %w: %w\n%s", what, errors.Join(errEnded, n.exit), err, n.log)
	default:
		return fmt.Errorf("svmtest: %s: %w", what, err)
	}
}

// tail keeps the last few kilobytes that were written to it.
type tail struct {
	mu   sync.Mutex
	last []byte
}

const tailSize = 4096

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = append(t.last, p...)
	t.last = t.last[max(0, len(t.last)-tailSize):]
	return len(p), nil
}

// String returns what is kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.last)
}
