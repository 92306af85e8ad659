//go:build linux && (amd64 || arm64)

package cuda

import (
	"fmt"

	"github.com/ebitengine/purego"

	"github.com/idlegrid/idlegrid/gpu"
)

// library is the functions of a driver library that are used here. Handles and device addresses are numbers to Go.
type library struct {
	init           func(flags uint32) int32
	driverVersion  func(version *int32) int32
	deviceCount    func(n *int32) int32
	device         func(d *int32, index int32) int32
	deviceName     func(name *byte, room, d int32) int32
	deviceUUID     func(uuid *[16]byte, d int32) int32
	deviceBusID    func(id *byte, room, d int32) int32
	deviceMemory   func(bytes *uint64, d int32) int32
	attribute      func(value *int32, attribute, d int32) int32
	retain         func(context *uintptr, d int32) int32
	release        func(d int32) int32
	setCurrent     func(context uintptr) int32
	synchronize    func() int32
	loadModule     func(module *uintptr, text *byte, n uint32, options *int32, values *uintptr) int32
	unloadModule   func(module uintptr) int32
	moduleFunction func(function *uintptr, module uintptr, name *byte) int32
	alloc          func(address *uint64, bytes uint64) int32
	free           func(address uint64) int32
	toHost         func(to *byte, from, bytes uint64) int32
	toDevice       func(to uint64, from *byte, bytes uint64) int32
	launch         func(f uintptr, gx, gy, gz, bx, by, bz, shared uint32, stream uintptr, values **uint64, extra uintptr) int32
}

// symbol is a function of the library: its C name, with the version that the declaration above fits, and where it goes.
type symbol struct {
	name string
	to   any
}

func (l *library) symbols() []symbol {
	return []symbol{
		{"cuInit", &l.init},
		{"cuDriverGetVersion", &l.driverVersion},
		{"cuDeviceGetCount", &l.deviceCount},
		{"cuDeviceGet", &l.device},
		{"cuDeviceGetName", &l.deviceName},
		{"cuDeviceGetUuid", &l.deviceUUID},
		{"cuDeviceGetPCIBusId", &l.deviceBusID},
		{"cuDeviceTotalMem_v2", &l.deviceMemory},
		{"cuDeviceGetAttribute", &l.attribute},
		{"cuDevicePrimaryCtxRetain", &l.retain},
		{"cuDevicePrimaryCtxRelease_v2", &l.release},
		{"cuCtxSetCurrent", &l.setCurrent},
		{"cuCtxSynchronize", &l.synchronize},
		{"cuModuleLoadDataEx", &l.loadModule},
		{"cuModuleUnload", &l.unloadModule},
		{"cuModuleGetFunction", &l.moduleFunction},
		{"cuMemAlloc_v2", &l.alloc},
		{"cuMemFree_v2", &l.free},
		{"cuMemcpyDtoH_v2", &l.toHost},
		{"cuMemcpyHtoD_v2", &l.toDevice},
		{"cuLaunchKernel", &l.launch},
	}
}

// load opens the library and initialises the driver. A library stays loaded: the driver does not bear being unloaded.
func load(path string) (*library, error) {
	if path == "" {
		path = "libcuda.so.1"
	}
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("cuda: %w: %w", gpu.ErrNoLibrary, err)
	}
	l := &library{}
	for _, s := range l.symbols() {
		address, err := purego.Dlsym(handle, s.name)
		if err != nil {
			return nil, fmt.Errorf("cuda: library %q has no function %s: %w", path, s.name, gpu.ErrUnsupported)
		}
		purego.RegisterFunc(s.to, address)
	}
	if code := l.init(0); code != 0 {
		if code == codeNoDevice {
			return nil, fmt.Errorf("cuda: cuInit: %w (%s)", ErrNoDevice, result(code))
		}
		return nil, fmt.Errorf("cuda: cuInit: %w (%s)", gpu.ErrNoDriver, result(code))
	}
	return l, nil
}

// check makes an error of what a call returned; what says which call, and for what.
func check(code int32, what string, args ...any) error {
	if code == 0 {
		return nil
	}
	what = fmt.Sprintf(what, args...)
	if kind := result(code).kind(); kind != nil {
		return fmt.Errorf("cuda: %s: %w (%s)", what, kind, result(code))
	}
	return fmt.Errorf("cuda: %s: %s", what, result(code))
}
