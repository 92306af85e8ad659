// Package demo is a network that lives by itself: made-up machines and renters on an accelerated clock, and the real
// Solana runtime beside it.
//
// Everything that happens goes through the door as it would in earnest: agents sign their inventories over nonces,
// renters submit jobs, machines fail and come back, and every payment is carried to the chain. The machines are the three
// of the block that io.net published and some with the statistics of a real trace; who does what is drawn from a seed.
package demo
