// Package devicetest is the test that every prover on a device has to pass: results equal to a slow and obvious computation
// from the definitions of package challenge, openings that verify, and refusals.
package devicetest
