//go:build !race

package sched

// underRace says that the race detector watches.
const underRace = false
