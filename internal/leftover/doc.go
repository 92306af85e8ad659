// Package leftover makes cases in which no site may have enough free cards for a request, but several together may: what is left of a busy
// network. They are for tests and benchmarks of the search for such sets of sites.
//
// # Model
//
// A [Case] is a list of sites, the links measured between them, and an [Ask]. A [Site] stands in one of 22 cities and has hosts with a few
// free cards each, at a price of its own. Delay between two sites is twice the way along the surface of the earth at 200 km/ms, half as
// long again since cables take detours, and the access delays of both sites, 0.1 to 1.5 ms. Bandwidth is the lower of the two uplinks, and
// over long ways falls with the delay, as one stream's does. The same seed gives the same case on every machine: the way between cities is
// rounded to 10 km.
//
// [Small] has 2 to 12 sites, so that all sets of them can be tried, and limits that bite: they are drawn among the delays and bandwidths
// that occur, and the number of replicas among those that the sites nearly hold. [Large] has thousands, each measured against its nearest.
//
// [Busy] is the stream of jobs of a fleet that is full, of the size of a published one ([Pools]), for tests of preemption.
//
// # Sources
//
// Between ten cloud regions the authors of DT-FM (arXiv 2206.01288, DS3Lab/DT-FM, MIT) measured delays; those here are 0.51 to 1.33 times as
// long, 0.96 times in the median. Pools: GFS, arXiv 2509.11134. Free cards, prices, jobs and shares of sites are this project's choice.
package leftover
