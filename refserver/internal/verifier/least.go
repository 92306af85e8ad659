package verifier

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/idlegrid/idlegrid/gpu/challenge"
)

// Least is the task of a device whose rate nobody measured: a second of a slow processor. It shows that the agent can do the
// protocol, and how fast it answers at least; it proves nothing of the model.
func Least() challenge.Spec {
	return challenge.Spec{
		Version: challenge.Version, N: 512, Rounds: 1, Width: 32, Openings: 32,
		Memory: challenge.MemorySpec{Bytes: 4 << 20, Cost: 8, Lanes: 64, Segments: 4, Steps: 64, Openings: 4},
	}
}

// Full is the shape of the task of a device whose rates are known. 128 openings catch 5 % of skipped leaves with 99.86 %. A
// line of the table costs 8 x 256 calls of Philox, so that holding it is at least some 50 times cheaper than making it anew
// (estimate). 131072 lanes hide the latency of a GPU's memory, and 8 segments of 512 reads or more miss 1 % of garbage with
// 1e-17 at most.
func Full() challenge.Spec {
	return challenge.Spec{
		Version: challenge.Version, Width: 32, Openings: 128,
		Memory: challenge.MemorySpec{Cost: 256, Lanes: 1 << 17, Steps: 512, Openings: 8},
	}
}

// ReadRates reads a file of measured rates: a JSON list of challenge.Rate. Without a file there are the vendors' peaks only,
// which bound from above and prove nothing.
func ReadRates(path string) (*challenge.Rates, error) {
	if path == "" {
		return challenge.NewRates(challenge.PublishedRates())
	}
	b, err := os.ReadFile(path) //nolint:gosec // the operator's own file
	if err != nil {
		return nil, fmt.Errorf("verifier: rates: %w", err)
	}
	var rows []challenge.Rate
	if err := json.Unmarshal(b, &rows); err != nil {
		return nil, fmt.Errorf("verifier: rates: %s: %w", path, err)
	}
	t, err := challenge.NewRates(rows)
	if err != nil {
		return nil, fmt.Errorf("verifier: rates: %s: %w", path, err)
	}
	return t, nil
}
