package attest

import (
	"fmt"
	"slices"
	"strings"
)

// nvdecIndex is the measurement of NVDEC 0's firmware, which says nothing while that engine is off (NVIDIA/nvtrust, verifier.py).
const nvdecIndex = 35

// Golden are the reference values of one driver on one VBIOS, from two signed manifests.
type Golden struct {
	driver, vbios string
	refs          []Reference // active ones, by index
}

// Mismatch is one measurement that is not among its reference values.
type Mismatch struct {
	Index  int      // as manifests count, from 0
	Name   string   // what the manifest calls it
	Have   [48]byte // what was measured; zeros where the report has no such index
	Reason string   // why it does not match
}

// String names the measurement and the reason.
func (m Mismatch) String() string { return fmt.Sprintf("%d (%s): %s", m.Index, m.Name, m.Reason) }

// NewGolden joins the manifests of a driver and of a VBIOS. Only active entries count. An index that is active in both is
// an error, ErrManifest: one of them is not what it seems.
func NewGolden(driver, vbios *Manifest) (*Golden, error) {
	if driver == nil || vbios == nil {
		return nil, fmt.Errorf("%w: both manifests are needed", ErrManifest)
	}
	g := &Golden{driver: driver.Version, vbios: vbios.Version}
	for _, r := range slices.Concat(driver.References, vbios.References) {
		if !r.Active {
			continue
		}
		if slices.ContainsFunc(g.refs, func(x Reference) bool { return x.Index == r.Index }) {
			return nil, fmt.Errorf("%w: index %d is active for driver %s and for VBIOS %s", ErrManifest, r.Index, g.driver, g.vbios)
		}
		r.Values = slices.Clone(r.Values)
		g.refs = append(g.refs, r)
	}
	slices.SortFunc(g.refs, func(a, b Reference) int { return a.Index - b.Index })
	if len(g.refs) == 0 {
		return nil, fmt.Errorf("%w: no active index in either manifest", ErrManifest)
	}
	return g, nil
}

// Compare returns the measurements that are none of their reference values, by index. Measurements without an active
// reference value are not judged, nor is index 35 while the report says that NVDEC 0 is off. Values for another driver or
// VBIOS than the evidence's are a *PolicyError.
func (g *Golden) Compare(r *Result) ([]Mismatch, error) {
	if g.driver != r.Driver {
		return nil, &PolicyError{Field: "Golden", Have: r.Driver, Want: "driver " + g.driver}
	}
	if !strings.EqualFold(g.vbios, r.VBIOS) {
		return nil, &PolicyError{Field: "Golden", Have: r.VBIOS, Want: "VBIOS " + g.vbios}
	}
	var out []Mismatch
	for _, ref := range g.refs {
		switch {
		case !applies(ref, r):
		case ref.Index >= len(r.Measurements):
			out = append(out, Mismatch{Index: ref.Index, Name: ref.Name, Reason: fmt.Sprintf("not measured: the report has %d", len(r.Measurements))})
		case !slices.Contains(ref.Values, r.Measurements[ref.Index]):
			out = append(out, Mismatch{
				Index: ref.Index, Name: ref.Name, Have: r.Measurements[ref.Index],
				Reason: fmt.Sprintf("%x is none of %d reference values", r.Measurements[ref.Index], len(ref.Values)),
			})
		}
	}
	return out, nil
}

// count returns how many reference values Compare judges.
func (g *Golden) count(r *Result) int {
	n := 0
	for _, ref := range g.refs {
		if applies(ref, r) {
			n++
		}
	}
	return n
}

func applies(ref Reference, r *Result) bool { return ref.Index != nvdecIndex || !r.nvdec0Off }
