//go:build (linux || darwin) && (amd64 || arm64)

package opencl

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"

	"github.com/idlegrid/idlegrid/gpu/challenge/internal/device"
)

const (
	buildLog      = 0x1183
	memReadWrite  = 1
	blocking      = 1
	workItems     = 256
	maxCompileLog = 1 << 16
)

// driver is device.Driver over OpenCL.
type driver struct {
	lib     *library
	info    device.Info
	most    uint64 // bytes of a buffer
	handle  uintptr
	context uintptr
	queue   uintptr
	program uintptr
	kernels map[string]uintptr
}

func open(c Config) (device.Driver, error) {
	l, err := load(c.Library)
	if err != nil {
		return nil, err
	}
	all, err := l.find()
	if err != nil {
		return nil, err
	}
	if c.Index < 0 || c.Index >= len(all) {
		return nil, fmt.Errorf("opencl: device %d of %d: %w", c.Index, len(all), ErrNoDevice)
	}
	f := all[c.Index]
	d := &driver{lib: l, handle: f.handle, most: f.MaxBufferBytes, kernels: map[string]uintptr{}}
	d.info = device.Info{API: "opencl", Name: f.Name, Tensor: c.Kernel == string(device.KernelIMMA) || c.Kernel == string(device.KernelHMMA)}
	if err := d.setUp(); err != nil {
		_ = d.Close() // err says it; what was there is given back
		return nil, err
	}
	return d, nil
}

func (d *driver) setUp() error {
	var code int32
	d.context = d.lib.createContext(0, 1, &d.handle, 0, 0, &code)
	if err := check(code, "clCreateContext"); err != nil {
		return err
	}
	d.queue = d.lib.createQueue(d.context, d.handle, 0, &code)
	if err := check(code, "clCreateCommandQueue"); err != nil {
		return err
	}
	text := append([]byte(device.Source()), 0)
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&text[0])
	at := &text[0]
	d.program = d.lib.createProgram(d.context, 1, &at, nil, &code)
	if err := check(code, "clCreateProgramWithSource"); err != nil {
		return err
	}
	options := "-cl-std=CL1.2"
	if !d.info.Tensor {
		options += " -DNO_TENSOR"
	}
	flags := append([]byte(options), 0)
	if err := check(d.lib.build(d.program, 1, &d.handle, &flags[0], 0, 0), "clBuildProgram"); err != nil {
		log := make([]byte, maxCompileLog)
		_ = d.lib.buildInfo(d.program, d.handle, buildLog, uintptr(len(log)), &log[0], nil)
		return fmt.Errorf("%w: %s", err, terminated(log))
	}
	return nil
}

// Info implements device.Driver.
func (d *driver) Info() device.Info { return d.info }

// Alloc implements device.Memory. A buffer above the promised size is tried all the same: some drivers give it.
func (d *driver) Alloc(bytes uint64) (device.Buffer, error) {
	var code int32
	b := d.lib.createBuffer(d.context, memReadWrite, uintptr(bytes), 0, &code)
	if err := check(code, "clCreateBuffer of %d bytes, %d promised", bytes, d.most); err != nil {
		return 0, err
	}
	return device.Buffer(b), nil
}

// Free implements device.Memory. OpenCL keeps the memory until the launches that use it are done.
func (d *driver) Free(b device.Buffer) error {
	return check(d.lib.releaseBuffer(uintptr(b)), "clReleaseMemObject")
}

// Copy implements device.Memory.
func (d *driver) Copy(way device.Direction, b device.Buffer, at uint64, host []byte) error {
	p, n := &host[0], uintptr(len(host))
	if way == device.ToDevice {
		return check(d.lib.write(d.queue, uintptr(b), blocking, uintptr(at), n, p, 0, 0, 0), "clEnqueueWriteBuffer of %d bytes", n)
	}
	return check(d.lib.read(d.queue, uintptr(b), blocking, uintptr(at), n, p, 0, 0, 0), "clEnqueueReadBuffer of %d bytes", n)
}

// Launch implements device.Queue.
func (d *driver) Launch(kernel string, groups uint32, args ...device.Arg) error {
	k, err := d.kernel(kernel)
	if err != nil {
		return err
	}
	for i, a := range args { // the low bytes of a value come first on these little-endian machines
		if err := check(d.lib.setArgument(k, uint32(i), uintptr(a.Size), &a.Value), "clSetKernelArg %d of %s", i, kernel); err != nil {
			return err
		}
	}
	global, local := uintptr(groups)*workItems, uintptr(workItems)
	return check(d.lib.run(d.queue, k, 1, nil, &global, &local, 0, 0, 0), "clEnqueueNDRangeKernel of %s", kernel)
}

// Wait implements device.Queue.
func (d *driver) Wait() error { return check(d.lib.finish(d.queue), "clFinish") }

// Close implements device.Driver.
func (d *driver) Close() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(d.kernels)) {
		errs = append(errs, check(d.lib.releaseKernel(d.kernels[name]), "clReleaseKernel of %s", name))
	}
	if d.program != 0 {
		errs = append(errs, check(d.lib.releaseProgram(d.program), "clReleaseProgram"))
	}
	if d.queue != 0 {
		errs = append(errs, check(d.lib.releaseQueue(d.queue), "clReleaseCommandQueue"))
	}
	if d.context != 0 {
		errs = append(errs, check(d.lib.releaseContext(d.context), "clReleaseContext"))
	}
	return errors.Join(errs...)
}

func (d *driver) kernel(name string) (uintptr, error) {
	if k, ok := d.kernels[name]; ok {
		return k, nil
	}
	var code int32
	text := append([]byte(name), 0)
	k := d.lib.createKernel(d.program, &text[0], &code)
	if err := check(code, "clCreateKernel of %s", name); err != nil {
		return 0, err
	}
	d.kernels[name] = k
	return k, nil
}
