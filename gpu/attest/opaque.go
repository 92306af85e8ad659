package attest

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// OpaqueKind says what a field of a report's opaque data is.
type OpaqueKind uint16

// Kinds of opaque fields, with the numbers and names of NVIDIA/nvtrust, spdm_msrt_resp_msg.py. Reports have others too: they
// are kept in Transcript.Fields and are under the signature, but nothing here reads them.
const (
	OpaqueDriver     OpaqueKind = 3  // driver version, text
	OpaqueVBIOS      OpaqueKind = 6  // VBIOS version, two 32-bit numbers
	OpaqueNVDEC0     OpaqueKind = 11 // whether NVDEC 0 is on: 0xAA yes, 0x55 no
	OpaqueChipSKU    OpaqueKind = 15 // text
	OpaqueProject    OpaqueKind = 17 // text
	OpaqueProjectSKU OpaqueKind = 18 // text
	OpaqueFWID       OpaqueKind = 20 // SHA-384 of the firmware that signs; newer drivers
	OpaqueMode       OpaqueKind = 36 // mode of confidential computing; newer drivers
)

// String returns the kind in words.
func (k OpaqueKind) String() string {
	switch k {
	case OpaqueDriver:
		return "driver"
	case OpaqueVBIOS:
		return "vbios"
	case OpaqueNVDEC0:
		return "nvdec0"
	case OpaqueChipSKU:
		return "chip sku"
	case OpaqueProject:
		return "project"
	case OpaqueProjectSKU:
		return "project sku"
	case OpaqueFWID:
		return "fwid"
	case OpaqueMode:
		return "feature"
	default:
		return fmt.Sprintf("field(%d)", uint16(k))
	}
}

// OpaqueField is one entry of a report's opaque data.
type OpaqueField struct {
	Kind  OpaqueKind // what it is
	Value []byte     // as it came
}

// CCMode is the mode of confidential computing that a report tells.
type CCMode uint8

// Modes, by the numbers of NVIDIA's verifiers plus one: zero is a report that does not tell.
const (
	CCUntold CCMode = iota // the report has no such field: drivers before it was introduced
	CCSPT                  // single-GPU passthrough
	CCMPT                  // multi-GPU passthrough: the links between the GPUs are encrypted
	CCPPCIE                // protected PCIe: the links are not encrypted, the switches are inside what is trusted
)

// String returns the mode as NVIDIA writes it.
func (m CCMode) String() string {
	switch m {
	case CCUntold:
		return "untold"
	case CCSPT:
		return "SPT"
	case CCMPT:
		return "MPT"
	case CCPPCIE:
		return "PPCIE"
	default:
		return fmt.Sprintf("unknown(%d)", uint8(m))
	}
}

const (
	nvdecOn  = 0xAA
	nvdecOff = 0x55
)

// facts are the opaque fields that a result shows, each checked.
type facts struct {
	driver, vbios, project, projectSKU, chipSKU string
	nvdec0Off                                   bool
	fwid                                        []byte // 48 bytes; nil: not told
	mode                                        CCMode
}

func parseFields(b []byte) ([]OpaqueField, error) {
	var out []OpaqueField
	seen := map[OpaqueKind]bool{}
	for len(b) > 0 {
		if len(b) < 4 {
			return nil, fmt.Errorf("%w: %d bytes after the last opaque field", ErrReport, len(b))
		}
		k, n := OpaqueKind(binary.LittleEndian.Uint16(b)), int(binary.LittleEndian.Uint16(b[2:]))
		if n > len(b)-4 {
			return nil, fmt.Errorf("%w: opaque %v has %d bytes, %d are left", ErrReport, k, n, len(b)-4)
		}
		if seen[k] {
			return nil, fmt.Errorf("%w: opaque %v comes twice", ErrReport, k)
		}
		seen[k] = true
		out = append(out, OpaqueField{Kind: k, Value: b[4 : 4+n : 4+n]})
		b = b[4+n:]
	}
	return out, nil
}

// facts reads the fields that every GPU's report has, and those that newer ones have.
func (t *Transcript) facts() (facts, error) {
	var f facts
	for _, e := range []struct {
		kind OpaqueKind
		to   *string
	}{
		{OpaqueDriver, &f.driver},
		{OpaqueProject, &f.project},
		{OpaqueProjectSKU, &f.projectSKU},
		{OpaqueChipSKU, &f.chipSKU},
	} {
		s, err := t.text(e.kind)
		if err != nil {
			return facts{}, err
		}
		*e.to = s
	}
	if _, err := parseVersion(f.driver); err != nil {
		return facts{}, fmt.Errorf("%w: opaque %v: %w", ErrReport, OpaqueDriver, err)
	}
	var err error
	if f.vbios, err = t.vbios(); err != nil {
		return facts{}, err
	}
	if b, ok := t.Field(OpaqueNVDEC0); ok {
		if len(b) != 1 || b[0] != nvdecOn && b[0] != nvdecOff {
			return facts{}, fmt.Errorf("%w: opaque %v is %x, want aa or 55", ErrReport, OpaqueNVDEC0, b)
		}
		f.nvdec0Off = b[0] == nvdecOff
	}
	if b, ok := t.Field(OpaqueFWID); ok {
		if len(b) != digestBytes {
			return facts{}, fmt.Errorf("%w: opaque %v has %d bytes, want %d", ErrReport, OpaqueFWID, len(b), digestBytes)
		}
		f.fwid = b
	}
	f.mode, err = t.mode()
	return f, err
}

// text reads a field that holds a C string: printable ASCII, then zeros.
func (t *Transcript) text(k OpaqueKind) (string, error) {
	b, ok := t.Field(k)
	if !ok {
		return "", fmt.Errorf("%w: no opaque %v", ErrReport, k)
	}
	s := strings.TrimRight(string(b), "\x00")
	if s == "" || len(s) > 64 || len(s) == len(b) || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("%w: opaque %v is %q, want 1 to 64 printable characters and a zero", ErrReport, k, b)
	}
	return s, nil
}

// vbios writes 0x96005E00, 1 as 96.00.5E.00.01, which is how NVML and the manifests write it.
func (t *Transcript) vbios() (string, error) {
	b, ok := t.Field(OpaqueVBIOS)
	if !ok || len(b) != 8 {
		return "", fmt.Errorf("%w: opaque %v has %d bytes, want 8", ErrReport, OpaqueVBIOS, len(b))
	}
	hi, lo := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
	if lo > 0xFF {
		return "", fmt.Errorf("%w: opaque %v ends in %#x, at most 0xff", ErrReport, OpaqueVBIOS, lo)
	}
	return fmt.Sprintf("%02X.%02X.%02X.%02X.%02X", hi>>24, hi>>16&0xFF, hi>>8&0xFF, hi&0xFF, lo), nil
}

func (t *Transcript) mode() (CCMode, error) {
	b, ok := t.Field(OpaqueMode)
	if !ok {
		return CCUntold, nil
	}
	if len(b) != 2 || binary.LittleEndian.Uint16(b) > 2 {
		return 0, fmt.Errorf("%w: opaque %v is %x, want 0 to 2 in 2 bytes", ErrReport, OpaqueMode, b)
	}
	return CCSPT + CCMode(b[0]), nil
}
