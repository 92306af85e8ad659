// Package chaos is the campaign that tries to make payouts wrong: real payers, killed and lied to, on the real Solana runtime.
//
// # Model
//
// A [Script] is one history: a mode, a world of so many batches, and operations, each at a tick. [Generate] makes one from a mode
// and a seed; [Run] plays it and returns an [Outcome]. A payer is a child process, which runs [Payer]: a journal in a file, a
// Runner, three endpoints of one local runtime. It takes a step when it is told to, says where in the step it is, and goes on
// only when it is told to; so it can be killed at any of these points, with SIGKILL, and a script is a history and no race.
// Faults of RPC are keyed to the n-th call and blocks move only between steps.
//
// # Rules
//
// At the end of a script all is healed: faults are gone, accounts are as they should be, refused lines are retried. Then every
// recipient has what it is owed, to the base unit; what is more is over, what is less is under. Modes in which the protocol runs
// must come out 0 and 0, agree with the chain line by line, and need no more attempts than there are bad recipients. Controls,
// payers that each lack one rule of the protocol, must overpay in the campaign: if they do not, it proves nothing.
//
//	protocol        one journal, killed and torn at any point
//	protocol-lost   the journal is deleted at crashes and recovered from the chain
//	protocol-lying  endpoints forget statuses, transactions, and give the slot as the height; at times two of three, a quorum
//	protocol-race   two payers over one key, each with a journal of its own; one may sleep while the other takes rent back
//	naive           control: signs again on an error, or when nothing is seen for a while
//	nomarker        control: the protocol, but every attempt has a marker of its own, so that none stops another
//	early-reclaim   control: two payers who take a marker's rent back as soon as its batch is paid
//
// # Example
//
// At tick 3 the second call of sendTransaction lands 40 blocks late; at tick 5 payer 0 is killed after it has written its first
// Signed, of which 3 bytes are then missing on the disk:
//
//	mode protocol
//	world 4 8 40 7
//	at 3 fault -1 sendTransaction 1 1 land-late 40
//	at 5 crash 0 append.after.Signed 1 torn 3
//
// # Rounding and errors
//
// Units are whole. An error of Run is one of the machinery; that a payer did wrong is in the Outcome. A script that fails is made
// shorter by [Shrink], as long as it fails.
//
// # What it does not do
//
// Leaders, block limits and a fee market are not modelled; see package svmtest. A call that hangs ends by the client's clock, so
// that a machine that is very slow may see another history than a quick one, never another verdict. Clocks jump half
// a day only when blocks enough have passed for all that was signed to be dead, as they have after Params.ReclaimAfterSeconds: that
// is the one thing for which the protocol trusts time. A payer that hears of a decision later than that recovers first, as one whose
// journal lacks its end: a journal takes what it hears for new. Keys are not changed within a history.
//
// # Sources
//
// The faults are those of the reports that docs/design names. Shrinking: Zeller and Hildebrandt, "Simplifying and Isolating
// Failure-Inducing Input", IEEE TSE 28(2), 2002.
package chaos
