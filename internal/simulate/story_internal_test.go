package simulate

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Burn has to hold out for twelve months to have met emission.
func TestMeets(t *testing.T) {
	made := func(burns ...int64) *Summary {
		s := &Summary{Months: len(burns)}
		for _, b := range burns {
			month := make([]Band, fixedSeries)
			month[EmissionIO].P50, month[BurnIO].P50 = 10, b
			s.bands = append(s.bands, month)
		}
		return s
	}
	require.Equal(t, -1, made(10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10).meets(), "eleven months")
	require.Equal(t, 0, made(10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10).meets())
	require.Equal(t, 2, made(11, 9, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10).meets())
	require.Equal(t, -1, made(10, 10, 10, 10, 10, 10, 9, 10, 10, 10, 10, 10, 10, 10).meets())
}

func TestTexts(t *testing.T) {
	for v, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -999: "-999"} {
		require.Equal(t, want, grouped(v))
	}
	require.Equal(t, "537.3 M", millions(537_399_999))
	for _, c := range []struct {
		v      int64
		places int
		want   string
	}{{0, 0, "0"}, {0, 4, "0.0000"}, {5, 2, "0.05"}, {-5, 2, "-0.05"}, {12345, 2, "123.45"}, {-100, 2, "-1.00"}, {100, 3, "0.100"}} {
		require.Equal(t, c.want, fixed(c.v, c.places))
	}
	require.Equal(t, []int{12, 60, 240}, milestones(240))
	require.Equal(t, []int{12}, milestones(12))
	require.Equal(t, []int{12, 60, 61}, milestones(61))
	require.Equal(t, []int{12, 60, 240, 600}, milestones(600))
}
