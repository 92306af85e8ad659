package tokenomics

// Curve is what a schedule of emission is to everybody who uses one: a function of the epoch alone. [Schedule] and
// [Months] are curves; a network with a rule of its own brings another.
//
// Cumulative(0) is 0, Cumulative never falls, and it is constant from epoch Epochs on. It is pure: the same epoch has the
// same answer, in any order and however often it is asked. What epochs a+1 to b emit is Cumulative(b) - Cumulative(a), so
// any grouping of epochs adds up to the same total, and a missed or repeated tick does no harm.
type Curve interface {
	// ID names the curve in records, for example "io.net/hourly".
	ID() string
	// Cumulative returns what epochs 1 to k emit together.
	Cumulative(k Epoch) Amount
	// Epochs returns the last epoch that may emit.
	Epochs() Epoch
}
