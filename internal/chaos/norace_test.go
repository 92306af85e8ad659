//go:build !race

package chaos_test

// rounds is how many histories of each mode the short campaign plays.
const rounds = 4
