package calibrate

import (
	"errors"
	"fmt"
	"slices"
)

// ErrInvalid is what every error about the content of a file or an option wraps.
var ErrInvalid = errors.New("calibrate: invalid")

// Gap is the longest distance of two snapshots, in seconds, that counts as observed.
const Gap = 6 * 3600

// Interval is a run of snapshots in which a node was listed, by number: From up to, not including, Until.
type Interval struct{ From, Until int }

// Node is one node of a trace. Its intervals ascend, and between two of them at least one snapshot lacks the node.
type Node struct {
	ID uint64
	Up []Interval
}

// Trace says which nodes were up at which moments.
type Trace struct {
	Times []int64 // Unix seconds of the snapshots, ascending
	Nodes []Node  // by ID ascending

	observed []int64 // observed[s]: seconds up to snapshot s in steps of at most Gap
}

// NewTrace checks a trace and puts its nodes in order. It keeps the slices.
func NewTrace(times []int64, nodes []Node) (*Trace, error) {
	t := &Trace{Times: times, Nodes: nodes, observed: make([]int64, len(times))}
	for s := 1; s < len(times); s++ {
		step := times[s] - times[s-1]
		if step <= 0 {
			return nil, fmt.Errorf("%w: snapshot %d is not after the one before", ErrInvalid, s)
		}
		if t.observed[s] = t.observed[s-1]; step <= Gap {
			t.observed[s] += step
		}
	}
	slices.SortFunc(nodes, func(a, b Node) int {
		switch {
		case a.ID < b.ID:
			return -1
		case a.ID > b.ID:
			return 1
		}
		return 0
	})
	for i, n := range nodes {
		if i > 0 && n.ID == nodes[i-1].ID {
			return nil, fmt.Errorf("%w: node %d is there twice", ErrInvalid, n.ID)
		}
		if len(n.Up) == 0 {
			return nil, fmt.Errorf("%w: node %d was never up", ErrInvalid, n.ID)
		}
		slices.SortFunc(n.Up, func(a, b Interval) int { return a.From - b.From })
		last := -1
		for _, up := range n.Up {
			if up.From <= last || up.Until <= up.From || up.Until > len(times) {
				return nil, fmt.Errorf("%w: node %d: interval %d to %d after %d, of %d snapshots", ErrInvalid, n.ID, up.From, up.Until, last, len(times))
			}
			last = up.Until
		}
	}
	return t, nil
}

// Cut returns the trace as it was when the first n snapshots had been taken. It shares nothing with t.
func (t *Trace) Cut(n int) *Trace {
	var nodes []Node
	for _, node := range t.Nodes {
		var up []Interval
		for _, v := range node.Up {
			if v.From < n {
				up = append(up, Interval{From: v.From, Until: min(v.Until, n)})
			}
		}
		if len(up) > 0 {
			nodes = append(nodes, Node{ID: node.ID, Up: up})
		}
	}
	return &Trace{Times: slices.Clone(t.Times[:n]), Nodes: nodes, observed: slices.Clone(t.observed[:n])}
}

// span is the interval that holds snapshot s, or the last before it; -1 if the node was not seen yet.
func (n *Node) span(s int) int {
	i, found := slices.BinarySearchFunc(n.Up, s, func(v Interval, s int) int { return v.From - s })
	if found {
		return i
	}
	return i - 1
}
