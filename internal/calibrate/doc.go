// Package calibrate asks of a record of real machines whether the score of package reputation comes true.
//
// # Model
//
// A [Trace] says at which snapshots which nodes were up. Once a day a [Question] is asked of every node that is up and was
// seen before: will it have an outage within the horizon, or miss an uptime? An [Evaluation] holds these cases with what
// became of them. Parameters are fitted to the evaluations of the fit days ([Trace.Fit]), the test days are predicted by a
// reputation.Book that is replayed up to each evaluation ([Trace.Replay]), and [Measure] compares. What is predicted for a day
// depends on nothing later than its snapshot, and what is fitted on nothing whose horizon reaches into the test days.
//
// # What it does not do
//
// It does not predict by itself: fits and baselines use real numbers, the score is that of the fixed-point core. Real numbers
// are computed without fused products, so the same files give the same bytes on every machine.
package calibrate
