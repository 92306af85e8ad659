//go:build race

package sched

// underRace says that the race detector watches, under which the long tests would take minutes.
const underRace = true
