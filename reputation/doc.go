// Package reputation gives the probability that a job on a machine ends well, from a record of what was observed of it, and
// says why; how many spares a cluster needs; and whether an objective is being met.
//
// # Model
//
// A [Subject] is whatever may be up or down: a device, a node, a site. A [Book] records observations of subjects and gives
// a [Score] for a subject and a horizon: the probability of no outage until then, and that a job of that length ends well,
// each with a 90 % interval. An outage is a change from up to down between two observations.
//
// # Availability
//
// For each of three half-lives h (a day, a week, 30 days) the book keeps the outages E and the time up U of a subject, both
// forgotten at the rate of the half-life: over a time dt in which the subject was up,
//
//	E becomes E 2^(-dt/h)
//	U becomes U 2^(-dt/h) + (1 - 2^(-dt/h)) h/ln 2
//
// The integral is exact, so it does not matter how often a subject is observed. A change adds half of the time since the
// last observation to U, an outage adds 1 to E. Time longer than Params.Gap between two observations counts as unobserved:
// it ages the record and adds nothing.
//
// The rate of outages then has the law Gamma(E+a, U+b), where a and b are fitted to a population, and
//
//	P(outage within T) = 1 - (1 + T/(U+b))^-(E+a)
//
// The three memories are combined by the geometric mean of their three P. The short one reacts, the long one remembers.
//
// [Weighted] combines otherwise: two memories' hazards to the power of fitted weights, times a power of the length of the
// current run ([Hazard]), and with the outages that all have in common lately ([Weather]), for which the book takes stock once a
// day ([StockTaken]). It predicts better, and needs to be fitted anew for another horizon.
//
// Who was observed for less than Params.Established is a newcomer (Score.Thin). Newcomers fail far more often than a, b say,
// so Params has a table of their outages in 24 hours by age and by whether there was an outage yet. With p from the table
// the rate has the law Gamma(1, b'), b' = 24h (1-p)/p, hence P(no outage within T) = b'/(b'+T). A newcomer's score is the
// lower of both.
//
// # Work and conduct
//
// Jobs, answers to challenges and samples of the line each have a law Beta(F+a, G+b) of the share that fails, where F and G
// count failures and successes, forgotten at a half-life. A job that was done counts by the square root of what it paid, at
// most one; the jobs of one renter for one owner count for no more than a limit within a window, and those of the owner
// for nothing. A job that fails by the supplier's fault counts whole. Proven faults multiply the probability by exp(-s),
// where s is the sum of their severities. A fault weighs half when both a time has passed and work has been done well, each
// as Params.Conduct says; it follows its owner to every subject, and is gone when an appeal is won.
//
// P(a job ends well) is the product of the five. [Default] uses availability alone, [IONet] all of them.
//
// Standing compares the lower bound of a subject with that of an identity that nobody ever saw. It is never below zero, and
// exactly zero for such an identity and in its first day: nobody gains standing by starting over. Probabilities cannot promise
// that, for they say what is likely of strangers too. Use probabilities to plan, standing to rank ([Book.Rank]).
//
// # Clusters and objectives
//
// A [ClusterModel] gives the probability that enough members stay up when causes are shared: by all, by a site, by an owner;
// and chooses spares. An [SLO] is the state machine of one objective: attainment, budget, burn alerts, breaches.
//
// # Example
//
// With the parameters of Default a subject that was up for 30 days on end stays up for another 24 hours with UpPPM 987,836,
// in 957,660 to 1,000,000, and has a standing of 952,198. Down for an hour and back, it has 888,014 and a standing of 671,487.
// An identity that joined a minute ago has 580,000 and no standing. Under IONet, 40 paid jobs done well on top of the prior
// of 20 with a failure in 50 make (40 + 19.6)/(40 + 20) = 993,333 that the next one is not failed by the supplier.
//
// # Observations
//
// The time of an event is the observer's, and never goes back: a late observation is refused with [ErrTimeBackwards]. The same
// [Seen] twice changes nothing the second time. A job, a challenge or a fault has an identifier and counts once
// ([ErrDuplicate]); identifiers of jobs and challenges are forgotten after Params.Window.
//
// # Rounding and errors
//
// All is integer arithmetic, the same to the bit on every machine: E and U are Q32.32, logarithms Q16.48, fractions Q0.64.
// Against real arithmetic a probability is off by less than 2e-9. UpPPM is rounded to the nearest millionth, LowPPM down,
// HighPPM up, Standing down. Errors are sentinels; a refused event changes nothing. Reading never changes anything.
//
// # What it does not do
//
// A book takes subjects for independent, and signals too: what fails together is the cluster model's. A score says what
// follows if the subject is up at the instant asked; Score.Up says what was last seen. A record to which nothing is added
// fades to the prior, a bad one too; faults alone do not. It believes its events: who is whose wallet, whose fault it was that
// a job ended, is decided by whoever sends them.
//
// # Sources
//
// The default parameters were fitted by maximum likelihood to the record of Tor's relays, days 14 to 74 (data set
// doodad-labs/tor-node-tracker): no network of GPUs publishes such a record. On days 75 to 104 of the same record they gave
// AUC .871 and a Brier skill of .259, those of Weighted .875 and .268 (docs/design/reputation.md). The five inputs are those of io.net's device reliability score, which has no
// published weights (github.com/ionet-official/docs); the burn rates are those of Google's SRE Workbook. Los Alamos National
// Laboratory provided the failure records behind the shares of common causes.
package reputation
