// Package sched places jobs on the GPUs of a fleet whose machines stand at many sites and belong to many owners, books them in a
// calendar, meters what each job held, and says why.
//
// # Model
//
// A [Node] is one machine with 1 to 16 devices of one model. Nodes behind one uplink form a site; between two sites a [LinkMeasured]
// gives delay and bandwidth. A supplier owns nodes. A [Request] asks for replicas, each of so many devices (or a share of one, or a MIG
// instance), processors, memory and disk, under limits and for a time. A [Placement] answers it: one [Member] a replica, and spares. A
// [Lease] is a placement for [From, Until): held, booked or running; a job that may wait is a lease without members. A [Fleet] is the
// state machine of all that: events go in by [Fleet.Apply], effects come out. A [View] is the fleet as it was at one moment, for readers.
// A [Policy] says what is preferred and for how long things last, [Plugins] are a partner's own filter and scorer.
//
// # Rules of a placement
//
//   - All replicas or none. A replica lives on one node. At no instant of the calendar is a device, a thousandth or a slice of it held
//     twice, nor more CPU, memory or disk of a node than it has.
//   - A node has to pass the filters, in the order of [Reason], and is charged to the first that cuts it. All alternatives of a request
//     are tried in order, and all replicas take the same one.
//   - One replica: of the first [Policy.Candidates] nodes that pass, in the order of the walk, the best by [Policy.Order]; ties go to
//     the earlier. The walk through a kind of device takes countries and their regions in the order in which the fleet met them, in each
//     the nodes in order of joining, a new one in the place of one that is forgotten; several kinds are merged by joining. Where the
//     order begins with [Cheapest] and Candidates is not 0, lower price bands come first. [Rotated] moves the start.
//   - Several replicas: the fewest sites that hold them, then the least worst delay between two of these sites, then the lowest price, then
//     the smallest site IDs. Every pair has to be within the request's limits; a pair that was never measured is within none, unless
//     the request says so. Links inside a site are not limited. In the set each site gets one replica, the others go by [Policy.Order].
//     Ranks follow the sites in order of their IDs. If [Policy.Candidates] is not 0 and one site can hold all on devices of one
//     kind, the first 8 such are compared, and the one with the fewest free devices is taken.
//   - Searches for sets of sites, for explanations and for times end after [Policy.SearchSteps] steps, never by a clock, and keep the best
//     they have. [Placement.Exhaustive] is false if anything better may have been left out.
//   - A request may name a window: the lease begins at NotBefore, or at the first instant up to NotAfter at which it fits.
//   - Spares are placed one by one, each at a site of its own while the request's number of sites allows that, until there are as many as
//     it asks for and the chance to survive is as high. Members of a node are lost together, and so are those of a site.
//   - A refusal changes nothing and explains itself: [UnplaceableError] counts every node once, gives the largest number of replicas that
//     fits, changes that would admit the request, each proven by a placement, and the time at which it would fit as it is. [Fleet.Why]
//     answers for one device.
//
// # Rules of a lease
//
//   - [Submitted] leases at once. [Hold] keeps a placement for a time to live, within which [Commit] makes a lease of it: at its last
//     instant the hold is over. A hold neither waits nor preempts. The price of each member is fixed when it is placed, and stays through
//     extensions and moves.
//   - It ends when its job finishes, at its booked end, when nobody pays ([FundsEnded]), when a reserved job needs its devices and it is
//     a spot lease, or when a node is taken back ([Reclaim]) or lost ([NodeDown]) and cannot be replaced. What comes before the booked end
//     and is not the job's own doing comes with notice, but for a lost node. A lease ends once, with one [Usage] for each device and
//     stretch of time.
//   - What is due takes effect at a [Ticked] event, in order of time; at one instant ends come before beginnings, then the older lease
//     first. However late the tick is, usage ends when it was due; devices are free from the tick on. Without ticks no lease ends early,
//     and none runs free.
//   - A lost member is replaced by a spare, else, if the request allows it, by a new node under the same limits beside the members that
//     stay, then without the limits that it may give up; else the lease ends for all members, because a part of a gang is of no use, and
//     the job waits again in its old place if it may.
//   - A reserved job that does not fit preempts spot leases and begins when their notice ends: the set with the fewest booked device
//     seconds after that, each lease as a whole. Only whole devices are taken from others.
//   - The queue is served at ticks, by priority, then age. [Policy.Backfill] says which jobs are promised a beginning that those behind them
//     must not move.
//   - A job's ID is its idempotency key: from when it is placed or waits until [Policy.RememberSeconds] after its end it is refused as
//     [ErrDuplicateJob]. A hold or a wait that is given up frees it at once.
//   - [Fleet.Defragment] proposes moves of members that may be moved and proves what they make room for; nothing moves without [Migrate].
//
// # Example
//
// A job wants 8 replicas of one device. Site a has a node with 5 free devices, site b one with 3; the link between them has 11 ms.
// With MaxSites 1 the job is refused: "2 nodes considered: 2 sites; largest gang 5 of 8; smallest change: MaxSites 1 -> 2".
// With MaxSites 2 and MaxDelayMicros 11000 it is placed, ranks 0 to 4 at a and 5 to 7 at b; with 10999 it is refused for delay. At
// 0.40 dollars a device it costs 3.20 dollars an hour. If it finishes after 90 minutes, its usage is 8 devices of 5,400 seconds.
//
// If each of 8 members lives to the end with 99 %, all of them do with 92.2744 %; of 9, at least 8 do with 99.6564 % ([Survival]). Should
// a node with one of them go down after two of six hours, the ninth takes its rank: that usage has one device of 7,200 and eight
// of 21,600 seconds.
//
// # Rounding and errors
//
// Usage counts whole seconds of a stretch, a begun one left out, in the renter's favour. The price of a share or an instance is rounded up to a
// millionth of a dollar, in the supplier's. Chances are rounded down, an hour that is begun counts whole. Everything else is sums and
// products of integers; there is no floating point.
//
// A value out of range is [ErrInvalid] with the field and its limit; a snapshot that is none is [ErrSnapshot] or [ErrPolicyMismatch]. What
// cannot be placed is *[UnplaceableError], what cannot be booked beside something else *[ConflictError]. The other refusals are
// [ErrTimeBackwards], [ErrUnknownNode], [ErrNodeUp], [ErrNodeDown], [ErrDuplicateDevice], [ErrDuplicateJob], [ErrUnknownLease],
// [ErrUnknownDevice], [ErrHoldExpired] and [ErrQueueFull]; each leaves the fleet as it was.
//
// # Limits
//
// A Fleet is not safe for concurrent use; its views are. It reads no clock: somebody has to tick. A request has at most 65,535 replicas on
// at most 255 sites, and 256 spares. With more than 12 sites the chance to survive takes every site to have to live, which is
// less than the truth. A Fleet computes no money and caps the price of a device, not that of a whole job. Of links inside a machine it
// knows [Node.Islands], of those inside a site nothing. What replicas say to each other it does not know: [Pipeline] arranges a training job
// on the devices that it got. docs/design/placement.md has the reasons.
//
// # Sources
//
// The job of leftover cards and the minimum of one hour are from the documentation of io.net (github.com/ionet-official/docs).
// Gangs that are placed whole: Feitelson and Rudolph, "Gang scheduling performance benefits for fine-grain synchronization",
// Journal of Parallel and Distributed Computing 16 (1992). Fragmentation by what a typical mix can use: Weng et al., "Beware of
// Fragmentation", USENIX ATC 2023. What free parts of devices are worth: Gilmore and Gomory, "A linear programming approach to the
// cutting-stock problem", Operations Research 9 (1961). Backfill: Lifka, "The ANL/IBM SP scheduling system" (1995). Sets of sites under
// pairwise limits are cliques; the enumeration follows Carraghan and Pardalos, "An exact algorithm for the maximum clique problem", Operations
// Research Letters 9 (1990). Pipelines: Yuan et al., "Decentralized Training of Foundation Models in Heterogeneous Environments", NeurIPS
// 2022. Places of instances: NVIDIA, "Multi-Instance GPU User Guide".
package sched
