package tokenomics

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// ErrRecord is returned for a [BlockRecord] that cannot be read; the message names the row and the field.
var ErrRecord = errors.New("tokenomics: unreadable block record")

// printedPlaces bounds the decimal places of a printed number.
const printedPlaces = 8

// Printed is a number as it stands in a publication, such as "4559.620", without separators of thousands: its decimal
// places, eight at most, are its precision. "" is a number that is not printed.
type Printed string

// Places returns the number of digits behind the point.
func (p Printed) Places() int {
	_, frac, _ := strings.Cut(string(p), ".")
	return len(frac)
}

// read returns the number in units of its last place.
func (p Printed) read(field string) (uint64, error) {
	if n := p.Places(); n > printedPlaces {
		return 0, fmt.Errorf("%w: %s %s has %d decimal places, at most %d", ErrRecord, field, quote(string(p)), n, printedPlaces)
	}
	v, err := parseFixed(string(p), p.Places())
	if err != nil {
		return 0, fmt.Errorf("%w: %s: %w", ErrRecord, field, err)
	}
	return v, nil
}

// decimal returns the number, which must have been read.
func (p Printed) decimal() decimal.Decimal {
	v, _ := parseFixed(string(p), p.Places())
	return scaled(v, int32(p.Places()))
}

// amounts returns the least and the largest amount that print as p, cut or rounded to the nearest. With all eight
// places that is the amount itself.
func (p Printed) amounts() (least, most uint64) {
	v, _ := parseFixed(string(p), AmountPlaces)
	unit := uint64(1)
	for range AmountPlaces - p.Places() {
		unit *= 10
	}
	least, most = v-min(v, unit/2), v+unit-1
	if most < v {
		most = 1<<64 - 1
	}
	return least, most
}

// scaled returns v units of the given decimal place.
func scaled(v uint64, places int32) decimal.Decimal {
	return decimal.NewFromBigInt(new(big.Int).SetUint64(v), -places)
}

// DeviceRecord is one line of a block as a network published it. What is not printed is left zero.
type DeviceRecord struct {
	// Model is the full name of the processors.
	Model string `json:"model,omitempty"`
	// Pool is the pool of the device, where it does not follow from the model.
	Pool Pool `json:"pool,omitempty"`
	// Quantity is the number of processors, Connectivity the tier from 1 to 4.
	Quantity     uint32 `json:"quantity,omitempty"`
	Connectivity uint8  `json:"connectivity,omitempty"`
	// Hired tells whether a renter used the device; nil is not printed.
	Hired *bool `json:"hired,omitempty"`
	// Multiplier, Score (the base score), Normalised and Reward are the columns of figures.
	Multiplier Printed `json:"multiplier,omitempty"`
	Score      Printed `json:"score,omitempty"`
	Normalised Printed `json:"normalised,omitempty"`
	Reward     Printed `json:"reward,omitempty"`
}

// PoolRecord is what is published about one pool of a block.
type PoolRecord struct {
	Pool Pool `json:"pool"`
	// Points is what the normalised scores of the pool add up to, Total what its base scores do.
	Points Printed `json:"points,omitempty"`
	Total  Printed `json:"total,omitempty"`
}

// BlockRecord is what a network published about one block: any part of it may be missing.
type BlockRecord struct {
	// Source says where it was published.
	Source string `json:"source,omitempty"`
	// At is an instant of the block, usually its begin; the zero time is not printed.
	At time.Time `json:"at,omitzero"`
	// Emission is the printed emission of the whole block.
	Emission Printed `json:"emission,omitempty"`
	// Pools are the pools of which something is printed, each once.
	Pools []PoolRecord `json:"pools,omitempty"`
	// Rows are the devices.
	Rows []DeviceRecord `json:"rows"`
}

// validate reads every number once.
func (r BlockRecord) validate() error {
	type field struct {
		name  string
		value Printed
	}
	check := func(where string, fields ...field) error {
		for _, f := range fields {
			if f.value != "" {
				if _, err := f.value.read(where + f.name); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if err := check("", field{"emission", r.Emission}); err != nil {
		return err
	}
	if r.Emission != "" {
		if _, err := parseFixed(string(r.Emission), AmountPlaces); err != nil {
			return fmt.Errorf("%w: emission: %w", ErrRecord, err)
		}
	}
	var seen [PoolCommunity + 1]bool
	for _, p := range r.Pools {
		if p.Pool == NoPool || p.Pool > PoolCommunity || seen[p.Pool] {
			return fmt.Errorf("%w: pool %s is unknown or comes twice", ErrRecord, p.Pool)
		}
		seen[p.Pool] = true
		if err := check("pool "+p.Pool.String()+": ", field{"points", p.Points}, field{"total", p.Total}); err != nil {
			return err
		}
		if p.Points.Places() > 0 || p.Total.Places() > 0 {
			return fmt.Errorf("%w: pool %s: points or total with decimal places", ErrRecord, p.Pool)
		}
	}
	for i, d := range r.Rows {
		where := fmt.Sprintf("row %d: ", i+1)
		switch {
		case d.Pool > PoolCommunity:
			return fmt.Errorf("%w: %sunknown pool %d", ErrRecord, where, uint8(d.Pool))
		case d.Connectivity > 4:
			return fmt.Errorf("%w: %sconnectivity tier %d, want 1 to 4", ErrRecord, where, d.Connectivity)
		case d.Score.Places() > 0:
			return fmt.Errorf("%w: %sscore %s, want a whole number", ErrRecord, where, quote(string(d.Score)))
		}
		if d.Multiplier != "" {
			if err := new(Multiplier).UnmarshalText([]byte(d.Multiplier)); err != nil {
				return fmt.Errorf("%w: %smultiplier: %w", ErrRecord, where, err)
			}
		}
		if d.Reward != "" {
			if _, err := parseFixed(string(d.Reward), AmountPlaces); err != nil {
				return fmt.Errorf("%w: %sreward: %w", ErrRecord, where, err)
			}
		}
		if err := check(where, field{"score", d.Score}, field{"normalised", d.Normalised}, field{"reward", d.Reward}); err != nil {
			return err
		}
	}
	return nil
}
