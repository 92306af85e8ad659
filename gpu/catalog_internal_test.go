package gpu

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseCatalogRefuses(t *testing.T) {
	head := strings.Join(columns[:], "\t") + "\n"
	row := "a\tA\tNVIDIA\t2330\t9.0\t1\t1\t80\t81559\t\t1\tO\t\n"
	c, err := parseCatalog("# remark\n" + head + row)
	require.NoError(t, err)
	require.Len(t, c.specs, 1)
	for want, text := range map[string]string{
		"columns":                  row,
		"12 columns, want 13":      head + strings.TrimSuffix(row, "\t\n"),
		`"A" ("a") is there twice`: head + row + row,
		"line 3":                   head + row + strings.Replace(row, "A", "B", 1),
		"vendor":                   head + strings.Replace(row, "NVIDIA", "AMD", 1),
		`parsing "233G"`:           head + strings.Replace(row, "2330", "233G", 1),
		`parsing "12330"`:          head + strings.Replace(row, "2330", "12330", 1),
		`parsing ""`:               head + strings.Replace(row, "2330", "2330|", 1),
		"are needed":               head + strings.Replace(row, "81559", "", 1),
		`parsing "-1"`:             head + strings.Replace(row, "81559", "-1", 1),
	} {
		_, err := parseCatalog(text)
		require.ErrorContains(t, err, want)
	}
}
