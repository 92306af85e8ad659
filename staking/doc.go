// Package staking keeps the stake that stands behind the devices of a GPU network, divides their rewards among the
// holders of that stake, and grades devices into tiers.
//
// # Model
//
// A bond is the stake of one device ([BondID]), which belongs to an owner ([HolderID]). It consists of lots: each deposit
// of the owner and each fill of an offer is a lot of its own, with its own balance and its own date, and balances of
// different lots never mix. An offer ([OfferID]) is the owner's request for a co-staker: an amount, a part of the
// device's block rewards for it, and an expiry. The [Pool] is the state machine of all bonds; [Params] are its rules.
//
// Rules, with the numbers of [IONet]:
//
//   - A device needs 200 IO * max(1, multiplier) * processors. Stake beyond that counts no further.
//   - The owner deposits; anybody else becomes a co-staker by accepting an offer. An offer is posted only while the owner
//     alone holds the whole requirement. Co-stakers hold at most half of the requirement; each offer gives 5 to 100 % of
//     the rewards, all offers of a bond together at most 100 %; one offer of a bond is open at a time.
//   - An offer is accepted whole, by one holder, not by the owner, before its expiry (at the expiry it is too late). A
//     holder has at most two accepted offers. Terms never change.
//   - A lot counts, and earns, from the epoch after the one in which it was bonded, even if that was at the epoch's first
//     instant: nobody earns by bonding just before a reward. Epochs are those of Params.Calendar.
//   - A reward is for one bond and one epoch that has ended. The epochs of a bond come in rising order, each at most once.
//     A bond whose counting stake is below the requirement gets nothing: *[ShortStakeError] says what it has and needs.
//   - The reward is paid at once. The co-stakers' lots that count get their parts, in lot order; the owner gets the rest,
//     which includes the part of a lot that does not count yet.
//
// A tier is a grade of a device, from 0 to the number of columns of a [TierPolicy]. [TierPolicy.Assess] is a pure
// function from [Evidence] to an [Assessment]: the highest tier of which the device meets every line, and the
// [Shortfall] of each line that keeps it from the next one, with its cure.
//
// # Worked example
//
// One A100 (multiplier 5) needs 200 * 5 * 1 = 1,000 IO. The owner bonds them in epoch 103 and asks for 500 IO, half of
// the requirement, at 31 %; ann accepts in epoch 104. The device earns 0.87866191 IO in epoch 105, when both lots count:
// ann gets floor(87,866,191 * 3,100 / 10,000) = 27,238,519 base units, 0.27238519 IO, and the owner the other
// 0.60627672. Had the device earned the same in epoch 104, the owner would have got all of it. After the one reward the
// books say: deposits 1,500 = bonded 1,500, rewards 0.87866191 = paid 0.87866191.
//
// # Rounding and errors
//
// Amounts are [tokenomics.Amount], whole base units. The requirement is exact. The most that co-stakers may hold is
// rounded down, in favour of the owner's own part; a tier's part of the requirement up, against the device. A reward is
// divided by [tokenomics.SplitInto] over the shares in basis points with the owner last: the co-stakers together get
// floor(reward*shares/10^4), so the odd unit is the owner's, and the parts add up to the reward.
//
// [Pool.Apply] checks first and changes afterwards; an error means that nothing changed. [Pool.Audit] recomputes every
// sum from the lots and compares for equality: deposits = bonded and rewards = paid, in total and for each holder.
//
// A Pool is not safe for concurrent use.
//
// # What it does not do
//
// Stake does not leave: there is no withdrawal, no cooldown and no slash in this version of the package, and whoever
// bonds stays bonded. Requirements do not change after a bond is opened. Assess knows no dwell time and no grace: a tier
// holds for the instant it is asked for. Whether an attestation's issuer is to be believed is decided by whoever collects
// the evidence, and so is every other criterion of block rewards. The pool records what is owed and moves no tokens.
//
// # Sources
//
// The base stake, the part of co-stakers, the smallest share, the order (owner first), one co-staker an offer, the limit
// of two claims and the ban on co-staking with oneself are io.net's, from its public documentation
// (github.com/ionet-official/docs), as are the examples of 16,000 and 800 IO. The first epoch that a lot counts in
// follows its rule that new stake earns from the next block. Params says at each field what is our own choice; the tier
// table is entirely, since io.net publishes none. The division follows from package tokenomics.
package staking
