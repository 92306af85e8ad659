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
		{"minted a unit too many", func(s *Supply) { s.state.Minted++ }, "the schedules say"},
		{"an epoch forgotten", func(s *Supply) { s.next++ }, "the schedules say"},
		{"cap below what was minted", func(s *Supply) { s.state.Cap = s.state.Genesis }, "exceed the cap"},
		{"a burn without its proof", func(s *Supply) { delete(s.proofs, "a") }, "not indexed"},
		{"a proof without its burn", func(s *Supply) { s.proofs["c"] = struct{}{} }, "2 burns with 3 proofs"},
		{"the same burn twice", func(s *Supply) { s.burns = append(s.burns, s.burns[0]) }, "3 burns with 2 proofs"},
		{"burned total off by one", func(s *Supply) { s.since-- }, "the burns add up to"},
		{"a burn that wraps", func(s *Supply) { s.burns[0].Amount = 1<<64 - 1 }, "burns: tokenomics: number too large"},
		{"more burned than there was", func(s *Supply) {
			s.burns[0].Amount += s.p.Cap
			s.since += s.p.Cap
		}, "burned 800000000.00000011 of"},
		{"more burned by the policies than there was", func(s *Supply) { s.state.Burned += s.p.Cap }, "burned 800000000 of 500004566.21004566"},
		{"minted again without a burn", func(s *Supply) { s.state.Reminted++ }, "minted again 0.00000001"},
		{"a pool without a burn", func(s *Supply) { s.state.Recycle++ }, "and 0.00000001 to come"},
		{"a pool of what was minted again already", func(s *Supply) {
			s.state.Burned, s.state.Reminted, s.state.Recycle = 10, 6, 5
		}, "minted again 0.00000006, and 0.00000005 to come, of 0.0000001 burned"},
		{"more ordered to be burned than there is", func(s *Supply) { s.state.Pending = s.p.Cap }, "ordered"},
		{"a debt of nothing", func(s *Supply) { s.state.Debts = []Claim{{ID: "a"}} }, "debt 1"},
		{"two debts to one", func(s *Supply) { s.state.Debts = []Claim{{"a", 1}, {"a", 1}} }, "debt 2"},
		{"debts out of order", func(s *Supply) { s.state.Debts = []Claim{{"b", 1}, {"a", 1}} }, "debt 2"},
		{"a debt to nobody", func(s *Supply) { s.state.Debts = []Claim{{"", 1}} }, "debt 1"},
		{"a vault of more than there is", func(s *Supply) { s.state.FeeVault = s.p.Cap }, "fee vault"},
		{"rewards of more than circulates", func(s *Supply) { s.rewards += s.circulating() + 1 }, "are more than the supply"},
		{"locked a unit too many", func(s *Supply) { s.locked++ }, "the buckets say"},
		{"a bucket forgotten", func(s *Supply) { s.freed = s.freed[1:] }, "4 of 5 buckets"},
		{"a bucket freed twice", func(s *Supply) { s.freed[2] = s.p.Cap }, "has freed"},
		{"locked without an allocation", func(s *Supply) { s.allocation, s.freed = nil, nil }, "without an allocation"},
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
