package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/refserver/internal/door"
	"github.com/idlegrid/idlegrid/refserver/internal/verifier"
	"github.com/idlegrid/idlegrid/sched"
	"github.com/idlegrid/idlegrid/staking"
)

// problem is an answer of RFC 9457.
type problem struct {
	Type     string `json:"type"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail"`
	Instance string `json:"instance,omitempty"`
	Job      *jam   `json:"unplaceable,omitempty"`
}

// jam is why a job cannot be placed.
type jam struct {
	Nodes       int          `json:"nodes_considered"`
	Refusals    []refusal    `json:"refusals"`
	Largest     int          `json:"largest_gang"`
	Relaxations []relaxation `json:"relaxations,omitempty"`
}

type refusal struct {
	Reason  string `json:"reason"`
	Nodes   int    `json:"nodes"`
	Devices int    `json:"devices"`
	Have    uint64 `json:"have"`
	Need    uint64 `json:"need"`
}

type relaxation struct {
	Changes   []string   `json:"changes"`
	Minimal   bool       `json:"minimal"`
	Placement placedView `json:"placement"` // the proof: where the changed job would go
}

// badRequest is a fault of the request itself, found before any command was made of it.
type badRequest struct {
	status int
	detail string
}

func (e *badRequest) Error() string { return e.detail }

func bad(detail string) error { return &badRequest{http.StatusBadRequest, detail} }

// describe finds the answer for an error.
func describe(err error) problem {
	p := problem{Type: "about:blank", Status: http.StatusUnprocessableEntity, Detail: err.Error()}
	var request *badRequest
	var place *sched.UnplaceableError
	var lie *gpu.ContradictionError
	var taken *gpu.IdentityTakenError
	var short *staking.ShortStakeError
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &request):
		p.Status = request.status
	case errors.As(err, &long):
		p.Status = http.StatusRequestEntityTooLarge
	case errors.As(err, &place):
		p.Type, p.Status, p.Title, p.Job = "urn:idlegrid:unplaceable", http.StatusConflict, "job cannot be placed", jamOf(place)
	case errors.As(err, &lie):
		p.Type, p.Title = "urn:idlegrid:contradiction", "inventory contradicts itself"
	case errors.As(err, &taken):
		p.Type, p.Status, p.Title = "urn:idlegrid:identity-taken", http.StatusConflict, "device belongs to another key"
	case errors.As(err, &short):
		p.Type, p.Title = "urn:idlegrid:short-stake", "stake below the minimum"
	case errors.Is(err, gpu.ErrSignature), errors.Is(err, gpu.ErrUnknownKey), errors.Is(err, gpu.ErrRevoked), errors.Is(err, gpu.ErrExpired):
		p.Type, p.Status, p.Title = "urn:idlegrid:forged", http.StatusForbidden, "not signed by an enrolled key"
	case errors.Is(err, gpu.ErrReplay), errors.Is(err, gpu.ErrSkew), errors.Is(err, gpu.ErrNonce):
		p.Type, p.Status, p.Title = "urn:idlegrid:replayed", http.StatusConflict, "report was used before, or is not fresh"
	case errors.Is(err, gpu.ErrStale):
		p.Type, p.Status, p.Title = "urn:idlegrid:stale", http.StatusConflict, "an inventory is wanted first"
	case errors.Is(err, verifier.ErrOrder):
		p.Status = http.StatusConflict
	case errors.Is(err, network.ErrUnknownNode), errors.Is(err, sched.ErrUnknownLease), errors.Is(err, verifier.ErrUnknown):
		p.Status = http.StatusNotFound
	case errors.Is(err, network.ErrKnownNode), errors.Is(err, sched.ErrDuplicateJob):
		p.Status = http.StatusConflict
	case errors.Is(err, door.ErrClosed):
		p.Status = http.StatusServiceUnavailable
	}
	if p.Title == "" {
		p.Title = http.StatusText(p.Status)
	}
	return p
}

func jamOf(e *sched.UnplaceableError) *jam {
	j := &jam{Nodes: e.Considered, Largest: e.Largest}
	for _, r := range e.Refusals {
		j.Refusals = append(j.Refusals, refusal{Reason: r.Reason.String(), Nodes: r.Nodes, Devices: r.Devices, Have: r.Have, Need: r.Need})
	}
	for _, r := range e.Relax {
		out := relaxation{Minimal: r.Minimal, Placement: placementView(r.Placement)}
		for _, c := range r.Changes {
			out.Changes = append(out.Changes, c.String())
		}
		j.Relaxations = append(j.Relaxations, out)
	}
	return j
}

// fail answers with a problem.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := describe(err)
	p.Instance = r.URL.EscapedPath()
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	if err := json.NewEncoder(w).Encode(p); err != nil {
		s.cfg.Log.Debug("answer", "err", err)
	}
}

// answer sends a value as JSON.
func (s *server) answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		s.cfg.Log.Debug("answer", "err", err)
	}
}
