// Package tokenomics computes the money of a network of rented GPUs exactly: what each hour emits, how it is divided
// among pools and devices, what a rental costs with its fees, how much is burned, and what the supply is after all
// that.
//
// # Model
//
// An [Amount] is a number of base units of the token, 1e-8 each; [USD] is a number of millionths of a dollar. An
// [Epoch] is an hour, numbered by a [Calendar]. A [Schedule] says what each epoch emits. A [PoolPolicy] divides an
// emission into one budget for each [Pool]. A device has a base score ([BaseScore]), which follows from its model's
// [Multiplier], their number, its connection, and whether it is hired; [Distribute] pays it its score's share of the
// budget. A [FeePolicy] makes a [Quote] of a rental's net price. A [Price] converts dollars to tokens. A [BurnPolicy]
// says how much of the revenue is burned. The [Supply] is the state machine over it all: it mints each epoch once and
// in order, retires what is burned, and audits its books. All figures of one network are [Params]; [IONet] returns
// those of io.net.
//
// The rules:
//
//   - Nothing is lost and nothing appears. Parts that are divided add up to the whole to the last unit ([Split]); what
//     Distribute does not pay, it returns.
//   - Emissions are differences of one cumulative function, so epochs may be grouped, repeated or asked for in
//     any order.
//   - supply = genesis + minted - burned, and minted <= cap - genesis. A burn makes no new room under the cap.
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
// # Rounding and errors
//
// What is paid out rounds down, and what remains is returned for the caller to carry; what is taken (fees, burns, the
// cost of tokens) rounds up, once, on the total (compounded fees once each). Every function says which and in whose
// favour, and a division of money by hand names its [Rounding]. Errors are sentinels for errors.Is, with a message that
// names the field and its limit. Only an undefined Rounding panics.
//
// # What it does not do
//
// It implements the hourly schedule that io.net published, and no other: no monthly table, no vesting, no incentive
// engine. It takes prices as they are and does not judge whether they are fresh. It does not decide who is eligible
// for a reward, and it moves no tokens: an effect says what has to be done, and settlement does it. Only a score's
// published form ([Normalised]) is rounded for display, and nothing is paid by it.
//
// # Sources
//
// io.net's documentation (github.com/ionet-official/docs at 5d3be72): token-emission-schedule, coin/io-tokenomics,
// explorer/workers-page, block-rewards/proposed-device-block-reward-multiplier. The cumulative function as the
// primitive is Filecoin's. Where io.net publishes nothing or contradicts itself, [IONet] says what we chose.
package tokenomics
