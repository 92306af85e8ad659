//go:build linux && (amd64 || arm64)

package cuda

import (
	"bytes"
	"fmt"

	"github.com/idlegrid/idlegrid/gpu"
)

// Attributes of a device (CUdevice_attribute of cuda.h).
const (
	attributeSMs   = 16
	attributeMajor = 75
	attributeMinor = 76
)

func list(path string) (version string, devices []gpu.CUDADevice, err error) {
	l, err := load(path)
	if err != nil {
		return "", nil, err
	}
	var v, n int32
	if err := check(l.driverVersion(&v), "cuDriverGetVersion"); err != nil {
		return "", nil, err
	}
	if err := check(l.deviceCount(&n), "cuDeviceGetCount"); err != nil {
		return "", nil, err
	}
	for i := range n {
		_, d, err := l.describe(i)
		if err != nil {
			return "", nil, err
		}
		devices = append(devices, d)
	}
	return fmt.Sprintf("%d.%d", v/1000, v%1000/10), devices, nil
}

// describe returns the handle of device i and what the driver says about it.
func (l *library) describe(i int32) (handle int32, d gpu.CUDADevice, err error) {
	if err := check(l.device(&handle, i), "cuDeviceGet of device %d", i); err != nil {
		return 0, d, err
	}
	var text [256]byte
	if err := check(l.deviceName(&text[0], int32(len(text)), handle), "cuDeviceGetName"); err != nil {
		return 0, d, err
	}
	d.Name = terminated(text[:])
	var id [16]byte
	if err := check(l.deviceUUID(&id, handle), "cuDeviceGetUuid"); err != nil {
		return 0, d, err
	}
	d.ID = gpu.DeviceID(fmt.Sprintf("GPU-%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:]))
	if err := check(l.deviceMemory(&d.MemoryBytes, handle), "cuDeviceTotalMem_v2"); err != nil {
		return 0, d, err
	}
	if l.deviceBusID(&text[0], int32(len(text)), handle) == 0 {
		d.BusID = terminated(text[:])
	}
	d.SMs = gpu.None[uint32](gpu.WhyNotSupported)
	if n, ok := l.number(attributeSMs, handle); ok {
		d.SMs = gpu.Some(uint32(n))
	}
	d.ComputeCapability = gpu.None[string](gpu.WhyNotSupported)
	if major, minor, ok := l.capability(handle); ok {
		d.ComputeCapability = gpu.Some(fmt.Sprintf("%d.%d", major, minor))
	}
	return handle, d, nil
}

func (l *library) number(attribute, handle int32) (int32, bool) {
	var v int32
	code := l.attribute(&v, attribute, handle)
	return v, code == 0
}

func (l *library) capability(handle int32) (major, minor int32, ok bool) {
	major, ok = l.number(attributeMajor, handle)
	minor, ok2 := l.number(attributeMinor, handle)
	return major, minor, ok && ok2
}

// terminated is the text before the first NUL, or all of it: a driver's fixed array may lack one.
func terminated(b []byte) string {
	text, _, _ := bytes.Cut(b, []byte{0})
	return string(text)
}
