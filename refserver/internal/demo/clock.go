package demo

import (
	"sync"
	"time"
)

// clock is the network's time: it stands where it is set until it is let go, and then runs at its speed.
type clock struct {
	speed int64

	mu      sync.Mutex // guards the following fields
	at      time.Time
	started time.Time // zero while it stands
	held    time.Time // what everybody sees meanwhile; zero if it is not held
}

// Now returns the network's time.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *clock) now() time.Time {
	switch {
	case !c.held.IsZero():
		return c.held
	case c.started.IsZero():
		return c.at
	}
	return c.at.Add(time.Since(c.started) * time.Duration(c.speed))
}

// hold has everybody see one instant until release, while time goes on beneath. The clocks of agents and network may be 30
// seconds apart, which at full speed are eight milliseconds of ours: without this, a machine that is busy for so long would
// have its demonstration fail.
func (c *clock) hold() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = c.now()
	return c.held
}

func (c *clock) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = time.Time{}
}

func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

func (c *clock) run() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started = time.Now()
}
