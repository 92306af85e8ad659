package challenge_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/gpu/challenge/cpu"
)

func prover(t testing.TB) *cpu.Prover {
	t.Helper()
	p, err := cpu.New(cpu.Config{Workers: 2, MaxBytes: 1 << 30})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

// walked is a walk of tabled by the CPU, and its openings.
func walked(t testing.TB) (challenge.WalkCommitment, []challenge.WalkOpening) {
	t.Helper()
	p := prover(t)
	require.NoError(t, p.Fill(t.Context(), tabled()))
	c, err := p.Walk(t.Context(), nonce(3))
	require.NoError(t, err)
	o, err := p.OpenWalk(t.Context(), nonce(4))
	require.NoError(t, err)
	return c, o
}

func TestEncodings(t *testing.T) {
	s := small(challenge.Int8, 64, 3, 16, 90)
	p := oracleCommit(s, nil)
	open := challenge.Openings(p.open(nonce(1)))
	b, err := open.MarshalBinary()
	require.NoError(t, err)
	var back challenge.Openings
	require.NoError(t, back.UnmarshalBinary(b))
	require.Equal(t, open, back)
	require.Less(t, len(b), 90*(8+64)+90*6*32, "nodes that two paths share stand once")

	c, segments := walked(t)
	for _, list := range []challenge.WalkOpenings{segments, segments[:1]} {
		b, err = list.MarshalBinary()
		require.NoError(t, err)
		var read challenge.WalkOpenings
		require.NoError(t, read.UnmarshalBinary(b))
		require.NoError(t, err)
		again, err := read.MarshalBinary()
		require.NoError(t, err)
		require.Equal(t, b, again)
		if len(list) == len(segments) {
			require.NoError(t, challenge.VerifyWalk(tabled(), c, nonce(3), nonce(4), read))
		}
	}

	b, err = p.roots.MarshalBinary()
	require.NoError(t, err)
	var roots challenge.Commitment
	require.NoError(t, roots.UnmarshalBinary(b))
	require.Equal(t, p.roots, roots)
	b, err = c.MarshalBinary()
	require.NoError(t, err)
	var root challenge.WalkCommitment
	require.NoError(t, root.UnmarshalBinary(b))
	require.Equal(t, c, root)
}

// TestEncodeRefusals: what no verifier would take has no encoding.
func TestEncodeRefusals(t *testing.T) {
	s := small(challenge.Int8, 64, 1, 16, 40)
	p := oracleCommit(s, nil)
	for name, change := range map[string]func(o challenge.Openings) challenge.Openings{
		"none":        func(challenge.Openings) challenge.Openings { return nil },
		"twice":       func(o challenge.Openings) challenge.Openings { return append(o[:1], o[0]) },
		"descending":  func(o challenge.Openings) challenge.Openings { o[0], o[1] = o[1], o[0]; return o },
		"width":       func(o challenge.Openings) challenge.Openings { o[1].Values = o[1].Values[1:]; return o },
		"no values":   func(o challenge.Openings) challenge.Openings { o[0].Values = nil; return o },
		"depth":       func(o challenge.Openings) challenge.Openings { o[1].Path = o[1].Path[1:]; return o },
		"leaf":        func(o challenge.Openings) challenge.Openings { o[39].Leaf = 256; return o },
		"other paths": func(o challenge.Openings) challenge.Openings { o[1].Path[7][0]++; return o },
	} {
		_, err := change(p.open(nonce(1))).MarshalBinary()
		require.ErrorIs(t, err, challenge.ErrInvalid, name)
	}
	for name, change := range map[string]func(o challenge.WalkOpenings) challenge.WalkOpenings{
		"none":        func(challenge.WalkOpenings) challenge.WalkOpenings { return nil },
		"descending":  func(o challenge.WalkOpenings) challenge.WalkOpenings { o[0], o[1] = o[1], o[0]; return o },
		"depth":       func(o challenge.WalkOpenings) challenge.WalkOpenings { o[0].ToPath = o[0].ToPath[1:]; return o },
		"segment":     func(o challenge.WalkOpenings) challenge.WalkOpenings { o[5].Segment = 16; return o },
		"other paths": func(o challenge.WalkOpenings) challenge.WalkOpenings { o[5].ToPath[3][0]++; return o },
	} {
		_, segments := walked(t)
		_, err := change(segments).MarshalBinary()
		require.ErrorIs(t, err, challenge.ErrInvalid, name)
	}
	_, err := challenge.Commitment{}.MarshalBinary()
	require.ErrorIs(t, err, challenge.ErrInvalid)
	_, err = challenge.Commitment{Roots: make([]challenge.Hash, challenge.MaxRounds+1)}.MarshalBinary()
	require.ErrorIs(t, err, challenge.ErrInvalid)
}

// FuzzUnmarshal: decoders never panic, and what they take they give back byte for byte.
func FuzzUnmarshal(f *testing.F) {
	p := oracleCommit(small(challenge.Int8, 64, 2, 16, 9), nil)
	_, segments := walked(f)
	for _, v := range []interface{ MarshalBinary() ([]byte, error) }{
		p.roots, challenge.WalkCommitment{Root: nonce(9)}, challenge.Openings(p.open(nonce(1))), challenge.WalkOpenings(segments),
	} {
		b, err := v.MarshalBinary()
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var c challenge.Commitment
		var w challenge.WalkCommitment
		var o challenge.Openings
		var s challenge.WalkOpenings
		for _, v := range []interface {
			UnmarshalBinary(b []byte) error
			MarshalBinary() ([]byte, error)
		}{&c, &w, &o, &s} {
			if err := v.UnmarshalBinary(b); err != nil {
				require.ErrorIs(t, err, challenge.ErrMalformed)
				continue
			}
			again, err := v.MarshalBinary()
			require.NoError(t, err)
			require.Equal(t, b, again)
		}
	})
}

// TestBytesMutated: any changed bit of an answer's bytes is refused, by the decoder or by the verifier.
func TestBytesMutated(t *testing.T) {
	s := small(challenge.Int8, 64, 2, 16, 10)
	p := oracleCommit(s, nil)
	b, err := challenge.Openings(p.open(nonce(1))).MarshalBinary()
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(3, 4))
	for range 5_000 {
		c := append([]byte(nil), b...)
		c[rng.IntN(len(c))] ^= 1 << rng.IntN(8)
		var o challenge.Openings
		if o.UnmarshalBinary(c) == nil && challenge.Verify(s, p.roots, nonce(1), o) == nil {
			t.Fatalf("accepted %x for %x", c, b)
		}
	}
}

func TestSpecJSON(t *testing.T) {
	for _, s := range []challenge.Spec{tabled(), small(challenge.Fp16Ints, 128, 4, 32, 128)} {
		b, err := json.Marshal(s)
		require.NoError(t, err)
		var back challenge.Spec
		require.NoError(t, json.Unmarshal(b, &back))
		require.Equal(t, s, back)
	}
	var s challenge.Spec
	require.ErrorIs(t, json.Unmarshal([]byte(`{"kind":"fp64"}`), &s), challenge.ErrMalformed)
	require.ErrorIs(t, json.Unmarshal([]byte(`{"session":"00"}`), &s), challenge.ErrMalformed)
	require.ErrorIs(t, json.Unmarshal([]byte(`{"session":"zz`+nonce(0).String()[2:]+`"}`), &s), challenge.ErrMalformed)
	_, err := json.Marshal(challenge.Spec{Kind: 2})
	require.ErrorIs(t, err, challenge.ErrInvalid)
}

func TestValidate(t *testing.T) {
	require.NoError(t, tabled().Validate())
	for says, change := range map[string]func(s *challenge.Spec){
		"version 2, want 1":                          func(s *challenge.Spec) { s.Version = 2 },
		"kind 2, at most 1":                          func(s *challenge.Spec) { s.Kind = 2 },
		"session is all zeros":                       func(s *challenge.Spec) { s.Session = challenge.Hash{} },
		"device of 0 bytes":                          func(s *challenge.Spec) { s.Device = "" },
		"device of 129 bytes":                        func(s *challenge.Spec) { s.Device = string(make([]byte, 129)) },
		"want printable ASCII":                       func(s *challenge.Spec) { s.Device = "a\n" },
		"n 32, want a power of two from 64":          func(s *challenge.Spec) { s.N = 32 },
		"n 96, want a power of two":                  func(s *challenge.Spec) { s.N = 96 },
		"n 131072, want":                             func(s *challenge.Spec) { s.N = 1 << 17 },
		"rounds 0, want 1 to 1024":                   func(s *challenge.Spec) { s.Rounds = 0 },
		"rounds 1025":                                func(s *challenge.Spec) { s.Rounds = 1025 },
		"width 8, want a power of two from 16 to 64": func(s *challenge.Spec) { s.Width = 8 },
		"width 128, want":                            func(s *challenge.Spec) { s.Width = 128 },
		"openings 0, want 1 to 512":                  func(s *challenge.Spec) { s.Openings = 0 },
		"openings 513":                               func(s *challenge.Spec) { s.Openings = 513 },
		"memory bytes 4097, want a multiple of 128":  func(s *challenge.Spec) { s.Memory.Bytes++ },
		"memory bytes 3968, want 4096 to":            func(s *challenge.Spec) { s.Memory.Bytes -= 128 },
		"memory cost 0":                              func(s *challenge.Spec) { s.Memory.Cost = 0 },
		"memory lanes 3":                             func(s *challenge.Spec) { s.Memory.Lanes = 3 },
		"memory segments 0":                          func(s *challenge.Spec) { s.Memory.Segments = 0 },
		"memory steps 0":                             func(s *challenge.Spec) { s.Memory.Steps = 0 },
		"memory openings 17, want 1 to 16":           func(s *challenge.Spec) { s.Memory.Openings = 17 },
		"memory lanes x segments 134217728":          func(s *challenge.Spec) { s.Memory.Lanes, s.Memory.Segments = 1<<13, 1<<14 },
	} {
		s := tabled()
		change(&s)
		err := s.Validate()
		require.ErrorIs(t, err, challenge.ErrInvalid, says)
		require.ErrorContains(t, err, says)
	}
	s := small(challenge.Int8, 16384, 4, 32, 128)
	require.Equal(t, []uint64{1 << 23, 2 * 1 << 42 * 4, 6<<28 + 4*(1<<23)/16*64}, []uint64{s.Leaves(), s.Ops(), s.DeviceBytes()})
	require.Equal(t, 23, s.Depth())
}
