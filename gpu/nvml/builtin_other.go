//go:build !linux

package nvml

import "os"

// builtin is empty: there is no binding for this platform.
func builtin() []binding { return nil }

// inodeOf is not needed where no library is loaded.
func inodeOf(*os.File) (uint64, bool) { return 0, false }
