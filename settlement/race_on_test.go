//go:build race

package settlement_test

// raceEnabled says that each step costs about ten times as much, so that fewer histories are played.
const raceEnabled = true
