package gpu

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseCatalogRefuses(t *testing.T) {
	head := columns + "\n"
	row := "a\tA\tNVIDIA\tsxm\tHopper\t2330\t\t9.0\t1\t\t1\t\t80\t81559\t\t1\t\t\t18\t5\t16\t700\t520\tO\t\n"
	c, err := parseCatalog("# remark\n" + head + row)
	require.NoError(t, err)
	require.Len(t, c.specs, 1)
	require.Equal(t, Some[uint8](18), c.specs[0].NVLinks)
	for want, text := range map[string]string{
		"columns":                  row,
		"24 columns, want 25":      head + strings.TrimSuffix(row, "\t\n"),
		`"A" ("a") is there twice`: head + row + row,
		"line 3":                   head + row + strings.Replace(row, "A", "B", 1),
		"vendor":                   head + strings.Replace(row, "NVIDIA", "Voodoo", 1),
		`parsing "233G"`:           head + strings.Replace(row, "2330", "233G", 1),
		`parsing "12330"`:          head + strings.Replace(row, "2330", "12330", 1),
		`parsing ""`:               head + strings.Replace(row, "2330", "2330|", 1),
		"are needed":               head + strings.Replace(row, "81559", "", 1),
		`parsing "-1"`:             head + strings.Replace(row, "81559", "-1", 1),
		`parsing "256"`:            head + strings.Replace(row, "\t18\t", "\t256\t", 1),
		`parsing "x"`:              head + strings.Replace(row, "700", "x", 1),
	} {
		_, err := parseCatalog(text)
		require.ErrorContains(t, err, want)
	}
}
