// Package canon writes and reads the canonical encoding in which every core of idlegrid digests and snapshots its state.
//
// The encoding has one form per state, so that two machines that hold the same state hold the same bytes and therefore
// the same SHA-256. Integers are big endian with a fixed width; strings and byte slices carry a uint32 length; a time
// is its Unix seconds (int64) and nanoseconds (uint32), the zone left out; a bool is one byte, 0 or 1. A message begins
// with its domain, a string that names the package and the version of the layout.
//
// A [Writer] cannot fail. A [Reader] remembers its first error and returns zero values from then on, so that a decoder
// reads a whole structure and asks once. It never panics on any input, and never allocates more than the input is long.
package canon
