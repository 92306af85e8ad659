package onchain

import (
	"crypto/sha256"
	"math/big"
	"slices"
)

// VaultAuthority returns the address that has to own the vault of a state, and the number that makes it one: the first from 255
// down for which the hash is no point of the curve, so that nobody can have its key. It panics if there is none, which would
// take 256 hashes to be points.
func VaultAuthority(program, state Address) (Address, uint8) {
	for bump := 255; bump >= 0; bump-- {
		seed := slices.Concat([]byte("vault"), state[:], []byte{byte(bump)}, program[:], []byte("ProgramDerivedAddress"))
		if a := Address(sha256.Sum256(seed)); !onCurve(a) {
			return a, uint8(bump)
		}
	}
	panic("onchain: VaultAuthority: no bump gives an address")
}

// onCurve says whether 32 bytes are the compressed form of a point of ed25519: whether (y^2-1) / (d*y^2+1) is a square.
func onCurve(a Address) bool {
	// RFC 8032, section 5.1: the field's prime and d = -121665/121666.
	p := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	one := big.NewInt(1)
	d := new(big.Int).ModInverse(big.NewInt(121666), p)
	d.Mod(d.Mul(d, big.NewInt(-121665)), p)

	a[31] &= 0x7f // without the sign of x, either of which the runtime's decoder takes
	slices.Reverse(a[:])
	y := new(big.Int).SetBytes(a[:])
	y.Mod(y, p) // the runtime's decoder takes what is not reduced, too
	square := y.Mul(y, y)
	u := new(big.Int).Sub(square, one)
	v := new(big.Int).Add(new(big.Int).Mul(d, square), one)
	v.ModInverse(v.Mod(v, p), p) // d is no square, so v is never 0
	u.Mod(u.Mul(u.Mod(u, p), v), p)
	return big.Jacobi(u, p) >= 0
}
