//go:build !(linux && cgo)

package nvml_test

func ungated(string) {}
