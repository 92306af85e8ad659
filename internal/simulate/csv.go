package simulate

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// CSV returns one line for each month: its number, its first day, and of every series the percentiles and the mean. The
// columns of a series end in _p5, _p50, _p95 and _mean.
func (s *Summary) CSV() []byte {
	var out bytes.Buffer
	out.WriteString("month,begins")
	for _, c := range s.columns {
		name := strings.ReplaceAll(strings.ToLower(c.name), " ", "_")
		for _, of := range []string{"_p5", "_p50", "_p95", "_mean"} {
			out.WriteString("," + name + of)
		}
	}
	for m, bands := range s.bands {
		out.WriteString("\n" + strconv.Itoa(m) + "," + s.Start.AddDate(0, m, 0).Format("2006-01-02"))
		for i, b := range bands {
			for _, v := range []int64{b.P5, b.P50, b.P95, b.Mean} {
				out.WriteByte(',')
				out.WriteString(fixed(v, s.columns[i].places))
			}
		}
	}
	out.WriteByte('\n')
	return out.Bytes()
}

// fixed writes v with all of its decimal places.
func fixed(v int64, places int) string {
	if v < 0 {
		return "-" + tokenomics.Decimals(places).Fixed(tokenomics.Amount(-v))
	}
	return tokenomics.Decimals(places).Fixed(tokenomics.Amount(v))
}
