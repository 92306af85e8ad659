// Package verifier poses challenges of work and memory to the nodes of a network and judges the answers.
//
// A node that has just been heard is asked when its time has come: the Schedule of gpu/challenge says when, from a key that
// nobody else has. All devices of the node are challenged at one instant, in one Barrier, so that one GPU cannot answer for
// two. Every message of the agent is signed over a nonce that came with the message before it, by the key that speaks for the
// node then, so nobody else can answer, or fail, in its name. A message may be sent twice: who did not hear what followed from
// it, asks again. An agent that gives up once the work has begun is late. What was found goes to the door as a command: a
// replay of the journal repeats the verdict and not the work.
//
// Exchanges live in memory only: one that a restart interrupts was never posed. Rates come from a file, as measured; a
// device of a model that was not measured is recorded with its rate and is not Proven by it.
//
// The barrier is that of one node. A supplier's barrier over several nodes is a matter of posing them together, which this
// server does not do yet.
package verifier
