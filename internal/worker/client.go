package worker

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/idlegrid/idlegrid/gpu/challenge"
)

const (
	maxAnswer = 1 << 20 // bytes that a server may answer
	retries   = 5       // of an answer whose step was lost
)

// client speaks to the server. Its errors are *RefusedError for a no that was understood, and the transport's.
type client struct {
	http *http.Client
	base string // without a slash at the end
}

// nonce asks for the nonce of the next report.
func (c client) nonce(ctx context.Context, key [32]byte) (challenge.Hash, error) {
	body, err := json.Marshal(map[string]string{"key": hex.EncodeToString(key[:])})
	if err != nil {
		return challenge.Hash{}, err
	}
	var out struct {
		Nonce challenge.Hash `json:"nonce"`
	}
	err = c.post(ctx, "/api/v1/challenges", "application/json", body, &out)
	return out.Nonce, err
}

// report hands in what was signed.
func (c client) report(ctx context.Context, signed []byte) (Ack, error) {
	var out Ack
	err := c.post(ctx, "/api/v1/reports", "application/octet-stream", signed, &out)
	return out, err
}

// answer hands in an answer to a step of a challenge. Where the line fails it hands in the same bytes again, at once and then
// after 100 ms and twice as long each time: the server may have taken them, and the clock runs.
func (c client) answer(ctx context.Context, id string, device int, signed []byte) (Step, error) {
	path := fmt.Sprintf("/api/v1/proofs/%s/%d", id, device)
	pause := time.Duration(0)
	for try := 0; ; try++ {
		var out Step
		err := c.post(ctx, path, "application/octet-stream", signed, &out)
		var no *RefusedError
		if err == nil || errors.As(err, &no) || try == retries {
			return out, err
		}
		select {
		case <-ctx.Done():
			return Step{}, err
		case <-time.After(pause):
		}
		pause = max(2*pause, 100*time.Millisecond)
	}
}

func (c client) post(ctx context.Context, path, media string, body []byte, out any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	req.Header.Set("Content-Type", media)
	res, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("worker: %s: %w", path, err)
	}
	if res.StatusCode/100 != 2 {
		return refused(res.StatusCode, b)
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("worker: %s: %w", path, err)
	}
	return nil
}
