package attest

import (
	"errors"
	"fmt"
)

// Refusals. Every error of this package wraps one of them; those about a chain, a policy or measurements are structs with fields.
var (
	ErrInvalid      = errors.New("attest: invalid policy")
	ErrReport       = errors.New("attest: malformed report")
	ErrNonce        = errors.New("attest: nonce is not the one asked for")
	ErrChain        = errors.New("attest: certificate chain")
	ErrIdentity     = errors.New("attest: certificates are not those of a GPU")
	ErrSignature    = errors.New("attest: signature does not fit")
	ErrFirmware     = errors.New("attest: firmware that signs is not the firmware that was certified")
	ErrRevoked      = errors.New("attest: certificate is revoked")
	ErrPolicy       = errors.New("attest: policy")
	ErrMeasurements = errors.New("attest: measurements differ from the reference values")
	ErrManifest     = errors.New("attest: reference manifest")
	ErrToken        = errors.New("attest: token")
)

// ChainError says which certificate broke which rule. It wraps ErrChain.
type ChainError struct {
	Subject string // the certificate, as a distinguished name; empty where the fault is no single one's
	Reason  string // the rule and what was found
}

// Error names the certificate and the rule.
func (e *ChainError) Error() string {
	if e.Subject == "" {
		return fmt.Sprintf("%v: %s", ErrChain, e.Reason)
	}
	return fmt.Sprintf("%v: %q: %s", ErrChain, e.Subject, e.Reason)
}

// Unwrap returns ErrChain.
func (*ChainError) Unwrap() error { return ErrChain }

// PolicyError says what genuine evidence lacks to be accepted. It wraps ErrPolicy.
type PolicyError struct {
	Field string // the field of Policy that refuses
	Have  string // what the evidence says
	Want  string // what the policy wants
}

// Error names the field, the value and the limit.
func (e *PolicyError) Error() string {
	return fmt.Sprintf("%v: %s: have %q, want %s", ErrPolicy, e.Field, e.Have, e.Want)
}

// Unwrap returns ErrPolicy.
func (*PolicyError) Unwrap() error { return ErrPolicy }

// MismatchError says that genuine evidence measures firmware that the reference values do not list. It wraps
// ErrMeasurements.
type MismatchError struct {
	Result     *Result    // the evidence, which is genuine and has passed everything else
	Mismatches []Mismatch // by index, at least one
}

// Error counts the mismatches and names the first.
func (e *MismatchError) Error() string {
	return fmt.Sprintf("%v: %d of %d, first %v", ErrMeasurements, len(e.Mismatches), e.Result.Compared, e.Mismatches[0])
}

// Unwrap returns ErrMeasurements.
func (*MismatchError) Unwrap() error { return ErrMeasurements }
