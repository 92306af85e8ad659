package tokenomics

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What a snapshot cannot say, Audit must find too: each row breaks one invariant behind its back.
func TestOracleAuditFindsWhatIsBroken(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(o *Oracle)
		says  string
	}{
		{"another state", func(o *Oracle) { o.state = OracleOK }, `state "ok", the samples say "no quorum"`},
		{"a time without a price", func(o *Oracle) { o.feeds[0].micro = o.feeds[0].micro[:1] }, "2 times and 1 prices"},
		{"prices that nobody quoted", func(o *Oracle) { // two of them: one moves nothing
			o.feeds[0].micro[1], o.feeds[1].micro[1] = 3_000_000, 3_000_000
		}, "the brake is"},
		{"a sample that is over", func(o *Oracle) { o.at += int64(time.Hour) }, "nobody needs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, err := NewOracle(DefaultOracle("a", "b", "c"))
			require.NoError(t, err)
			at := time.Unix(1_718_841_600, 0)
			for range 2 {
				for _, source := range o.p.Sources {
					_, err := o.Apply(at, Quoted{Source: source, MicroPerToken: 2_000_000, SeenAt: at})
					require.NoError(t, err)
				}
				at = at.Add(time.Minute)
			}
			require.NoError(t, o.Audit())
			c.spoil(o)
			require.ErrorContains(t, o.Audit(), c.says)
		})
	}
}
