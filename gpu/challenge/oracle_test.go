package challenge_test

import (
	"crypto/sha256"
	"encoding/binary"
	"math/big"

	"github.com/idlegrid/idlegrid/gpu/challenge"
)

// The oracle is the protocol again, as the package comment says it, in the slowest and plainest way: it holds whole matrices
// and whole trees, and calls nothing of the package but its types.

func oracleHash(domain string, fields ...[]byte) challenge.Hash {
	var b []byte
	for _, f := range append([][]byte{[]byte(domain)}, fields...) {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(f))), f...)
	}
	return sha256.Sum256(b)
}

func oracleShape(s challenge.Spec) (b []byte) {
	b = binary.BigEndian.AppendUint16(b, s.Version)
	b = append(b, byte(s.Kind))
	for _, v := range []uint32{s.N, s.Rounds, s.Width, s.Openings} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	b = binary.BigEndian.AppendUint64(b, s.Memory.Bytes)
	for _, v := range []uint32{s.Memory.Cost, s.Memory.Lanes, s.Memory.Segments, s.Memory.Steps, s.Memory.Openings} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

func oracleSeed(s challenge.Spec) (seed [16]byte) {
	h := oracleHash("idlegrid/gpu/challenge/seed/v1", s.Session[:], []byte(s.Device), oracleShape(s))
	return [16]byte(h[:16])
}

// oraclePhilox follows the paper: each round multiplies words 0 and 2, and swaps the halves.
func oraclePhilox(c [4]uint32, k [2]uint32) [4]uint32 {
	for range 10 {
		a := new(big.Int).Mul(big.NewInt(int64(c[0])), big.NewInt(0xD2511F53)).Uint64()
		b := new(big.Int).Mul(big.NewInt(int64(c[2])), big.NewInt(0xCD9E8D57)).Uint64()
		c = [4]uint32{uint32(b>>32) ^ c[1] ^ k[0], uint32(b), uint32(a>>32) ^ c[3] ^ k[1], uint32(a)}
		k[0] += 0x9E3779B9
		k[1] += 0xBB67AE85
	}
	return c
}

func oracleMatrix(seed [16]byte, s challenge.Spec, matrix uint32) (m [][]int64) {
	var w [4]uint32
	for i := range w {
		w[i] = binary.LittleEndian.Uint32(seed[4*i:])
	}
	per := uint64(16)
	if s.Kind == challenge.Fp16Ints {
		per = 32
	}
	for row := range uint64(s.N) {
		line := make([]int64, 0, s.N)
		for col := uint64(0); col < uint64(s.N); col += per {
			b := (row*uint64(s.N) + col) / per
			var block []byte
			for _, x := range oraclePhilox([4]uint32{uint32(b), uint32(b>>32) | matrix<<31, w[2], w[3]}, [2]uint32{w[0], w[1]}) {
				block = binary.LittleEndian.AppendUint32(block, x)
			}
			for _, x := range block {
				if s.Kind == challenge.Int8 {
					line = append(line, int64(int8(x)))
					continue
				}
				for _, nibble := range []byte{x & 15, x >> 4} {
					line = append(line, int64(nibble)-int64(nibble&8)*2)
				}
			}
		}
		m = append(m, line)
	}
	return m
}

// oracleProver answers a spec; lie changes the values of a leaf before it is hashed.
type oracleProver struct {
	spec   challenge.Spec
	leaves [][][]int32          // round, leaf
	trees  [][][]challenge.Hash // round, level
	roots  challenge.Commitment
}

func oracleCommit(s challenge.Spec, lie func(round, leaf int, values []int32)) *oracleProver {
	p := &oracleProver{spec: s}
	seed := oracleSeed(s)
	for t := range int(s.Rounds) {
		a, bt := oracleMatrix(seed, s, 0), oracleMatrix(seed, s, 1)
		var leaves [][]int32
		var values []int32
		for i := range a {
			for j := range bt {
				sum := int64(0)
				for k := range a[i] {
					sum += a[i][k] * bt[j][k]
				}
				if values = append(values, int32(sum)); len(values) == int(s.Width) {
					if lie != nil {
						lie(t, len(leaves), values)
					}
					leaves, values = append(leaves, values), nil
				}
			}
		}
		tree := oracleTree(leaves)
		root := tree[len(tree)-1][0]
		p.leaves, p.trees, p.roots.Roots = append(p.leaves, leaves), append(p.trees, tree), append(p.roots.Roots, root)
		next := sha256.Sum256(append(seed[:], root[:]...))
		seed = [16]byte(next[:16])
	}
	return p
}

func oracleTree(leaves [][]int32) [][]challenge.Hash {
	var level []challenge.Hash
	for _, values := range leaves {
		var b []byte
		for _, v := range values {
			b = binary.BigEndian.AppendUint32(b, uint32(v))
		}
		level = append(level, sha256.Sum256(binary.BigEndian.AppendUint32(b, 0)))
	}
	tree := [][]challenge.Hash{level}
	for len(level) > 1 {
		var up []challenge.Hash
		for i := 0; i < len(level); i += 2 {
			b := append(append([]byte{}, level[i][:]...), level[i+1][:]...)
			up = append(up, sha256.Sum256(binary.BigEndian.AppendUint32(b, 1)))
		}
		tree, level = append(tree, up), up
	}
	return tree
}

func (p *oracleProver) open(nonce [32]byte) (out []challenge.Opening) {
	for _, x := range challenge.Indices(p.spec, p.roots, nonce) {
		o := challenge.Opening{Index: x, Values: append([]int32(nil), p.leaves[x.Round][x.Leaf]...)}
		tree := p.trees[x.Round]
		for l, i := 0, x.Leaf; l < len(tree)-1; l, i = l+1, i/2 {
			o.Path = append(o.Path, tree[l][i^1])
		}
		out = append(out, o)
	}
	return out
}
