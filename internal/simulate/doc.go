// Package simulate lets suppliers, renters, stakers and a treasury live with a policy of emission, month by month, in
// thousands of courses of chance.
//
// # Model
//
// [Params] is every assumption, [IONet] ours about io.net, and a [Scenario] a course of events: which [Rule] pays from which
// month on, and a [Shock] to the price or to demand. An [Engine] runs a scenario [Options].Runs times and returns a
// [Summary]: for each [Series] and month a [Band] of percentiles. A [Study] compares [Policies], under stress too, writes its
// [Study.Story], tables and plots, and varies the assumptions one at a time.
//
// A month of one run:
//
//  1. The price moves: geometric Brownian motion with jumps. Demand strays from its trend and comes back.
//  2. Renters hire, class by class, at rental prices that rise and fall with utilisation. Demand that finds no machine is
//     partly lost.
//  3. The policy decides, through tokenomics.Policy: what is minted, released, and ordered to be burned. The treasury buys
//     what is to be burned out of what is liquid, at most a tenth of it a month; it counts as burned when the next step
//     confirms it.
//  4. The price answers to what was added to or taken from circulation. Tokens vest.
//  5. Suppliers look at their income: after months of loss they leave, after months of profit they come (back).
//  6. Owners and co-stakers look at their returns and move their stakes.
//
// The rules:
//
//   - The ledger is the integer core of the tokenomics package: emission, releases, claims and burns are exact to the base
//     unit. In every month supply = genesis + minted + minted again - burned, and the books of who holds it add up to
//     that, or the run stops with an error.
//   - There is no floating point. Logarithms, powers and normal deviates are in Q32.32, with the errors that their functions
//     state; ratios and prices round down.
//   - Run i of a seed draws the same numbers in every scenario, from a generator of its own, so that scenarios differ by
//     what was decided and not by chance.
//   - The same parameters, runs and seed give the same bytes, whatever the number of workers and processors, and their kind.
//
// # Worked example
//
// In July 2024 the monthly rule mints 3,333,333.33 IO, of which the enterprise pool gets 95 %. Its 600 H100, 1,500 A100 and
// 3,000 RTX 4090 weigh 600*10 + 1500*5 + 3000*1.25 = 17,250, so an H100 gets 1,835.7 IO, at one dollar 2.47 dollars an hour,
// beside a rent of 45 % of 2.30 dollars less fees: 3.46 dollars an hour for what costs its typical owner 1.60.
//
// # What it does not do
//
// It forecasts nothing. Costs, elasticities, volatility and growth are chosen, not measured, and docs/design/simulation.md
// says so one by one. Machines are whole classes, without places, reputation or slashing; prices have no order book; CPUs
// and their pool are left out; a month is the shortest time.
//
// # Sources
//
// The normal deviates are algorithm AS 241 (Wichura 1988), the random numbers PCG-DXSM of math/rand/v2. io.net's published
// figures have their source beside them in [IONet].
package simulate
