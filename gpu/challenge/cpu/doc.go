// Package cpu answers challenges on the processor, in plain Go: the reference that provers on GPUs are compared to.
//
// # Model
//
// A [Prover] is a challenge.Prover and a challenge.Walker. It keeps no product: of each round's tree it holds the levels
// from the 4th on, and to open a leaf it recomputes the 16 leaves under one of the nodes that it holds. Rows of A are made
// in stripes of 64, which its workers share; Bt is held whole.
//
// The kernel of plain Go packs three columns of Bt into a word of 64 bits, 21 bits each (four columns of 16 bits for
// nibbles), so that one multiplication makes three products. Sums of 32 products fit their fields and are then unpacked.
// Built with GOEXPERIMENT=simd on amd64, a kernel of 16-bit products in AVX2 registers takes its place where the processor
// has them. Both are exact, and a test holds them to one another.
//
// # Example
//
// N = 1024, W = 32, T = 1: 2.1e9 operations. Bt takes 1 MiB, the tree's upper levels 128 KiB, and a stripe 64 rows of C, 256 KiB
// for each worker. Opening 128 leaves recomputes 2048 leaves of 32 entries.
//
// # Errors
//
// [ErrMemory] says that a task needs more than Config.MaxBytes, [ErrUncommitted] that there is nothing to open yet. Bad
// specs wrap challenge.ErrInvalid, an ended context gives its error. There is no rounding.
//
// # What it does not do
//
// It is no measure of a GPU, and no processor's rate is in the table of rates: a processor that passes a challenge in time
// shows that the deadline was too long.
//
// # Sources
//
// The protocol is that of package challenge.
package cpu
