//go:build race

package attest_test

// underRace says that the race detector watches, under which a signature takes ten times as long.
const underRace = true
