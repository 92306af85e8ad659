package leftover

import "math/rand/v2"

// Pool is the nodes of one model.
type Pool struct {
	Model string
	// Nodes of Cards each.
	Nodes, Cards int
}

// Pools returns a fleet of 4,278 nodes with 10,412 cards. A10, A100, A800 and H800 are as published for the GFS fleet (arXiv 2509.11134); the
// other 1,111 nodes with 2,534 cards are of models and sizes of our choice, since they are not published.
func Pools() []Pool {
	return []Pool{
		{"A10", 2494, 1},
		{"A100", 432, 8},
		{"H800", 219, 8},
		{"A800", 22, 8},
		{"T4", 288, 1},
		{"V100", 523, 2},
		{"P100", 300, 4},
	}
}

// Job is one job of a busy fleet, on nodes of one pool.
type Job struct {
	// At is when it comes, Seconds for how long it pays.
	At, Seconds uint64
	// Pool counts from 0 in the order of Pools.
	Pool int
	// Replicas of Cards each.
	Replicas, Cards int
	// Spot jobs may be evicted for others.
	Spot bool
}

// Busy draws so many hours of jobs, in order of time, that ask for about load percent of the fleet: spot jobs for the given percentage of it
// and others for the rest. Jobs last 1 to 72 hours, each length as likely as twice that length. On nodes of 8 cards a job asks for 1, 2, 4
// or 8 cards a replica, and one in eight of those for 8 asks for 2 to 8 replicas; on smaller nodes it asks for a part of a node or all of it.
func Busy(seed uint64, hours, load, spot int) []Job {
	r := rand.New(rand.NewPCG(seed, 4278)) //nolint:gosec // a seeded generator is the point
	total := 0
	for _, p := range Pools() {
		total += p.Nodes * p.Cards
	}
	var jobs []Job
	work := uint64(0) // card seconds asked for so far
	for now, end := uint64(0), uint64(hours)*3600; now < end; now = work * 100 / uint64(total*load) {
		at, pool := r.IntN(total), 0
		for n := Pools()[0].Nodes * Pools()[0].Cards; at >= n; n = Pools()[pool].Nodes * Pools()[pool].Cards {
			at -= n
			pool++
		}
		j := Job{At: now, Pool: pool, Replicas: 1, Cards: 1, Spot: r.IntN(100) < spot}
		for most := Pools()[pool].Cards; j.Cards < most && r.IntN(5) < 2; {
			j.Cards *= 2
		}
		if j.Cards == 8 && r.IntN(8) == 0 {
			j.Replicas = 2 + r.IntN(7)
		}
		j.Seconds = 3600 << r.IntN(6)
		j.Seconds += r.Uint64N(j.Seconds)
		j.Seconds = min(j.Seconds, 72*3600)
		jobs = append(jobs, j)
		work += uint64(j.Replicas*j.Cards) * j.Seconds
	}
	return jobs
}
