//go:build !race

package attest_test

const underRace = false
