package spl

import "fmt"

// Format is how the bytes of a transaction are laid out.
type Format uint8

const (
	// V1 is version 1 (SIMD-0385): 4,096 bytes, 64 addresses, the compute budget inside the message, no lookup tables.
	V1 Format = iota + 1
	// V0 is version 0: 1,232 bytes, 64 addresses, some of which may be read from lookup tables.
	V0
	// Legacy is the format without a version: 1,232 bytes.
	Legacy
)

// Limits of a transaction. A transaction of the older formats must fit one packet; that it locks at most 64 accounts, and
// runs at most 64 instructions, those that programs call included, holds for all.
const (
	maxAddresses    = 64
	maxInstructions = 64
	maxSigners      = 12        // of version 1 (SIMD-0385); the older formats have no room for many more
	maxBytesV1      = 4096      // SIMD-0385
	maxBytesOld     = 1232      // 1,280 of IPv6 less 48 of headers
	maxUnits        = 1_400_000 // compute units of one transaction
	maxLoaded       = 64 << 20  // bytes of accounts that one transaction may load
)

// String returns "v1", "v0" or "legacy".
func (f Format) String() string {
	switch f {
	case V1:
		return "v1"
	case V0:
		return "v0"
	case Legacy:
		return "legacy"
	}
	return fmt.Sprintf("format(%d)", uint8(f))
}

// MaxBytes returns how many bytes a transaction of the format has at most, signatures included: 4,096 or 1,232, and 0 if
// there is no such format.
func (f Format) MaxBytes() int {
	switch f {
	case V1:
		return maxBytesV1
	case V0, Legacy:
		return maxBytesOld
	}
	return 0
}
