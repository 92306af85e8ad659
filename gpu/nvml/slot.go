package nvml

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/idlegrid/idlegrid/gpu"
)

// slot lets one goroutine at a time into a device, or into what belongs to no device. A call of the driver cannot be
// cancelled: one that has not returned when its caller gives up leaves the slot stuck, and nobody gets in until it returns.
type slot struct {
	started func() // called when a goroutine gets in, before it starts
	ended   func() // called when it is done

	once    sync.Once
	in      chan struct{} // holds one
	mu      sync.Mutex
	running bool
	stuck   bool
}

// run calls f on a goroutine of its own inside the slot and waits for it, no longer than ctx. An error means that f did not
// start, has not returned (then it wraps gpu.ErrStuck, and f must expect that nobody reads what it does), or panicked.
func run[T any](ctx context.Context, s *slot, f func() T) (T, error) {
	type result struct {
		v   T
		err error
	}
	var none T
	if err := s.enter(ctx); err != nil {
		return none, err
	}
	done := make(chan result, 1)
	go func() {
		defer s.leave()
		var r result
		defer func() { done <- r }()
		defer func() {
			if p := recover(); p != nil { // a binding met an answer that it cannot hold: the device is unreadable, no more
				r.err = fmt.Errorf("%w: %v", errPanicked, p)
			}
		}()
		r.v = f()
	}()
	select {
	case r := <-done:
		return r.v, r.err
	case <-ctx.Done():
	}
	select {
	case r := <-done: // both were ready
		return r.v, r.err
	default:
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) { // a caller that went away early says nothing of the call
		s.abandon()
	}
	return none, stuckBy(ctx)
}

var errPanicked = errors.New("the binding panicked")

// stuckBy says that something has not returned, and how the caller's patience ended.
func stuckBy(ctx context.Context) error {
	return fmt.Errorf("%w: %w", gpu.ErrStuck, context.Cause(ctx))
}

// enter waits for the slot to be free.
func (s *slot) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	s.once.Do(func() { s.in = make(chan struct{}, 1) })
	if s.isStuck() {
		return gpu.ErrStuck
	}
	select {
	case s.in <- struct{}{}:
	case <-ctx.Done():
		return stuckBy(ctx)
	}
	s.mu.Lock()
	s.running = true
	s.mu.Unlock()
	if s.started != nil {
		s.started()
	}
	return nil
}

// leave frees the slot, stuck or not.
func (s *slot) leave() {
	s.mu.Lock()
	s.running, s.stuck = false, false
	s.mu.Unlock()
	if s.ended != nil {
		s.ended()
	}
	<-s.in
}

// abandon marks the slot as stuck if its goroutine is still inside.
func (s *slot) abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stuck = s.running
}

func (s *slot) isStuck() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stuck
}
