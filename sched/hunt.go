package sched

// siteOffer is what one site can hold of a request: how many of its replicas, and at most so many where the hunt has to ask for the
// exact figure.
type siteOffer struct {
	site int32
	room int32
}

// siteLimits is what a set of sites has to keep.
type siteLimits struct {
	need               int // replicas that have no place yet
	minSites, maxSites int // how many sites, the fixed ones among them
	perSite            int // so many of the replicas a site at most, 0 for no bound
	delay              uint32
	mbps               uint32  // limits on every pair of sites, 0 for none
	unmeasured         bool    // a pair that was never measured is within the limits
	fixed              []int32 // sites of members that stay: in every set, and as far from the others as the limits say
}

// siteHunt looks for the sites of one request. Its fields say what is asked; what it needs of memory it keeps from run to run.
type siteHunt struct {
	links  *linkStore
	limits siteLimits
	offers []siteOffer
	exact  func(offer int) int
	price  func(set []int32) uint64
	less   func(a, b int32) bool
	best   bool
	steps  *uint32
}

// siteSet is an answer: indices into the offers, the worst delay between two sites and the price.
type siteSet struct {
	offers []int32
	delay  uint32
	price  uint64
}

func (h *siteHunt) run() (found siteSet, exhaustive, ok bool) { return siteSet{}, false, false }
