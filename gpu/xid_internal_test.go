package gpu

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseXidsRefuses(t *testing.T) {
	head := xidColumns + "\n"
	row := "13\tA\tyes\tapp\tRESTART_APP\t\tapp-fault\tA\td\n"
	x, err := parseXids("# remark\n" + head + row)
	require.NoError(t, err)
	require.Len(t, x.byCode, 1)
	for want, text := range map[string]string{
		"columns":              row,
		"8 columns, want 9":    head + strings.TrimSuffix(row, "\td\n"),
		"13 after 13":          head + row + row,
		"12 after 13":          head + row + strings.Replace(row, "13", "12", 1),
		"line 3":               head + row + strings.Replace(row, "13", "x", 1),
		"neither yes nor no":   head + strings.Replace(row, "yes", "maybe", 1),
		`fault "apps"`:         head + strings.Replace(row, "\tapp\t", "\tapps\t", 1),
		`rule "app-fault-"`:    head + strings.Replace(row, "app-fault", "app-fault-", 1),
		`rule "unknown(99)"`:   head + strings.Replace(row, "app-fault", "unknown(99)", 1),
		"mnemonic and basis":   head + strings.Replace(row, "A\tyes", "\tyes", 1),
		`parsing "4294967296"`: head + strings.Replace(row, "13", "4294967296", 1),
		"basis are needed":     head + strings.Replace(row, "\tA\td", "\t\td", 1),
	} {
		_, err := parseXids(text)
		require.ErrorContains(t, err, want)
	}
}
