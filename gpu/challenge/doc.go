// Package challenge proves, over a network and without any tolerance, that a device does integer matrix work at a rate and
// holds a table in its memory.
//
// # Model
//
// A [Spec] is a task that a verifier poses: its seed, and so all that both sides compute, follows from it. A prover answers
// with a [Commitment] (Merkle roots of its results) before a deadline, then with an [Opening] for each of the leaves that a
// nonce drawn after the roots asks for. [Verify] recomputes the opened entries from the seed. A [MemorySpec] adds a table that
// is filled first, held while the work runs, and walked by dependent random reads under a deadline of its own. An [Exchange]
// is the verifier's side of one challenge, a [Barrier] that of all devices of a supplier at one instant, a [Schedule] says
// when. [Rates] holds what models were measured to do. A [Verdict] says what a challenge showed and, if it failed, why.
//
// # Bytes
//
// H is SHA-256, be32 and be64 are big endian, le32 is little endian. A list (a, b, ...) is hashed with be32(length) before
// each field. A seed is 16 bytes, read as four le32 words s0..s3. mulhi64 is the upper half of a 64 x 64 bit product.
//
//	shape     be16 version, u8 kind, be32 N, T, W, k, be64 table bytes, be32 cost, lanes, segments, steps, walk openings
//	seed_1    first 16 bytes of H("idlegrid/gpu/challenge/seed/v1", session, device, shape)
//	seed_t+1  first 16 bytes of H(seed_t || root_t), both bare
//	A, Bt     N x N, rows of Bt are columns of B. Philox4x32-10 with counter (lo32 b, hi32 b | matrix<<31, s2, s3) and key
//	          (s0, s1); matrix is 0 for A and 1 for Bt; the four words of block b, little endian, are 16 bytes of a row
//	int8      b = (row*N + col)/16, an entry is a byte, two's complement, -128..127
//	fp16ints  b = (row*N + col)/32, an entry is four bits, two's complement, -8..7, the low half of a byte first
//	C         A * Bt^T in int32, exact: |C| <= N * 2^14 for int8 and N * 2^6 for fp16ints
//	leaf      W neighbours of a row of C, leaf i is at row i/(N/W), columns (i mod (N/W))*W and on:
//	          H(W values be32 || be32(0)); node H(left || right || be32(1)); root_t is that of all N*N/W leaves
//	openings  h = H("idlegrid/gpu/challenge/open/v1", session, device, shape, roots in one field, nonce); x_i = first be64 of
//	          H("idlegrid/gpu/challenge/draw/v1", h, be64 i) for i = 0, 1, ...; x_i is left out at and above the largest
//	          multiple of M = T*N*N/W in 64 bits, else x_i mod M names round (by M/T, from 0) and leaf; the first k distinct,
//	          in ascending order
//	table     E = bytes/128 entries of 8 cells of 16 bytes, from a seed as seed_1 with domain ".../table/v1": cell q of entry
//	          j is the counter after c (cost) calls of Philox4x32-10 from (lo32 j, hi32 j | 1<<30 | q<<26, s2, s3), call i of
//	          0..c-1 with key (s0^i, s1)
//	lane      state h: first 16 bytes, as le32, of H("idlegrid/gpu/challenge/lane/v1", nonce, be32 lane). A step reads entry
//	          mulhi64(h1<<32 | h0, E) and for its cells q = 0..7 in order sets h to Philox4x32-10 of counter h xor cell under
//	          the key (s0, s1) of the table's seed
//	walk      the state after g steps ends a segment; leaf lane*segments + segment is the hash of its four words as of four
//	          values above; the tree has lanes*segments leaves
//	segments  drawn as openings are: h = H("idlegrid/gpu/challenge/walk/v1", session, device, shape, start nonce, root, nonce)
//
// Known answers of Philox are those of Random123; testdata holds roots for several specs.
//
// # Rules
//
// The order is: round trips measured, table filled; session of the work drawn, clock starts, all roots, clock stops; walk
// nonce, clock starts, walk root, clock stops; one nonce for all openings. The spec of the work has a session of its own,
// drawn as the clock starts: under the table's, which is known since the fill, the work could be done in advance. The walk
// follows the roots at once, so that there is no untimed moment in which a table that gave way to the work is filled again.
//
// The nonce must follow every root: with indices drawn from the roots alone (Fiat-Shamir) a lazy prover tries one garbage leaf
// after another until the draw suits it. Wrong leaves in a fraction f are caught with 1-(1-f)^k. A
// late answer is a timeout; a broken line is no evidence. A prover that gives up is no evidence before the work, and late from
// then on: else it would give up whenever the nonce asks for a leaf that it skipped, and try again. A rate that was not
// measured is not used: the work is then recorded as a lower bound and not judged. A round trip is credited up to 150 ms, a model's peak is exceeded from 1.05 times on.
//
// # Example
//
// N = 16384, W = 32, k = 128, T = 4: 2*N^3*T = 3.5e13 operations in 6*N*N = 1.5 GiB. The answer is four roots, 128 bytes.
// The verifier regenerates one row of A and 32 rows of Bt for each of 128 leaves: 6.7e7 products, 4e5 times fewer. A prover
// that skipped 5 % of the leaves passes with 0.95^128 = 0.14 %.
//
// # Rounding and errors
//
// There is no floating point. Deadlines round up (for the prover), reported rates and detection down (against the claim).
// Bad tasks wrap [ErrInvalid], bad bytes [ErrMalformed]; an answer that proves nothing is an [*AnswerError] with its Reason.
//
// # What it does not do
//
// Work does not tell the model, the place, or that the device is the supplier's own: several weaker devices can share the
// rows of a round, and one hired for an instant passes. Barriers at times that cannot be foreseen, memory tables and a
// vendor's attestation narrow that; they do not close it. [CheckProduct] is a local test for silent corruption, never a proof:
// it can be answered without the product. Memory that is not a device's own is told by its rate only.
//
// # Sources
//
// Philox: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, and Random123. SHA-256: FIPS
// 180-4. Freivalds' check: "Probabilistic machines can use less running time", IFIP 1977. Dense rates of models: their
// vendors; see Rates.
package challenge
