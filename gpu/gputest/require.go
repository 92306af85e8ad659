package gputest

import (
	"os"
	"runtime"
	"testing"
)

// Require skips a test, and says why, unless a real NVIDIA GPU is at hand: its driver is loaded and has a device on linux, or
// IDLEGRID_GPU is 1, which is for systems where that cannot be seen (windows, containers without /proc/driver). With
// IDLEGRID_GPU=0 it always skips. IDLEGRID_REQUIRE does not make it fail: no machine of CI has a GPU.
func Require(t testing.TB) {
	t.Helper()
	if why := missing(os.Getenv("IDLEGRID_GPU"), runtime.GOOS, "/"); why != "" {
		t.Skip("no GPU: " + why)
	}
}

// missing says what a real GPU lacks, looking for files under root; "" if nothing.
func missing(env, goos, root string) string {
	switch {
	case env == "1":
		return ""
	case env == "0":
		return "IDLEGRID_GPU is 0"
	case goos != "linux":
		return "on " + goos + " IDLEGRID_GPU=1 must say that there is one"
	}
	for _, path := range []string{"dev/nvidia0", "proc/driver/nvidia/version"} {
		if _, err := os.Stat(root + path); err != nil {
			return "/" + path + " is not there"
		}
	}
	return ""
}
