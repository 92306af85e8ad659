package chaos

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// process is a payer under command.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr strings.Builder
}

// crash says where a payer is killed, at the n-th time that it is at a point, from 0, and what happens to its journal then.
type crash struct {
	point string
	skip  int
	then  []string
}

// start runs this program again as a payer.
func start(ctx context.Context, j job) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("chaos: find this program: %w", err)
	}
	p := &process{cmd: exec.CommandContext(ctx, self)} //nolint:gosec // this very program
	p.cmd.Env = append(os.Environ(), PayerEnv+"=1")
	p.cmd.Stderr = &p.stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("chaos: start a payer: %w", err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("chaos: start a payer: %w", err)
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("chaos: start a payer: %w", err)
	}
	if err := p.write(j); err != nil {
		return nil, p.fault(err)
	}
	return p, nil
}

// do gives a command and follows it to its end, or kills the payer on the way, at the first point that a crash waits for. It
// returns that crash, or nil.
func (p *process) do(c command, wait []*crash) (s status, killed *crash, err error) {
	if err := p.write(c); err != nil {
		return s, nil, p.fault(err)
	}
	for {
		text, err := p.out.ReadString('\n')
		if err != nil {
			return s, nil, p.fault(err)
		}
		text = strings.TrimSuffix(text, "\n")
		point, ok := strings.CutPrefix(text, "at ")
		if !ok {
			s, err := parseStatus(text)
			if err != nil {
				return s, nil, p.fault(fmt.Errorf("it says %q: %w", text, err))
			}
			return s, nil, nil
		}
		for _, at := range wait {
			if at.point != point {
				continue
			}
			if at.skip--; at.skip < 0 {
				return s, at, p.kill()
			}
		}
		if _, err := io.WriteString(p.in, "go\n"); err != nil {
			return s, nil, p.fault(err)
		}
	}
}

// kill is kill -9: the payer has no say in it.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("chaos: kill a payer: %w", err)
	}
	_ = p.cmd.Wait() // it says that it was killed
	return nil
}

func (p *process) write(x any) error {
	text, err := json.Marshal(x)
	if err != nil {
		return err
	}
	_, err = p.in.Write(append(text, '\n'))
	return err
}

// fault is for a payer that ended by itself.
func (p *process) fault(err error) error {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	return fmt.Errorf("chaos: a payer ended: %w\n%s", err, p.stderr.String())
}
