package staking

import (
	"errors"
	"fmt"
	"time"
)

// Infraction is a kind of fault that stake is slashed for: a name that Params.Slashes defines.
type Infraction string

// The infractions of io.net, which publishes the causes and not the amounts.
const (
	// Spoofing is hardware that is not what it claims to be.
	Spoofing Infraction = "spoofing"
	// DataCompromise is a breach of a renter's data.
	DataCompromise Infraction = "data compromise"
	// InadequateService is a device that its renter could not reach; it is measured in seconds of outage.
	InadequateService Infraction = "inadequate service"
	// Utilisation is an idle device that was busy with something else; one infraction is one confirmed hour.
	Utilisation Infraction = "utilisation over threshold"
	// MissedProof is a hardware challenge that was not answered; it is measured in missed challenges in a row.
	MissedProof Infraction = "missed proof"
)

// SlashRule says what an infraction costs. It is data: a network writes its own.
type SlashRule struct {
	// Kind is the infraction.
	Kind Infraction `json:"kind"`
	// Steps give the fraction by the measure of the infraction, both rising; the last step whose Over is below the
	// measure applies. A measure that is above no step is no infraction. One step at 0 is a fixed fraction, for any
	// measure from 1 on.
	Steps []SlashStep `json:"steps"`
	// CapBps is the largest sum of the fractions of this kind within CapWindow for one bond, in basis points; 0 is no cap.
	CapBps uint32 `json:"cap_bps"`
	// CapWindow is how far back the cap looks: infractions of the same kind less than this before or after count
	// together. JSON carries it in nanoseconds.
	CapWindow time.Duration `json:"cap_window_ns"`
	// RenterBps is the part of a final slash that the harmed renter gets, in basis points. Without a renter, or with one
	// whose wallet is linked with the owner's, it is burned.
	RenterBps uint32 `json:"renter_bps"`
	// ReporterBps is the part of a final slash that the reporter gets, in basis points, under the same conditions.
	ReporterBps uint32 `json:"reporter_bps"`
	// Fraud marks an infraction that counts as fraud in a tier's table.
	Fraud bool `json:"fraud"`
}

// SlashStep is one step of a [SlashRule].
type SlashStep struct {
	// Over is what the measure exceeds.
	Over uint64 `json:"over"`
	// Bps is the fraction of the stake that was bonded at the infraction, in basis points, 1 to 10,000.
	Bps uint32 `json:"bps"`
}

// SlashOrder says whose stake is taken first.
type SlashOrder uint8

// The orders. Rewards that were not claimed go before any stake in both.
const (
	// SupplierFirst takes the owner's stake first and the co-stakers' for what is still due.
	SupplierFirst SlashOrder = 0
	// ProRata takes from all at once, in proportion to what each can lose.
	ProRata SlashOrder = 1
)

// String returns "supplier first" or "pro rata".
func (o SlashOrder) String() string {
	switch o {
	case SupplierFirst:
		return "supplier first"
	case ProRata:
		return "pro rata"
	}
	return fmt.Sprintf("order(%d)", uint8(o))
}

// MarshalText returns what String returns; another value than the two is an error.
func (o SlashOrder) MarshalText() ([]byte, error) {
	if o > ProRata {
		return nil, fmt.Errorf("staking: unknown slash order %d", uint8(o))
	}
	return []byte(o.String()), nil
}

// UnmarshalText reads what MarshalText writes.
func (o *SlashOrder) UnmarshalText(text []byte) error {
	for _, known := range []SlashOrder{SupplierFirst, ProRata} {
		if known.String() == string(text) {
			*o = known
			return nil
		}
	}
	return fmt.Errorf("staking: unknown slash order %q", text)
}

// defaultSlashes returns the rules of [IONet]. io.net publishes the causes and no amounts; the amounts are our own
// choice. The ladder for outages follows DeepBrainChain's, with milder first steps, as does the tenth for the renter.
func defaultSlashes() []SlashRule {
	const (
		minute = 60
		hour   = 60 * minute
		tenth  = fullBps / 10
	)
	return []SlashRule{
		{Kind: Spoofing, Steps: []SlashStep{{Bps: fullBps}}, Fraud: true},
		{Kind: DataCompromise, Steps: []SlashStep{{Bps: fullBps}}, RenterBps: tenth, Fraud: true},
		{Kind: InadequateService, RenterBps: tenth, Steps: []SlashStep{
			{Over: 10 * minute, Bps: 200}, {Over: hour, Bps: 400}, {Over: 48 * hour, Bps: 3_000}, {Over: 120 * hour, Bps: 5_000},
		}},
		{Kind: Utilisation, Steps: []SlashStep{{Bps: 100}}, CapBps: 1_000, CapWindow: 30 * 24 * time.Hour},
		{Kind: MissedProof, Steps: []SlashStep{{Over: 2, Bps: 100}, {Over: 23, Bps: 1_000}}, CapBps: 2_000, CapWindow: 30 * 24 * time.Hour},
	}
}

// fraction returns what a measure costs in basis points, 0 if it is no infraction.
func (r SlashRule) fraction(measure uint64) uint32 {
	var bps uint32
	for _, s := range r.Steps {
		if measure > s.Over {
			bps = s.Bps
		}
	}
	return bps
}

func (r SlashRule) validate() error {
	switch {
	case r.Kind == "" || len(r.Kind) > longestID:
		return fmt.Errorf("kind has %d bytes, not 1 to %d", len(r.Kind), longestID)
	case len(r.Steps) == 0:
		return errors.New("steps are empty")
	case r.CapBps > fullBps:
		return fmt.Errorf("cap_bps %d is above %d", r.CapBps, fullBps)
	case (r.CapBps == 0) != (r.CapWindow == 0):
		return errors.New("cap_bps and cap_window go together")
	case r.CapWindow < 0 || r.CapWindow > longestSpan || r.CapWindow%time.Second != 0:
		return fmt.Errorf("cap_window %s is not whole seconds in 0..%s", r.CapWindow, longestSpan)
	case uint64(r.RenterBps)+uint64(r.ReporterBps) > fullBps:
		return fmt.Errorf("renter_bps %d and reporter_bps %d are more than %d", r.RenterBps, r.ReporterBps, fullBps)
	}
	for i, s := range r.Steps {
		switch {
		case s.Bps == 0 || s.Bps > fullBps:
			return fmt.Errorf("step %d: bps %d is not in 1..%d", i+1, s.Bps, fullBps)
		case i > 0 && (s.Over <= r.Steps[i-1].Over || s.Bps <= r.Steps[i-1].Bps):
			return fmt.Errorf("step %d does not rise", i+1)
		}
	}
	return nil
}
