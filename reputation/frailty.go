package reputation

import (
	"fmt"
	"math/bits"
	"slices"
)

// Frailty says how subjects fail together. Each subject's own probability of staying up is kept exactly as it is given; the
// numbers here decide how much of what may strike it strikes others at the same time.
//
// The hazard of a subject is H = (s^-v - 1)/v, where s is its probability and v the variance. All hazards are multiplied by one
// factor Z with the law Gamma of mean 1 and variance v, the weather of the horizon: some days are bad for everybody. Of each
// hazard the share SitePPM comes from the site and the share OwnerPPM from the owner, the rest is the subject's own. Given Z,
// each site draws one strength W with the law Exp(1), and strikes all its subjects with W < Z H SitePPM/10^6: the weakest
// first, and who falls takes all the weaker ones with it. Owners do likewise. Subjects of equal probability at a site so fall
// together by its cause, as in the model of Marshall and Olkin. A subject stays up if nothing strikes it:
//
//	P(up) = E exp(-Z H (own + site + owner)) = E exp(-Z H) = s
//
// What a set of subjects does depends on these subjects only, not on who else is looked at, and a higher probability never
// makes anyone fall who stood before.
type Frailty struct {
	// VariancePPM is v in parts per million, 0 to 4,000,000. By moments: (variance of the share that fails in a horizon, over
	// many horizons, less what independence gives) / (mean share)^2.
	VariancePPM uint32 `json:"variance_ppm"`
	// SitePPM is the share of each hazard that the site has in common, in parts per million.
	SitePPM uint32 `json:"site_ppm"`
	// OwnerPPM is the share of each hazard that the owner has in common, in parts per million; with SitePPM at most 10^6.
	OwnerPPM uint32 `json:"owner_ppm"`
}

// DefaultFrailty is made of what was measured elsewhere, for a network that has no record of its own yet.
//
// VariancePPM is that of the worst stretch seen of Tor's relays (doodad-labs/tor-node-tracker); on quiet days it was 70,000.
// SitePPM: of 13,245 failures of nodes of the Los Alamos National Laboratory, which is to be thanked for the record
// (LA-UR-05-7318, first half, systems of 16 nodes and more), 19 % began in the same minute as one of another node of the same
// system. OwnerPPM is assumed: no public record names owners.
func DefaultFrailty() Frailty {
	return Frailty{VariancePPM: 1_430_000, SitePPM: 190_000, OwnerPPM: 50_000}
}

const maxVariance = 4_000_000

// Validate reports the first number that is out of range; the error wraps ErrInvalid.
func (f Frailty) Validate() error {
	if f.VariancePPM > maxVariance {
		return fmt.Errorf("%w: variance_ppm %d is not in 0..%d", ErrInvalid, f.VariancePPM, maxVariance)
	}
	if f.SitePPM > 1_000_000 || f.OwnerPPM > 1_000_000-f.SitePPM {
		return fmt.Errorf("%w: site_ppm %d and owner_ppm %d are together above 10^6", ErrInvalid, f.SitePPM, f.OwnerPPM)
	}
	return nil
}

// weather is the law of Z as points with weights that add up to one.
type weather struct {
	z []scaled
	w []uint64
}

const (
	faint  = 50 << 48 // a weight below 2^-50 of the largest is none
	harsh  = 42 << 48 // where weight times z is below 2^-42, points are joined
	coarse = 1_334_592
)

// newWeather spreads the law Gamma(a, a), a = 1/v, over points that are equally far apart in log z, each with the weight
// z^a e^(-a z): the trapezoid rule of the integral over log z, whose error falls like e^(-10/h) with the distance h because the
// integrand is analytic and fades at both ends. The distance is ln 2/2 at most and .6 of the standard deviation of log z.
// Below v = 4 the error of a probability is some 1e-9. On the left the weight fades slowly, but little fails there: all that lies
// beyond the first point is added to it, which is to the cluster's disadvantage.
func (t *tables) newWeather(variance uint32) weather {
	if variance == 0 {
		return weather{z: []scaled{{1 << 63, 1}}, w: []uint64{one}}
	}
	steps := uint(1)
	for uint64(variance)<<(2*steps) < coarse { // h^2 a <= .36 with h = ln 2/2^steps
		steps++
	}
	step := int64(logOne >> steps)
	var at []int64
	var raw []uint64
	var sum uint64
	for x := -step; ; x -= step {
		d := t.depth(x, variance)
		if d > faint {
			break
		}
		w := t.exp2neg(d) >> 10 // room for the sum
		sum += w
		if n := len(raw); n > 0 && d+uint64(-x) > harsh {
			raw[n-1] += w
			continue
		}
		at, raw = append(at, x), append(raw, w)
	}
	slices.Reverse(at)
	slices.Reverse(raw)
	for x := int64(0); ; x += step {
		d := t.depth(x, variance)
		if d > faint {
			break
		}
		w := t.exp2neg(d) >> 10
		sum += w
		at, raw = append(at, x), append(raw, w)
	}
	var law weather
	rest := one
	for i, x := range at {
		w := rest // the last point takes what rounding left
		if i < len(at)-1 {
			w, _ = bits.Div64(raw[i], 0, sum)
		}
		rest -= w
		law.z, law.w = append(law.z, t.scaledExp2(x)), append(law.w, w)
	}
	return law
}

// depth is how far z^a e^(-a z) lies below its peak at z = 1, for z = 2^x, in bits as Q16.48: a (log2(e)(z - 1) - x). Both are
// right to 2^-46, so where a is large the weights are off by a 2^-46, which is below 2e-8 and common to neighbours.
func (t *tables) depth(x int64, variance uint32) uint64 {
	z := int64(t.exp2(x)) - logOne
	h, l := bits.Mul64(uint64(max(z, -z)), log2eQ62)
	d := int64(h<<2 | l>>62)
	if z < 0 {
		d = -d
	}
	h, l = bits.Mul64(uint64(max(d-x, 0)), 1_000_000)
	if h >= uint64(variance) {
		return one
	}
	q, _ := bits.Div64(h, l, uint64(variance))
	return q
}
