package sched

import "math/bits"

// MIGProfile is a kind of instance into which an NVIDIA device is divided: so many of its 7 compute slices and 8 memory slices.
type MIGProfile uint8

// The profiles of A100, H100, H200 and their like. A device of 80 GB calls them 1g.10gb, 1g.20gb, 2g.20gb, 3g.40gb, 4g.40gb and 7g.80gb.
const (
	// MIG1g has 1 compute and 1 memory slice and may begin at memory slice 0 to 6.
	MIG1g MIGProfile = iota + 1
	// MIG1gWide has 1 compute and 2 memory slices and may begin at 0, 2, 4 and 6.
	MIG1gWide
	// MIG2g has 2 and 2 and may begin at 0, 2 and 4.
	MIG2g
	// MIG3g has 3 and 4 and may begin at 0 and 4.
	MIG3g
	// MIG4g has 4 and 4 and begins at 0.
	MIG4g
	// MIG7g has 7 and 8: the whole device.
	MIG7g
)

// String returns the profile's name without the memory, which differs by device.
func (m MIGProfile) String() string { return label(m, "1g", "1g wide", "2g", "3g", "4g", "7g") }

const memorySlices = 8

// memory is how many of the 8 memory slices the profile has.
func (m MIGProfile) memory() int { return [...]int{0, 1, 2, 2, 4, 4, 8}[m] }

// starts has bit i set where an instance may begin at memory slice i (NVIDIA Multi-Instance GPU User Guide, "MIG device placements").
func (m MIGProfile) starts() uint8 {
	return [...]uint8{0, 0b0111_1111, 0b0101_0101, 0b0001_0101, 0b0001_0001, 0b0000_0001, 0b0000_0001}[m]
}

// place returns the memory slices that an instance takes on a device of which used are taken, 0 if it fits nowhere. Of several places it
// takes the highest, since the largest profiles begin at the lowest.
func (m MIGProfile) place(used uint8) uint8 {
	for s := m.starts(); s != 0; {
		at := bits.Len8(s) - 1
		s &^= 1 << at
		if slices := uint8((1<<m.memory() - 1) << at); used&slices == 0 {
			return slices
		}
	}
	return 0
}
