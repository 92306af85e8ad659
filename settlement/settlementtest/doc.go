// Package settlementtest is the conformance test of settlement.Chain, with the mishaps and the store that it needs.
//
// # Model
//
// A [Rig] is a chain with accounts that have money. [Exercise] runs a runner over a fresh rig for each case, and looks at
// balances, supplies and books afterwards. [Unlucky] is a chain on the way to which things get lost, and [Store] a store in
// memory.
//
// Rules that Exercise holds a chain to: money is paid once, whatever becomes of a send or its reply, and wherever between
// two operations the process dies; the same bytes may be sent again; of two attempts at one batch one lands; an attempt
// that never arrived expires; a recipient without an account is refused by name while the others are paid; a bundle is
// carried whole or not at all; a burn lowers the supply.
//
// # Worked example
//
// The crash case counts the operations of a run (append, prepare, send, look), then runs it again for each of them, once
// with the process dying before and once after it, on what the store then holds. A run of one batch over Memory has eight
// operations, hence sixteen deaths, and ann has 500 units more at the end of each.
//
// # Rounding and errors
//
// Units are base units; nothing is rounded. A broken rule fails the test it is in.
//
// # What it does not do
//
// It does not fork the chain, does not lie about heights or statuses, and does not lose the store.
//
// # Sources
//
// The cases are those of the package documentation of settlement.
package settlementtest
