//go:build race

package staking_test

// underRace says that the race detector watches, under which the million events would take five minutes.
const underRace = true
