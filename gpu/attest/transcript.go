package attest

import (
	"encoding/binary"
	"fmt"
)

// Sizes of SPDM 1.1 (DSP0274) as NVIDIA's GPUs use it, in bytes.
const (
	MaxReport = 64 << 10 // the most that a report may have; genuine ones have 4049 to 4300

	requestBytes   = 37 // version, code, two parameters, nonce, slot
	headerBytes    = 8  // version, code, two parameters, number of blocks, length of the record in 24 bits
	nonceBytes     = 32
	signatureBytes = 96 // ECDSA P-384, r and s in 48 bytes each
	digestBytes    = 48 // SHA-384
	blockBytes     = 4 + 3 + digestBytes
)

// Codes and values of SPDM 1.1 that a report must have.
const (
	spdmVersion      = 0x11
	getMeasurements  = 0xE0
	measurements     = 0x60
	wantSignature    = 0x01 // first parameter of the request
	allMeasurements  = 0xFF // second parameter of the request
	dmtfSpec         = 0x01 // specification of a measurement block
	rawMeasurement   = 0x80 // bit of the DMTF type: the value is no digest
	maxSlot          = 7
	maxDMTFValueType = 0x04 // immutable ROM, mutable firmware, hardware configuration, firmware configuration, manifest
)

// Transcript is a report taken apart: the SPDM request GET_MEASUREMENTS, the response MEASUREMENTS, and the signature over
// both. Nothing in it is verified: whoever has bytes can make one.
type Transcript struct {
	Nonce        [32]byte      // of the request: the verifier's
	DeviceNonce  [32]byte      // of the response: the device's
	Slot         uint8         // which of the device's chains has the key that signs, 0 to 7
	Measurements [][48]byte    // by the index that manifests use: entry 0 is SPDM block 1; SHA-384, zeros where nothing is measured
	Fields       []OpaqueField // the opaque data, in the order of the report

	signed    []byte // request and response
	signature []byte // r, s
}

// ParseTranscript reads request, response and signature. It is strict: every length is checked, blocks are numbered 1, 2,
// 3 without a gap, each holds a SHA-384 digest, no opaque field comes twice, and no byte is left over. The transcript shares
// no memory with b. Errors wrap ErrReport.
func ParseTranscript(b []byte) (*Transcript, error) {
	if len(b) > MaxReport {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrReport, len(b), MaxReport)
	}
	if least := requestBytes + headerBytes + nonceBytes + 2 + signatureBytes; len(b) < least {
		return nil, fmt.Errorf("%w: %d bytes, at least %d", ErrReport, len(b), least)
	}
	b = append([]byte(nil), b...)
	t := &Transcript{signed: b[:len(b)-signatureBytes], signature: b[len(b)-signatureBytes:]}
	if err := t.request(b[:requestBytes]); err != nil {
		return nil, err
	}
	if err := t.response(t.signed[requestBytes:]); err != nil {
		return nil, err
	}
	return t, nil
}

// Field returns the value of an opaque field, and false if the report has none of that kind. The value is the transcript's
// own memory.
func (t *Transcript) Field(k OpaqueKind) ([]byte, bool) {
	for _, f := range t.Fields {
		if f.Kind == k {
			return f.Value, true
		}
	}
	return nil, false
}

func (t *Transcript) request(b []byte) error {
	switch {
	case b[0] != spdmVersion || b[1] != getMeasurements:
		return fmt.Errorf("%w: request starts %02x %02x, want %02x %02x", ErrReport, b[0], b[1], spdmVersion, getMeasurements)
	case b[2] != wantSignature:
		return fmt.Errorf("%w: request asks for no signature: parameter 1 is %#02x, want %#02x", ErrReport, b[2], wantSignature)
	case b[3] != allMeasurements:
		return fmt.Errorf("%w: request asks for a part: parameter 2 is %#02x, want %#02x", ErrReport, b[3], allMeasurements)
	case b[36] > maxSlot:
		return fmt.Errorf("%w: request names slot %d, at most %d", ErrReport, b[36], maxSlot)
	}
	copy(t.Nonce[:], b[4:36])
	t.Slot = b[36]
	return nil
}

func (t *Transcript) response(b []byte) error {
	switch {
	case b[0] != spdmVersion || b[1] != measurements:
		return fmt.Errorf("%w: response starts %02x %02x, want %02x %02x", ErrReport, b[0], b[1], spdmVersion, measurements)
	case b[2] != 0 || b[3] != t.Slot: // SPDM 1.1: reserved where all measurements were asked for; the slot
		return fmt.Errorf("%w: response has parameters %#02x %#02x, want 0x00 %#02x", ErrReport, b[2], b[3], t.Slot)
	}
	record := int(b[5]) | int(b[6])<<8 | int(b[7])<<16
	if want := int(b[4]) * blockBytes; record != want || want == 0 {
		return fmt.Errorf("%w: record of %d bytes for %d blocks of %d", ErrReport, record, b[4], blockBytes)
	}
	rest := b[headerBytes:]
	if len(rest) < record+nonceBytes+2 {
		return fmt.Errorf("%w: record of %d bytes does not fit into the response", ErrReport, record)
	}
	if err := t.record(rest[:record]); err != nil {
		return err
	}
	rest = rest[record:]
	copy(t.DeviceNonce[:], rest)
	opaque := rest[nonceBytes+2:]
	if n := int(binary.LittleEndian.Uint16(rest[nonceBytes:])); n != len(opaque) {
		return fmt.Errorf("%w: opaque data of %d bytes where the length says %d", ErrReport, len(opaque), n)
	}
	var err error
	t.Fields, err = parseFields(opaque)
	return err
}

// record reads the measurement blocks; b is a whole number of them.
func (t *Transcript) record(b []byte) error {
	t.Measurements = make([][48]byte, len(b)/blockBytes)
	for i := range t.Measurements {
		blk := b[i*blockBytes : (i+1)*blockBytes]
		size, value := binary.LittleEndian.Uint16(blk[2:]), binary.LittleEndian.Uint16(blk[5:])
		switch {
		case int(blk[0]) != i+1:
			return fmt.Errorf("%w: block %d has index %d", ErrReport, i+1, blk[0])
		case blk[1] != dmtfSpec:
			return fmt.Errorf("%w: block %d has specification %#02x, want %#02x", ErrReport, i+1, blk[1], dmtfSpec)
		case size != 3+digestBytes || value != digestBytes:
			return fmt.Errorf("%w: block %d has %d bytes with a value of %d, want %d with %d", ErrReport, i+1, size, value, 3+digestBytes, digestBytes)
		case blk[4]&rawMeasurement != 0 || blk[4] > maxDMTFValueType:
			return fmt.Errorf("%w: block %d is of type %#02x, want a digest, 0x00 to %#02x", ErrReport, i+1, blk[4], maxDMTFValueType)
		}
		copy(t.Measurements[i][:], blk[7:])
	}
	return nil
}
