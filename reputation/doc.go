// Package reputation gives the probability that a subject that is up now stays up, from a record of when it was up.
//
// # Model
//
// A [Subject] is whatever may be up or down: a device, a node, a site. A [Book] records observations of subjects and gives
// a [Score] for a subject and a horizon: the probability of no outage until then, with a 90 % interval. An outage is a change
// from up to down between two observations.
//
// # Rules
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
// Who was observed for less than Params.Established is a newcomer. Newcomers fail far more often than a, b say, so Params has
// a table of their outages in 24 hours by age and by whether there was an outage yet. With p from the table the rate has the
// law Gamma(1, b'), b' = 24h (1-p)/p, hence P(no outage within T) = b'/(b'+T). A newcomer's score is the lower of both.
//
// Standing compares the lower bound of a subject with that of an identity that nobody ever saw. It is never below zero, and
// exactly zero for such an identity and in its first day: nobody gains standing by starting over. Probabilities cannot promise
// that, for they say what is likely of strangers too. Use probabilities to plan, standing to rank.
//
// # Example
//
// With the parameters of Default a subject that was up for 30 days on end stays up for another 24 hours with UpPPM 987,836,
// in 957,660 to 1,000,000, and has a standing of 952,198. Down for an hour and back, it has 888,014 and a standing of 671,487.
// An identity that joined a minute ago has 580,000 and no standing.
//
// # Rounding and errors
//
// All is integer arithmetic, the same to the bit on every machine: E and U are Q32.32, logarithms Q16.48, fractions Q0.64.
// Against real arithmetic a probability is off by less than 2e-9. UpPPM is rounded to the nearest millionth, LowPPM down,
// HighPPM up, Standing down. Errors are sentinels; a refused event changes nothing. Reading never changes anything.
//
// # What it does not do
//
// It judges availability only: not work done, answers to challenges, links or conduct. It takes subjects for independent. A
// score says what follows if the subject is up at the instant asked; Score.Up says what was last seen. A record to which
// nothing is added fades to the prior, a bad one too: who must not be let off by absence is a question of conduct.
//
// # Sources
//
// The default parameters were fitted by maximum likelihood to the record of Tor's relays, days 14 to 74 (data set
// doodad-labs/tor-node-tracker): no network of GPUs publishes such a record. On days 75 to 104 of the same record they gave
// AUC .871 and a Brier skill of .259.
package reputation
