package chaos_test

import (
	"os"
	"strconv"
	"testing"

	"github.com/idlegrid/idlegrid/internal/chaos"
)

func TestDebugGen(t *testing.T) {
	seed, _ := strconv.ParseUint(os.Getenv("SEED"), 10, 64)
	os.WriteFile("/tmp/script8.txt", []byte(chaos.Generate(chaos.Mode(os.Getenv("MODE")), seed, small()).String()), 0o644)
}
