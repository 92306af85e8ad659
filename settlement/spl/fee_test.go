package spl_test

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/gagliardetto/solana-go"
	"github.com/gagliardetto/solana-go/programs/system"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement/spl"
)

// TestCostOfTenThousand is the price list: 10,000 payouts, no priority fee, the rent of a marker at 5,080 lamports a byte. What one
// transaction costs is compared with the runtime in TestLargestPayoutsRun.
func TestCostOfTenThousand(t *testing.T) {
	for _, row := range []struct {
		name                      string
		shape                     spl.Shape
		transactions, fees, milli uint64
	}{
		{"v1, memo", spl.Shape{Format: spl.V1, Memo: 41}, 167, 835_000, 83_500},
		{"v1 bare", spl.Shape{Format: spl.V1}, 164, 820_000, 82_000},
		{"v1, marker, reclaim", spl.Shape{Format: spl.V1, Marker: true}, 170, 850_000, 88_000},
		{"v1, marker, memo, reclaim", spl.Shape{Format: spl.V1, Marker: true, Memo: 16}, 173, 865_000, 89_500},
		{"v1, marker, other owner, reclaim", spl.Shape{Format: spl.V1, Marker: true, Owner: true}, 173, 1_730_000, 176_000},
		{"v1, nonce", spl.Shape{Format: spl.V1, Nonce: true}, 173, 865_000, 86_500},
		{"v1, marker, 2 of 3, reclaim", spl.Shape{Format: spl.V1, Marker: true, Members: 2, PayerMember: true}, 176, 1_760_000, 179_000},
		{"v0, table, memo", spl.Shape{Format: spl.V0, Table: true, ComputeUnits: true, Memo: 10}, 176, 880_000, 88_000},
		{"v0, table with the source, memo", spl.Shape{Format: spl.V0, Table: true, TableSource: true, ComputeUnits: true, Memo: 10}, 170, 850_000, 85_000},
		{"v0, table, batch, memo", spl.Shape{Format: spl.V0, Table: true, Batch: true, Memo: 10}, 167, 835_000, 83_500},
		{"legacy, memo", spl.Shape{Format: spl.Legacy, ComputeUnits: true, Memo: 41}, 527, 2_635_000, 263_500},
		{"legacy bare", spl.Shape{Format: spl.Legacy}, 455, 2_275_000, 227_500},
		{"legacy, marker, reclaim", spl.Shape{Format: spl.Legacy, ComputeUnits: true, Marker: true}, 589, 2_945_000, 331_500},
	} {
		c, err := row.shape.Cost(10_000, 0, 650_240)
		require.NoError(t, err)
		require.Equal(t, row.transactions, c.Transactions, row.name)
		require.Equal(t, row.fees, c.Fees, row.name)
		require.Equal(t, row.milli, c.MilliPerPayout(), row.name)
		require.Equal(t, c.Fees+c.ReclaimFees, c.Total(), row.name)
		if row.shape.Marker {
			require.Equal(t, c.Transactions*650_240, c.Float, row.name)
		}
	}
}

func TestCostEdges(t *testing.T) {
	s := spl.Shape{Format: spl.V1, Marker: true}
	for payouts, transactions := range map[uint64]uint64{0: 0, 1: 1, 58: 1, 59: 1, 60: 2, 118: 2, 119: 3} {
		c, err := s.Cost(payouts, 7, 10)
		require.NoError(t, err)
		require.Equal(t, transactions, c.Transactions)
		require.Equal(t, transactions*5007, c.Fees)
	}
	c, err := s.Cost(0, 0, 0)
	require.NoError(t, err)
	require.Zero(t, c.MilliPerPayout())
	c, err = s.Cost(3, 1, 0)
	require.NoError(t, err)
	require.EqualValues(t, 3_333_667, c.MilliPerPayout(), "10,001 lamports for 3, rounded up")
	for _, x := range [][2]uint64{{math.MaxUint64, 0}, {1 << 40, 1 << 40}, {1, math.MaxUint64}, {118, math.MaxUint64 / 2}, {59 * 310, math.MaxUint64/310 - 5000}} {
		_, err = s.Cost(x[0], x[1], 650_240)
		require.ErrorContains(t, err, "beyond 64 bits", "%d", x)
	}
	_, err = spl.Shape{}.Cost(1, 0, 0)
	require.ErrorContains(t, err, "no line fits")
	_, err = spl.Shape{Format: spl.Legacy, Memo: 1200}.Cost(1, 0, 0)
	require.ErrorContains(t, err, "no line fits")
}

// TestMaxReclaims compares with the encoder: so many fit, and one more does not.
func TestMaxReclaims(t *testing.T) {
	for f, want := range map[spl.Format]int{spl.V1: 31, spl.V0: 8, spl.Legacy: 8, 0: 0} {
		require.Equal(t, want, f.MaxReclaims(), "%s", f)
		if want == 0 {
			continue
		}
		m := &spl.Message{Format: f, Payer: keyOf("payer"), Instructions: nil}
		if f == spl.V1 {
			m.ComputeUnits, m.Loaded = 1, 1
		}
		for i := range want + 1 {
			in, err := spl.FromSolana(system.NewTransferWithSeedInstruction(1, seed, solana.SystemProgramID, recipient(i), m.Payer, m.Payer).Build())
			require.NoError(t, err)
			m.Instructions = append(m.Instructions, in)
			_, err = new(spl.Encoder).AppendMessage(nil, m)
			require.Equal(t, i == want, err != nil, "%d of %s: %v", i+1, f, err)
		}
	}
}

func TestPercentile(t *testing.T) {
	prices := []uint64{50, 10, 40, 20, 30}
	for p, want := range map[uint8]uint64{1: 10, 20: 10, 21: 20, 40: 20, 50: 30, 75: 40, 80: 40, 81: 50, 100: 50} {
		got, err := spl.Percentile(prices, p)
		require.NoError(t, err)
		require.Equal(t, want, got, "%d", p)
	}
	require.Equal(t, []uint64{50, 10, 40, 20, 30}, prices)
	got, err := spl.Percentile(nil, 50)
	require.NoError(t, err)
	require.Zero(t, got)
	for _, p := range []uint8{0, 101} {
		_, err := spl.Percentile(prices, p)
		require.ErrorContains(t, err, "want 1 to 100")
	}
}

// FuzzFees compares with big numbers: the fee of a price is the exact one, rounded up, and at most the cap; and the percentile
// is the smallest price that is not less than p of a hundred.
func FuzzFees(f *testing.F) {
	f.Add(uint64(1), uint32(1), uint64(5), uint8(50), []byte{1, 2})
	f.Add(uint64(math.MaxUint64), uint32(math.MaxUint32), uint64(math.MaxUint64), uint8(100), []byte{})
	f.Fuzz(func(t *testing.T, price uint64, units uint32, most uint64, p uint8, list []byte) {
		exact := new(big.Int).Mul(new(big.Int).SetUint64(price), big.NewInt(int64(units)))
		exact.Add(exact, big.NewInt(999_999)).Div(exact, big.NewInt(1_000_000))
		want := most
		if exact.Cmp(new(big.Int).SetUint64(most)) < 0 {
			want = exact.Uint64()
		}
		require.Equal(t, want, spl.PriorityFee(price, units, most))
		var prices []uint64
		for _, b := range list {
			prices = append(prices, uint64(b))
		}
		got, err := spl.Percentile(prices, p%100+1)
		require.NoError(t, err)
		if len(prices) == 0 {
			return
		}
		below := func(x uint64) (n int) {
			for _, y := range prices {
				if y <= x {
					n++
				}
			}
			return n
		}
		require.Contains(t, prices, got)
		require.GreaterOrEqual(t, 100*below(got), int(p%100+1)*len(prices))
		if smaller := slices.DeleteFunc(slices.Clone(prices), func(x uint64) bool { return x >= got }); len(smaller) > 0 {
			require.Less(t, 100*below(slices.Max(smaller)), int(p%100+1)*len(prices))
		}
	})
}

// TestPriorityIsCharged compares the priority fee that was asked for with what the runtime charges: the same in version 1, and at
// most a lamport less in the older formats, whose price is for each unit.
func TestPriorityIsCharged(t *testing.T) {
	l := newLab(t)
	own := l.endow(keyOf("payer"), 1000)
	to := l.open(keyOf("ann"))
	for _, f := range []spl.Format{spl.V1, spl.V0, spl.Legacy} {
		for _, units := range []uint32{1000, 4634, 999_999, 1_400_000} {
			for _, priority := range []uint64{0, 1, 2, 999, 12_345, 1_000_000_007} {
				p := shaped(spl.Shape{Format: f, ComputeUnits: true}, 1)
				l.real(p, own, to)
				p.ComputeUnits, p.Priority = units, priority
				raw, err := new(spl.Encoder).AppendPayout(nil, p)
				require.NoError(t, err)
				require.NoError(t, l.ring.Sign(t.Context(), raw))
				out, ok := l.run(raw)
				require.True(t, ok)
				require.False(t, out.failed(), "%s", out.Err)
				name := fmt.Sprintf("%s, %d units, %d lamports: %d", f, units, priority, out.Fee)
				require.LessOrEqual(t, out.Fee, 5000+priority, name)
				if f == spl.V1 {
					require.Equal(t, 5000+priority, out.Fee, name)
				}
				require.LessOrEqual(t, 5000+priority-out.Fee, uint64(1), name)
			}
		}
	}
}
