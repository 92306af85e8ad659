// Package idlegrid is the documentation of the SDK for decentralised GPU networks; its code is in the packages below it.
//
// # The story
//
// Data centres, miners and studios own GPUs that stand idle, a few here and a few there, while those who train models
// cannot get any at a fair price. A network joins them: it learns what hardware is there and whether to believe it,
// scores how reliable each machine is, ranks suppliers by compliance, hardware and stake, places jobs, if need be one
// cluster out of the leftover cards of several sites, pays suppliers an hourly reward from an emission that shrinks until
// a hard cap, lets holders stake beside a supplier, takes payment in its token, in USDC or by card, turns all of it into
// the token and burns a part of its revenue. idlegrid gives each of these mechanisms as a package of its own: exact,
// deterministic, tested, and usable without the others.
//
// # The map
//
//	gpu                      what a machine says it has, signed; what contradicts itself; how well it does
//	gpu/nvml                 NVIDIA's driver, read without crashing
//	gpu/challenge            proof of integer work and of memory; provers in cpu, cuda and opencl
//	gpu/attest               NVIDIA's attestation evidence, verified offline
//	gpu/gputest              fake hosts and drivers, adversaries, a conformance suite
//	reputation               from observations to the probability that a machine stays up
//	sched                    where a job runs, and why it does not: one device, or a gang over several sites
//	tokenomics               the token's units, emission and its policies, block rewards, vesting, fees, prices, burn
//	staking                  bonds, co-staking, the division of rewards, tiers and what keeps from the next one
//	settlement               carrying decided money to a chain and back, each payment once; bills, swaps, burns
//	settlement/spl           a chain: SPL tokens on Solana; signers, intake, conversion
//	settlement/wal           a journal in a file
//	settlement/onchain       pull payments: a Merkle distributor, unaudited
//	settlement/svmtest       the real Solana runtime on this machine, for tests
//	settlement/settlementtest  a conformance suite for chains
//	refserver                a thin server of all of it: go run ./refserver -demo
//	examples/probe           what an agent sees of this machine's GPUs
//	examples/worker          the agent
//	examples/epoch           one reward epoch from probe to payout, step by step
//	examples/payout          10,000 suppliers paid on the local runtime, once each
//	examples/payburn         an invoice paid in USDC, converted and burned
//	examples/emission        the published emission schedules, to the last unit
//	examples/simulate        twenty years of the token, its suppliers and its burn, a thousand times over
//
// sched builds on gpu, staking and settlement on tokenomics; nothing else depends on a sibling. The six packages at the
// top level are cores: they do no I/O, know no clock and start no goroutine. What touches the world is a leaf below its
// core.
//
// # The pipeline of an epoch
//
//	agent signs an inventory ─► gpu.Registry ─► reputation.Book ─► staking.TierPolicy ─► sched.Fleet
//	                                 │                                                      │ lease, usage
//	                                 ▼                                                      ▼
//	            tokenomics.Timeline ─► Distribute ─► staking.Pool        tokenomics.FeePolicy ─► Convert ─► Burn
//	                                                     │                                           │
//	                                                     └────────► settlement.Journal ◄─────────────┘
//	                                                                      │
//	                                                               settlement/spl ─► Solana
//
// # Guarantees
//
// Every core is a state machine: Apply takes one event and returns what follows from it, or an error after which nothing
// has changed. Audit names the first broken invariant; Digest is equal on any machine that saw the same events; Snapshot
// and Restore carry a state over. Amounts are whole base units, never floating point; whatever is divided adds up to the
// last unit; what is paid out rounds down and what is taken rounds up. Numbers that a network has published are
// reproduced to their last digit, and where its documents contradict themselves the packages say so and by how much.
package idlegrid
