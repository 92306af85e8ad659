// Package staking keeps the stake that stands behind the devices of a GPU network: bonds and their cooldowns, the market
// in which holders co-stake for suppliers, the division of rewards, slashing with appeal, and the tiers of devices.
//
// # Model
//
// A bond is the stake of one device ([BondID]), which belongs to an owner ([HolderID]). It consists of lots ([LotID]): each
// deposit of the owner and each fill of an offer is a lot of its own, with its own balance and its own dates, and balances
// of different lots never mix. An offer ([OfferID]) is the owner's request for co-stakers: an amount, a part of the
// device's block rewards for it, and an expiry. A case ([EvidenceID]) is a slash that can still be appealed. The [Pool] is
// the state machine of all of them; [Params] are its rules.
//
// Rules, with the numbers of [IONet]:
//
// Stake. A device needs 200 IO * max(1, multiplier) * processors. Stake that is active or waits counts, stake that cools
// does not, and stake beyond the requirement earns nothing. A lot counts in an epoch, and earns, if it was bonded before
// the epoch began and does not leave before it ends. A changed requirement holds from the running epoch on; if the network
// changed its table, the old multiplier suffices for 30 days more.
//
// Leaving. An owner leaves with all lots, into a cooldown of 14 days; a co-staker with a fill, which waits for 7 days,
// counts but earns nothing, and cools for 14 more. When an owner leaves and the rest is short of the requirement, all
// co-stakers' lots cool with it. Nobody unstakes while the device is hired, a co-staker not before the lock of the offer
// is over, an owner not while an open offer would be left without its requirement. A lot that cools stays slashable. At
// the very end of the cooldown it can be withdrawn, to the wallet that bonded it, and no longer slashed. A holder bonds
// on the device again only when the own stake there has cooled. Stake cannot be moved between devices or holders.
//
// Overflow. An owner takes out at once what the device does not need: own + co-stake - requirement. Stake that a fill or
// a smaller requirement made superfluous counts as needed for 10 days more (Params.OverflowHold).
//
// Offers. An offer is posted while the bond holds its requirement. With it, active co-stake and open offers together are at
// most half of that, and still are when it is filled; an offer gives 5 to 100 % of the rewards for its whole amount, all offers of a bond with active fills
// together at most 100 %; one offer of a bond is open at a time. A fill is at least the offer's minimum, or exactly the
// rest. Nobody co-stakes on the own bond, twice on one offer, or with more than two fills at a time, which end when the
// lot is withdrawn; linked wallets count as one. Terms never change. A fill that leaves the bond short is refused.
//
// Rewards. A reward is for one bond and one epoch that has ended; the epochs of a bond come in rising order. A bond whose
// counting stake is below the requirement gets nothing: *[ShortStakeError] says what it has and needs. Of a reward r an
// offer's fills get floor(floor(r*share/10^4) * active/amount), where active is the stake of its fills that count, in
// proportion to their balances ([Accumulator]); the owner gets the rest. Rewards accrue until they are claimed, at will.
//
// Slashing. An [Infracted] takes at once ceil(basis*fraction/10^4), where the basis is all stake that was bonded at the
// infraction and has not matured: active, waiting or cooling. The unclaimed rewards of the owner and of those lots go
// first, pro rata, then the owner's lots pro rata, then the co-stakers' lots pro rata to what each can still lose, which
// is half of what was bonded. What was taken lies in escrow. The holders may appeal within 30 days. A slash that is not
// appealed, or whose appeal is lost, is final: the renter's and the reporter's parts are paid and the rest is burned. An
// appeal that is won puts everything back where it was taken.
//
// Time. Every deadline is carried out by [Ticked], in order; an event at or after a deadline that is due is refused until
// then ([ErrTick]). [Pool.Next] says when the next one is due.
//
// A tier is a grade of a device, from 0 to the number of columns of a [TierPolicy]. [TierPolicy.Assess] is a pure
// function from [Evidence] to an [Assessment]: the highest tier of which the device meets every line, and the
// [Shortfall] of each line that keeps it from the next one, with its cure. [TierPolicy.Regrade] carries a [Grade] through
// time: a tier is given when it has been met for 24 hours without a break, lost at once, and kept for 7 days where only a
// certificate has expired.
//
// The market is [Pool.Market]: open offers by what they may yield, with the reasons for which a holder cannot accept one.
// What an offer may yield, and what share would be fair, follows from an [Outlook], which is an estimate and no part of
// the state.
//
// # Worked example
//
// One A100 (multiplier 5) needs 200 * 5 * 1 = 1,000 IO. The owner bonds them in epoch 103 and asks for 500 IO, half of
// the requirement, at 31 %; ann accepts in epoch 104. The device earns 0.87866191 IO in epoch 105, when both lots count:
// ann gets floor(87,866,191 * 3,100 / 10,000) = 27,238,519 base units, 0.27238519 IO, and the owner the other
// 0.60627672. Had the device earned the same in epoch 104, the owner would have got all of it. Ten days after the fill
// the owner can take 500 IO out again. If instead an outage of two hours comes to light while all of it is bonded, 4 % of
// 1,500 IO are due: 60 IO, of which 0.87866191 are the unclaimed rewards and the rest the owner's stake.
//
// # Rounding and errors
//
// Amounts are [tokenomics.Amount], whole base units. The requirement is exact. The most that co-stakers may hold, and
// what they can lose, is rounded down; a tier's part of the requirement and a slash, up. Rewards round down for
// co-stakers, and the odd unit is the owner's; fractions of a unit stay with the lot and its accumulator, to 2^-64, and
// nothing is lost: when the last fill of an offer is gone, so are they.
//
// [Pool.Apply] checks first and changes afterwards; an error means that nothing changed. [Pool.Audit] recomputes every
// sum from the lots and compares for equality: deposits + rewards = bonded + accrued + escrow + released + paid + burned +
// compensated.
//
// A Pool is not safe for concurrent use.
//
// # What it does not do
//
// The pool records what is owed and moves no tokens. It believes the events: whether a signature is good, an infraction
// proved, a wallet linked or an attestation's issuer trustworthy is decided by whoever sends them. Overflow that was never
// needed leaves at once and cannot be slashed any more. A reward that comes after its lots were withdrawn is not theirs.
//
// # Sources
//
// The base stake, the part of co-stakers, the smallest share, the order (owner first), one co-staker an offer, the limit
// of two claims, the ban on co-staking with oneself, the cooldowns and waits, the overflow, the seven states of an offer
// ([Status]) and the month of reconsideration are io.net's, from its public documentation
// (github.com/ionet-official/docs), as are the examples of 16,000 and 800 IO. The first epoch that a lot counts in
// follows its rule that new stake earns from the next block. That a slash reaches cooling stake by what was bonded at the
// infraction is Cosmos' rule (x/staking, slash.go); that stake of the operator goes first is Rocket Pool's. Params says at
// each field what is our own choice; the tier table is entirely, since io.net publishes none.
package staking
