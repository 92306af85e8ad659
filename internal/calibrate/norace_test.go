//go:build !race

package calibrate_test

// underRace says that the race detector watches.
const underRace = false
