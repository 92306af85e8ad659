//go:build linux && !cgo

package nvml

// builtin lists the bindings, the default first.
func builtin() []binding { return []binding{{Purego, newPurego}} }
