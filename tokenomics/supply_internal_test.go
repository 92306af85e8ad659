package tokenomics

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Audit must be able to fail: each row breaks one invariant behind its back.
func TestAuditFindsWhatIsBroken(t *testing.T) {
	p := IONet()
	for _, c := range []struct {
		name  string
		spoil func(s *Supply)
		says  string
	}{
		{"minted a unit too many", func(s *Supply) { s.minted++ }, "the schedule says"},
		{"an epoch forgotten", func(s *Supply) { s.next++ }, "the schedule says"},
		{"cap below what was minted", func(s *Supply) { s.p.Cap = s.p.Genesis }, "cap - genesis"},
		{"a burn without its proof", func(s *Supply) { delete(s.proofs, "a") }, "not indexed"},
		{"a proof without its burn", func(s *Supply) { s.proofs["c"] = struct{}{} }, "2 burns with 3 proofs"},
		{"the same burn twice", func(s *Supply) { s.burns = append(s.burns, s.burns[0]) }, "3 burns with 2 proofs"},
		{"burned total off by one", func(s *Supply) { s.burned-- }, "the burns add up to"},
		{"a burn that wraps", func(s *Supply) { s.burns[0].Amount = 1<<64 - 1 }, "burns: tokenomics: number too large"},
		{"more burned than there was", func(s *Supply) {
			s.burns[0].Amount += s.p.Cap
			s.burned += s.p.Cap
		}, "burned 800000000.00000011 of"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := NewSupply(p, 1)
			require.NoError(t, err)
			for _, e := range []Event{Emitted{Epoch: 1}, Burned{Amount: 5, Proof: "a"}, Burned{Amount: 6, Proof: "b"}} {
				_, err := s.Apply(p.Calendar.StartOf(2), e)
				require.NoError(t, err)
			}
			require.NoError(t, s.Audit())
			c.spoil(s)
			require.ErrorContains(t, s.Audit(), c.says)
		})
	}
}
