//go:build (linux || darwin) && (amd64 || arm64)

package opencl

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/idlegrid/idlegrid/gpu"
)

// What clGetPlatformInfo and clGetDeviceInfo can be asked (cl.h).
const (
	platformName       = 0x0902
	deviceType         = 0x1000
	deviceUnits        = 0x1002
	deviceMaxAlloc     = 0x1010
	deviceGlobalMemory = 0x101F
	deviceName         = 0x102B
	deviceVendor       = 0x102C
	deviceDriver       = 0x102D

	typeGPU = 1 << 2
	typeAll = 0xFFFFFFFF

	codeNoDevice = -1
)

// found is a device with its handle.
type found struct {
	Info
	handle uintptr
}

func list(path string) ([]Info, error) {
	l, err := load(path)
	if err != nil {
		return nil, err
	}
	all, err := l.find()
	if err != nil {
		return nil, err
	}
	out := make([]Info, len(all))
	for i, f := range all {
		out[i] = f.Info
	}
	return out, nil
}

// find asks all platforms for their devices. A platform without any is passed over.
func (l *library) find() ([]found, error) {
	var n uint32
	if err := check(l.platforms(0, nil, &n), "clGetPlatformIDs"); err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, fmt.Errorf("opencl: no platform: %w", gpu.ErrNoDriver)
	}
	platforms := make([]uintptr, n)
	if err := check(l.platforms(n, &platforms[0], nil), "clGetPlatformIDs"); err != nil {
		return nil, err
	}
	var out []found
	for _, p := range platforms {
		code := l.devices(p, typeAll, 0, nil, &n)
		if code == codeNoDevice || code == 0 && n == 0 {
			continue
		}
		if err := check(code, "clGetDeviceIDs"); err != nil {
			return nil, err
		}
		handles := make([]uintptr, n)
		if err := check(l.devices(p, typeAll, n, &handles[0], nil), "clGetDeviceIDs"); err != nil {
			return nil, err
		}
		var name [256]byte
		_ = l.platformInfo(p, platformName, uintptr(len(name)), &name[0], nil) // a platform without a name is one too
		for _, h := range handles {
			f := found{handle: h, Info: l.describe(h)}
			f.Index, f.Platform = len(out), terminated(name[:])
			out = append(out, f)
		}
	}
	return out, nil
}

// describe asks a device about itself; what it does not say stays zero.
func (l *library) describe(h uintptr) Info {
	return Info{
		Name: l.text(h, deviceName), Vendor: l.text(h, deviceVendor), Driver: l.text(h, deviceDriver),
		GPU: l.number(h, deviceType)&typeGPU != 0, Units: uint32(l.number(h, deviceUnits)),
		MemoryBytes: l.number(h, deviceGlobalMemory), MaxBufferBytes: l.number(h, deviceMaxAlloc),
	}
}

func (l *library) text(h uintptr, what uint32) string {
	var b [256]byte
	_ = l.deviceInfo(h, what, uintptr(len(b)), &b[0], nil)
	return terminated(b[:])
}

// number reads 4 or 8 bytes: the rest of b stays zero.
func (l *library) number(h uintptr, what uint32) uint64 {
	var b [8]byte
	_ = l.deviceInfo(h, what, uintptr(len(b)), &b[0], nil)
	return binary.LittleEndian.Uint64(b[:])
}

func terminated(b []byte) string {
	text, _, _ := bytes.Cut(b, []byte{0})
	return string(text)
}
