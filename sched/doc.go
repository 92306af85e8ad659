// Package sched places jobs on the GPUs of a fleet whose machines stand at many sites and belong to many owners, and meters what each
// job held.
//
// # Model
//
// A [Node] is one machine with 1 to 16 devices of one model. Nodes that stand behind one uplink form a site; between two sites a
// [LinkMeasured] gives delay and bandwidth. A supplier owns nodes. A [Request] asks for replicas, each of so many GPUs, under
// limits; a [Placement] answers it: one [Member] a replica, with the devices it gets. A [Lease] is a placement that is held from
// an instant until another. A [Fleet] is the state machine of all that: events go in by [Fleet.Apply], effects come out.
//
// The rules:
//
//   - All replicas or none. A replica lives on one node. No device is held twice, and CPU and memory of a node are never
//     given out beyond what it has.
//   - A node is a candidate if it passes the filters, in this order: down, model, memory, country, connectivity, tier, standing,
//     price, size, cards, cpu, ram. A node is charged to the first one that cuts it. Size means that the node never has as many
//     devices as a replica wants, cards that too few are free.
//   - One replica goes to the best candidate by [Policy.Order], ties to the smallest node ID.
//   - Several replicas go to the fewest sites that hold them; among such sets to the one with the least worst delay between two of
//     its sites, then the lowest price, then the smallest site IDs. Between any two sites of the set the delay and the bandwidth
//     must be within the request's limits; a pair that was never measured is not within any limit. Inside a site links are not
//     limited. Within the set, nodes are taken by [Policy.Order]. Ranks follow the sites in order of their IDs.
//   - The search stops after [Policy.SearchSteps] steps, never by a clock, and keeps the best it has. [Placement.Exhaustive] says
//     whether anything was left out.
//   - The price of each member is fixed when the job is submitted.
//   - A lease ends when its job finishes, at its booked end, or when a node of it goes down: one lost member ends the lease of all, because
//     a part of a gang is of no use. It ends once, with one [Usage] for each device.
//   - Booked ends take effect at a [Ticked] event, in order of time, then of grant. However late the tick is, usage ends at the
//     booked end; cards are free from the tick on. Without ticks no lease ends early.
//   - A job's ID is its idempotency key: while the job runs, and for [Policy.RememberSeconds] afterwards, the same ID is refused
//     as [ErrDuplicateJob].
//   - A refusal changes nothing and explains itself: see [UnplaceableError].
//
// # Example
//
// A job wants 8 replicas of one GPU. Site a has a node with 5 free cards, site b one with 3; the link between them has 11 ms.
// With MaxSites 1 the job is refused: "2 nodes considered: 2 sites; largest gang 5 of 8; smallest change: MaxSites 1 -> 2".
// With MaxSites 2 and MaxDelayMicros 11000 it is placed, ranks 0 to 4 at a and 5 to 7 at b; with 10999 it is refused for delay. At
// 0.40 dollars a card it costs 3.20 dollars an hour. If it finishes after 90 minutes, its usage is 8 devices of 5,400 seconds.
//
// # Rounding and errors
//
// Usage counts whole seconds from the lease's start, a begun one left out, in the renter's favour. Prices are sums and products
// of integers: nothing is rounded. A value out of range is [ErrInvalid] with the field and its limit. The other refusals are
// [ErrTimeBackwards], [ErrUnknownNode], [ErrNodeUp], [ErrNodeDown], [ErrDuplicateDevice], [ErrDuplicateJob], [ErrUnknownLease] and
// *[UnplaceableError]; each leaves the fleet as it was.
//
// # Limits
//
// A Fleet is not safe for concurrent use. It holds no queue, no reservation for a later start, no spares, no share of a
// device and no preemption. It computes no money, and ties by ID favour the same nodes each time. A request walks over all nodes once.
//
// # Sources
//
// The job of leftover cards and the minimum of one hour are from the documentation of io.net (github.com/ionet-official/docs).
// Gangs that are placed whole: Feitelson and Rudolph, "Gang scheduling performance benefits for fine-grain synchronization",
// Journal of Parallel and Distributed Computing 16 (1992). The fleet on which the search was sized: Weng et al., "Beware of Fragmentation",
// USENIX ATC 2023. Sets of sites under pairwise limits are cliques; the enumeration follows Carraghan and Pardalos, "An exact algorithm for
// the maximum clique problem", Operations Research Letters 9 (1990).
package sched
