//go:build race

package calibrate_test

// underRace says that the race detector watches, under which a question about the real record takes minutes.
const underRace = true
