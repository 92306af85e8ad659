// Package attest verifies, offline and in the standard library alone, what an NVIDIA GPU in a confidential virtual machine
// signs about itself: which chip it is, and which firmware it runs.
//
// # Model
//
// [Evidence] is a report and a chain of certificates. The report is an SPDM 1.1 exchange: a request with the verifier's
// nonce, a response with 64 measurements and opaque fields, and a signature over both; [ParseTranscript] takes it apart.
// [OpenChip] verifies the chain, which gives a [Chip]; [Verify] does both, under a [Policy], and gives a [Result]. A
// [Manifest], read by [ParseRIM], is NVIDIA's signed list of what a driver or a VBIOS measures; two of them make the
// [Golden] values that a policy compares. [VerifyToken] reads the word of NVIDIA's online service instead, an [Appraisal].
//
// # Rules
//
// A chain is a path from one leaf to a root whose SHA-256 is pinned. The path is found by names and verified by signature,
// time, key usage and path length; the order of the certificates does not matter, those off the path are ignored, and two
// certificates with one subject are refused. A root that came with the evidence is worth nothing unless it is pinned.
//
// The leaf belongs to the firmware that signs (FMC); its issuer is the chip's boot ROM (BROM), whose certificate has a
// serial number per chip. That number, from the verified path, is [Chip.ID]: let no two devices of a network have the same.
// NVIDIA's switches chain to the same root and are refused as GPUs.
//
// The leaf certifies the digest (FWID) of the firmware that holds its key. Where the report tells a FWID too, the two must
// be equal. Blackwell's leaves also say whether that firmware is in debug or recovery, which is refused. Hopper's do not;
// nor does any report say whether the driver is in developer mode: measurements that match are what rules it out.
//
// Of a manifest, active indices count, any listed value matches, an index that is active in both manifests is an error, and
// index 35 counts unless the report says that NVDEC 0 is off. Manifests must be for the driver and the VBIOS of the report.
//
// # Example
//
// The H100 of testdata has 64 measurements. Its driver, 545.00, has a manifest with 21 active indices, its VBIOS,
// 96.00.5E.00.01, one with 12: 33 values, of which 32 are judged, because NVDEC 0 is off. All match the manifest of its
// engineering VBIOS. Against the manifest of the production VBIOS of the same version, indices 1, 2, 3 and 9 do not: the
// sample is genuine and runs firmware that no customer has.
//
// # Errors
//
// Every refusal wraps a sentinel; [ChainError], [PolicyError] and [MismatchError] have fields. Nothing is judged by halves:
// without an error everything that the policy asks for holds. There is no arithmetic and no rounding. No input panics.
//
// # What it does not do
//
// It opens no connection and reads no clock: certificates, manifests, key sets, revocations and time come from the caller,
// and so does freshness. A nonce must be drawn by the verifier, used once, and be answered within 60 s.
//
// Verified evidence proves that a chip which NVIDIA certified signed this nonce, with firmware of that digest. It does not
// prove that the chip is fast, free, alone in its machine, or near: package challenge measures that. Nor that the virtual
// machine around it is confidential, which needs the evidence of its CPU, and nor that whoever sent the evidence has the
// chip: evidence can be relayed, unless the nonce commits to the sender's key. Chips that cannot attest, which are all of
// NVIDIA's consumer boards and everything before Hopper, prove nothing here. Rubin's evidence is not known yet.
//
// XML, XML Signature, PEM and JOSE are read in the subset that NVIDIA uses; the rest is refused, not guessed. Revocation is
// asked through an interface. Name constraints and certificate policies are not evaluated: the former are refused.
//
// # Sources
//
// SPDM: DMTF DSP0274 1.1. FWID: TCG, DICE Attestation Architecture 1.1. Opaque fields, comparison rules, names of manifests
// and roots: NVIDIA/nvtrust, guest_tools/gpu_verifiers. XML: Canonical XML 1.1, XML Signature 1.1. Tokens: RFC 7515, 7517,
// 7518, 9711 and docs.nvidia.com/attestation. Genuine samples: testdata/README.md.
package attest
