package idlegrid_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(text)
}

// Every block of Go in the README is cut from a compiled file: from its mark to the end of the function, one tab to the left.
func TestReadmeCode(t *testing.T) {
	_, region, ok := strings.Cut(read(t, "example_test.go"), "\t// README begins\n")
	require.True(t, ok)
	region, _, ok = strings.Cut(region, "\n}\n")
	require.True(t, ok)
	region += "\n"
	region = regexp.MustCompile(`(?m)^\t`).ReplaceAllString(region, "")
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(read(t, "README.md"), -1)
	require.Len(t, blocks, 1)
	require.Equal(t, region, blocks[0][1])
}

// The first 25 lines say what it is and show the two commands with what they print.
func TestReadmeGreets(t *testing.T) {
	lines := strings.Split(read(t, "README.md"), "\n")
	head := strings.Join(lines[:25], "\n")
	main := read(t, "refserver/main.go")
	for _, want := range []string{
		"The Go SDK for decentralised GPU networks",
		"    $ go run ./refserver -demo\n    idlegrid refserver: a demonstration: made-up machines and renters, one hour in 10s\n    http://127.0.0.1:8080\n",
		"    $ go test ./...\n    ok      github.com/idlegrid/idlegrid/",
	} {
		require.Contains(t, head, want)
	}
	for _, printed := range []string{`"idlegrid refserver: %s\nhttp://%s\n"`, `"a demonstration: made-up machines and renters, one hour in %s"`, `"127.0.0.1:8080"`, `"speed", 360,`} {
		require.Contains(t, main, printed, "the README shows what the server prints")
	}
}

// Commands and links of the README lead somewhere.
func TestReadmeLinks(t *testing.T) {
	text := read(t, "README.md")
	for _, m := range regexp.MustCompile(`\]\(([^):]+)\)`).FindAllStringSubmatch(text, -1) {
		_, err := os.Stat(m[1])
		require.NoError(t, err, m[0])
	}
	for _, m := range regexp.MustCompile(`go run \./(\S+)`).FindAllStringSubmatch(text, -1) {
		_, err := os.Stat(m[1] + "/main.go")
		require.NoError(t, err, m[0])
	}
	makefile := read(t, "Makefile")
	for _, m := range regexp.MustCompile(`\$ make (\w+)`).FindAllStringSubmatch(text, -1) {
		require.Contains(t, makefile, "\n"+m[1]+":", m[0])
	}
}
