package attest

import (
	"fmt"
	"strings"
	"time"
)

// Evidence is what a GPU in a confidential virtual machine gives for a nonce.
type Evidence struct {
	Report   []byte // SPDM request, response and signature, as the driver returns them; at most MaxReport bytes
	ChainPEM []byte // the device's certificates in any order; at most MaxChain bytes
}

// Result is what verified evidence says.
type Result struct {
	ChipID       string       // see Chip.ID: where no two devices may have the same
	Model        string       // such as GH100
	Architecture Architecture // of the model
	Serial       string       // see Chip.Serial
	UEID         string       // see Chip.UEID
	Driver       string       // such as 550.90.07
	VBIOS        string       // such as 96.00.5E.00.01
	Project      string       // of the board, such as 1010
	ProjectSKU   string       // such as 0200
	ChipSKU      string       // such as 882
	FWID         string       // SHA-384 of the firmware that signed, lower-case hexadecimal; empty: the report does not tell
	Mode         CCMode       // of confidential computing
	Measurements [][48]byte   // by index, the caller's own
	Compared     int          // how many of them the policy's reference values judged

	nvdec0Off bool
}

// Verify verifies evidence for a nonce at a time. The checks come in this order, each with its own error:
//
//   - the policy is valid (ErrInvalid);
//   - the report is well formed (ErrReport) and answers the nonce, which is not zeros (ErrNonce), compared in constant time;
//   - the certificates lead from one leaf to a pinned root (*ChainError), as those of a GPU (ErrIdentity), with firmware
//     that is not open to debugging (ErrFirmware), none revoked (ErrRevoked);
//   - the leaf's key signed the report (ErrSignature), whose opaque data are complete (ErrReport), and which names the
//     firmware that the leaf certifies, if it names any (ErrFirmware);
//   - the policy admits architecture, driver and FWID (*PolicyError);
//   - the reference values, if the policy has some, are for this driver and VBIOS (*PolicyError) and list what was measured
//     (*MismatchError, which holds the result).
//
// A nonce must be fresh, drawn by the verifier for this device, used once, and answered within a time (60 s): the caller
// sees to all of it, as gpu.Registry does for the nonces of reports. Whoever keeps evidence must key it by nonce or ChipID,
// never by a hash of its bytes: of an ECDSA signature (r, s) anybody can make another one, (r, n-s).
func Verify(e Evidence, p Policy, nonce [32]byte, at time.Time) (*Result, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	t, err := answer(e.Report, nonce) // before the chain: it costs nothing to turn a wrong nonce away
	if err != nil {
		return nil, err
	}
	c, err := OpenChip(e.ChainPEM, p, at)
	if err != nil {
		return nil, err
	}
	return c.appraise(t)
}

// ManifestIDs returns the names under which NVIDIA's service has the reference manifests of this driver and this VBIOS.
func (r *Result) ManifestIDs() (driver, vbios string) {
	driver = fmt.Sprintf("NV_GPU_DRIVER_%s_%s", r.Model, r.Driver)
	if r.Architecture != Hopper {
		driver = fmt.Sprintf("NV_GPU_CC_DRIVER_%s_%s", r.Model, r.Driver)
	}
	vbios = fmt.Sprintf("NV_GPU_VBIOS_%s_%s_%s_%s", r.Project, r.ProjectSKU, r.ChipSKU, strings.ReplaceAll(r.VBIOS, ".", ""))
	return driver, vbios
}
