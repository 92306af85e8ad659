// Package network composes the cores into one network: what refserver runs and what examples/epoch tells.
//
// # Model
//
// A [Network] is a state machine made of state machines: gpu.Registry (who may report, and what was reported),
// reputation.Book, staking.Pool, sched.Fleet, tokenomics.Supply and settlement.Journal. A [Command] goes in, one at a
// time, in the order of a journal; [Fact] values come out, which say what followed from it. The package holds no rule
// of its own that a core could hold: it only carries the effect of one core as the event of another, and knows that a
// node's name is at once a sched.NodeID, a staking.BondID and a reputation.Subject.
//
// # What follows from what
//
// A report that its registry admits opens a bond; a listing puts the node into the fleet. Heartbeats feed the book; its
// lower bound, the stake, the line and the attestations give the tier; tier and standing go back to the fleet. A lease
// that ends is metered and becomes a bill: the renter pays into the escrow, what is paid in dollars is converted, the
// suppliers get their parts, a part of the revenue is burned, the rest goes to the treasury. Each of these steps is
// decided when the one before it is final on the chain, so that nothing is paid out of money that has not come.
//
// Whenever time passes the end of an epoch, its block is closed before anything else happens: the emission is divided
// among the pools, the eligible nodes are paid by their base scores, and every node that is not eligible is told why.
//
// # Money
//
// For every epoch: emission = paid + carried + held. Dust is carried into the pool's next block. What belongs to an
// empty pool, or to devices of the block that this network does not hold ([OtherScores]), is held in the reward vault; so
// is the dust of a pool from the first block on that does not have it any more. A payment that the chain refuses stays
// owed, and [Retry] decides it anew. [Network.Audit] checks all this and every core's own books.
//
// A refused command changes nothing but the clock: blocks that were due are closed all the same. The same commands give
// the same [Network.Digest] on any machine.
package network
