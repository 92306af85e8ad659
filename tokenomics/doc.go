// Package tokenomics computes the money of a network of rented GPUs exactly: what each hour emits and by which policy, how
// it is divided among pools and devices and who is nominated for it, what a rental costs with its fees and what is done with
// the payment, what is burned, when which part of the supply becomes free, and what the supply is after all that.
//
// # Model
//
// Amounts. An [Amount] is a number of base units of the token, 1e-8 each for io.net and 10^-d for a token of [Decimals] d;
// [USD] is a number of millionths of a dollar. [Split] divides, MulDiv scales, and every rounding is named.
//
// Emission. An [Epoch] is an hour, numbered by a [Calendar]. A [Curve] says what all epochs up to one emit together:
// [Schedule] by [EmissionParams] (falling, constant, rising or compounding), [Months] for a table of calendar months spread
// over hours, or a curve of the caller's own. [SolveDecline] finds the decline that meets a cap, CheckCap says by how
// much printed constants miss it, and a [Projection] looks along a curve by day, month and year.
//
// Policies. A [Policy] decides one epoch from a state and inputs: [Fixed] mints a curve, [IDEPolicy] releases what suppliers
// are owed in dollars, [BurnMintPolicy] mints again what was burned for credits, [NetEmissionPolicy] recycles burns,
// [Inflation] mints a yearly rate. A [Timeline] is a row of policies with cut-overs between them, and holds each to the
// rules. The [Supply] is the state machine over it: it decides each epoch once and in order, frees what an [Allocation]
// has vested, moves, retires what is burned, and audits its books.
//
// Blocks. A [PoolPolicy] divides an emission into one budget for each [Pool]. A device's base score ([BaseScore]) follows
// from its model's [Multiplier], their number, its connection, and whether it is hired; a [NominationPolicy] judges whether
// it may earn at all; [Distribute] pays it its score's share, and DistributeBlock shares a whole block out. An [Auditor]
// recomputes a block from its published records and names the constant that fails.
//
// Payments. A [FeePolicy] makes a [Quote] of a rental's net price, an [Invoice] asks for it, an [InvoicePolicy] settles the
// payment: whatever is paid becomes the token at a [Price], and is shared between supplier, burn and treasury. An [Oracle]
// decides whether there is a price to be used. A [BurnProgramme] says how much of the revenue buys tokens to burn, a
// [BuyBackPolicy] orders it and takes the report. [SLAParams] turn attainment into a credit.
//
// All figures of one network are [Params]; [IONet] returns those of io.net.
//
// The rules:
//
//   - Nothing is lost and nothing appears. Parts that are divided add up to the whole to the last unit; what is not paid is
//     returned, carried or stays owed, and every function says which.
//   - Emissions are differences of one cumulative function, so epochs may be grouped, repeated or asked for in
//     any order.
//   - supply = genesis + minted + reminted - burned, minted <= cap - genesis, and reminted <= burned. A burn makes no new
//     room under the cap.
//   - What burns is what was confirmed, never what was ordered.
//   - No dollar becomes a token at a price without a time and a source. Without one, what is owed stays owed.
//   - Epochs follow from time, never from a count of blocks.
//   - There is no floating point, no clock and no randomness; the same calls give the same bytes on every machine.
//
// # Worked example
//
// The published block of 2024-06-20T00:00Z is epoch 105 and emits 4559.62004271. The GPU pool's 8 of 10 parts are
// 3647.69603416. One A100 80GB (multiplier 5) on the best connection, tier 4, scores 50*4 + 200*500*1 = 100,200. All
// scores of the pool add up to 415,972,440, so its reward is floor(364769603416 * 100200 / 415972440) base units:
// 0.87866191, to the digit what was paid.
//
// A renter who pays 1,000 dollars in USDC is charged 0.25 % and 2 %, 1,022.50 together; the supplier gets 977.50.
//
// Under the engine, suppliers who are owed 400 dollars at 2.50 a token get 160 tokens; of a revenue of 1,000 dollars half
// the surplus, 300, buys tokens that are burned.
//
// # Rounding and errors
//
// What is paid out rounds down, and what remains is carried or returned for the caller to carry; what is taken (fees, burns,
// the cost of tokens) rounds up, once, on the total (compounded fees once each). Every function says which and in whose
// favour, and a division of money by hand names its [Rounding]. Rates, inflation and break-even figures are decimals of at
// least 38 digits, for reports: no balance is made from them. Errors are sentinels for errors.Is, with a message that
// names the field and its limit. Only an undefined Rounding or [Period] panics.
//
// # What it does not do
//
// It does not forecast: prices and behaviour are inputs (examples/simulate plays with them). It moves no tokens: an effect
// says what has to be done, and settlement does it. It fetches no prices, observes no devices and does not know who owns
// what: stake and its rewards are package staking's. The budget of a pool in which nobody earned stays in [Rewards]. Only a
// score's published form ([Normalised]) is rounded for display, and nothing is paid by it.
//
// # Sources
//
// io.net's documentation (github.com/ionet-official/docs at 5d3be72): token-emission-schedule, coin/io-tokenomics,
// coin/ionet-monthly-token-emission-schedule, coin/coin-restrictions, explorer/workers-page,
// block-rewards/proposed-device-block-reward-multiplier; its engine after third-party summaries of June 2026. The cumulative
// function as the primitive is Filecoin's; the thresholds of collateral are Akash's (AEP-76), the recycling of burns Helium's
// (HIP-20), the taper Solana's. Where io.net publishes nothing or contradicts itself, [IONet], docs/design/tokenomics.md,
// docs/design/allocation.md and docs/design/published-block.md say what we chose.
package tokenomics
