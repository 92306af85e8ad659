//go:build !race

package staking_test

// underRace says that the race detector watches.
const underRace = false
