//go:build !race

package sched_test

// underRace says that the race detector watches.
const underRace = false
