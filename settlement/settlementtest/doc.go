// Package settlementtest is the conformance test of settlement.Chain, with the mishaps and the store that it needs.
//
// # Model
//
// A [Rig] is a chain with accounts that have money, and with whatever else it offers: a second endpoint, forks, poison, a
// pool. [Exercise] runs a payer, which is a journal with a runner, over a fresh rig for each case, and looks at balances,
// supplies and books afterwards. [Unlucky] is a chain on the way to which things get lost, and [Store] a store in memory.
//
// Rules that Exercise holds a chain to:
//
//   - Money is paid once, whatever becomes of a send or its reply, wherever between two operations the process dies, in
//     whatever order two payers work, and when the whole journal is lost: before, while or after an attempt is on its way.
//   - The same bytes may be sent again; of two attempts at one batch one lands; an attempt that never arrived expires.
//   - A recipient without an account is refused by name while the others are paid, before signing and on the chain; what was
//     refused is paid when it is retried, and not before the batch that refused it is closed.
//   - A batch of which nothing is left is sealed: no earlier attempt at it lands.
//   - A bundle is carried whole or not at all; a burn lowers the supply; a swap gives at least what it promised.
//   - A marker that a stranger has funded is passed over; a marker that was used is emptied in time and not before.
//   - One endpoint of two proves nothing.
//
// A rig that has a second endpoint runs every case with a quorum of two.
//
// # Worked example
//
// The crash case runs a life again and again, with the process dying before its first operation (append, prepare, send, look,
// find), before its second, and so on, and the next process on what the store then holds. Death after an operation is death
// before the next one. Ann has 500 units more at the end of each run, and who had no account has his 70.
//
// # Rounding and errors
//
// Units are base units; nothing is rounded. A broken rule fails the test it is in. A case that a rig does not offer is skipped
// and names what is missing.
//
// # What it does not do
//
// It does not lie about heights or statuses, and knows neither nonces nor multisigs: those are for the tests of the endpoint.
//
// # Sources
//
// The cases are those of the package documentation of settlement.
package settlementtest
