//go:build (linux || darwin) && (amd64 || arm64)

package opencl

import (
	"fmt"
	"runtime"

	"github.com/ebitengine/purego"

	"github.com/idlegrid/idlegrid/gpu"
)

// library is the functions of the loader that are used here. Handles are numbers to Go.
type library struct {
	platforms      func(room uint32, ids *uintptr, n *uint32) int32
	platformInfo   func(platform uintptr, what uint32, room uintptr, value *byte, size *uintptr) int32
	devices        func(platform uintptr, kind uint64, room uint32, ids *uintptr, n *uint32) int32
	deviceInfo     func(device uintptr, what uint32, room uintptr, value *byte, size *uintptr) int32
	createContext  func(properties uintptr, n uint32, devices *uintptr, notify, data uintptr, code *int32) uintptr
	releaseContext func(context uintptr) int32
	createQueue    func(context, device uintptr, properties uint64, code *int32) uintptr
	releaseQueue   func(queue uintptr) int32
	createProgram  func(context uintptr, n uint32, texts **byte, lengths *uintptr, code *int32) uintptr
	build          func(program uintptr, n uint32, devices *uintptr, options *byte, notify, data uintptr) int32
	buildInfo      func(program, device uintptr, what uint32, room uintptr, value *byte, size *uintptr) int32
	releaseProgram func(program uintptr) int32
	createKernel   func(program uintptr, name *byte, code *int32) uintptr
	releaseKernel  func(kernel uintptr) int32
	setArgument    func(kernel uintptr, index uint32, size uintptr, value *uint64) int32
	createBuffer   func(context uintptr, flags uint64, size, host uintptr, code *int32) uintptr
	releaseBuffer  func(buffer uintptr) int32
	read           func(queue, buffer uintptr, wait uint32, at, size uintptr, to *byte, n uint32, events, event uintptr) int32
	write          func(queue, buffer uintptr, wait uint32, at, size uintptr, from *byte, n uint32, events, event uintptr) int32
	run            func(queue, kernel uintptr, dims uint32, offset, global, local *uintptr, n uint32, events, event uintptr) int32
	finish         func(queue uintptr) int32
}

// symbol is a function of the loader: its C name and where it goes.
type symbol struct {
	name string
	to   any
}

func (l *library) symbols() []symbol {
	return []symbol{
		{"clGetPlatformIDs", &l.platforms},
		{"clGetPlatformInfo", &l.platformInfo},
		{"clGetDeviceIDs", &l.devices},
		{"clGetDeviceInfo", &l.deviceInfo},
		{"clCreateContext", &l.createContext},
		{"clReleaseContext", &l.releaseContext},
		{"clCreateCommandQueue", &l.createQueue},
		{"clReleaseCommandQueue", &l.releaseQueue},
		{"clCreateProgramWithSource", &l.createProgram},
		{"clBuildProgram", &l.build},
		{"clGetProgramBuildInfo", &l.buildInfo},
		{"clReleaseProgram", &l.releaseProgram},
		{"clCreateKernel", &l.createKernel},
		{"clReleaseKernel", &l.releaseKernel},
		{"clSetKernelArg", &l.setArgument},
		{"clCreateBuffer", &l.createBuffer},
		{"clReleaseMemObject", &l.releaseBuffer},
		{"clEnqueueReadBuffer", &l.read},
		{"clEnqueueWriteBuffer", &l.write},
		{"clEnqueueNDRangeKernel", &l.run},
		{"clFinish", &l.finish},
	}
}

func load(path string) (*library, error) {
	if path == "" {
		path = "libOpenCL.so.1"
		if runtime.GOOS == "darwin" {
			path = "/System/Library/Frameworks/OpenCL.framework/OpenCL"
		}
	}
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("opencl: %w: %w", gpu.ErrNoLibrary, err)
	}
	l := &library{}
	for _, s := range l.symbols() {
		address, err := purego.Dlsym(handle, s.name)
		if err != nil {
			return nil, fmt.Errorf("opencl: library %q has no function %s: %w", path, s.name, gpu.ErrUnsupported)
		}
		purego.RegisterFunc(s.to, address)
	}
	return l, nil
}

// check makes an error of what a call returned; what says which call, and for what.
func check(code int32, what string, args ...any) error {
	if code == 0 {
		return nil
	}
	what = fmt.Sprintf(what, args...)
	for _, r := range results() {
		if r.code == code && r.kind != nil {
			return fmt.Errorf("opencl: %s: %w (%s, %d)", what, r.kind, r.name, code)
		}
		if r.code == code {
			return fmt.Errorf("opencl: %s: %s, %d", what, r.name, code)
		}
	}
	return fmt.Errorf("opencl: %s: OpenCL error %d", what, code)
}

// result is an error code of cl.h: its name and the error of this package that it stands for, if any.
type result struct {
	code int32
	name string
	kind error
}

func results() []result {
	return []result{
		{-1, "CL_DEVICE_NOT_FOUND", ErrNoDevice},
		{-2, "CL_DEVICE_NOT_AVAILABLE", ErrLost},
		{-3, "CL_COMPILER_NOT_AVAILABLE", gpu.ErrUnsupported},
		{-4, "CL_MEM_OBJECT_ALLOCATION_FAILURE", ErrMemory},
		{-5, "CL_OUT_OF_RESOURCES", ErrMemory},
		{-6, "CL_OUT_OF_HOST_MEMORY", ErrMemory},
		{-11, "CL_BUILD_PROGRAM_FAILURE", nil},
		{-14, "CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST", ErrLost},
		{-30, "CL_INVALID_VALUE", nil},
		{-36, "CL_INVALID_COMMAND_QUEUE", ErrLost},
		{-38, "CL_INVALID_MEM_OBJECT", nil},
		{-46, "CL_INVALID_KERNEL_NAME", nil},
		{-48, "CL_INVALID_KERNEL", nil},
		{-51, "CL_INVALID_ARG_SIZE", nil},
		{-52, "CL_INVALID_KERNEL_ARGS", nil},
		{-54, "CL_INVALID_WORK_GROUP_SIZE", gpu.ErrUnsupported},
		{-61, "CL_INVALID_BUFFER_SIZE", ErrMemory},
		{-1001, "CL_PLATFORM_NOT_FOUND_KHR", gpu.ErrNoDriver},
	}
}
