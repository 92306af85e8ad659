//go:build race

package chaos_test

// rounds is how many histories of each mode the short campaign plays: fewer where the race detector makes every payer slower.
const rounds = 3
