//go:build linux && (amd64 || arm64)

package cuda

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/challenge/internal/device"
)

// Options of cuModuleLoadDataEx (CUjit_option of cuda.h).
const (
	jitErrorLog     = 5
	jitErrorLogSize = 6
)

// driver is device.Driver over CUDA. Every call is made by one goroutine that keeps its thread, for the context is current there.
type driver struct {
	lib       *library
	calls     chan func()
	info      device.Info
	handle    int32
	retained  bool
	module    uintptr
	functions map[string]uintptr
}

func open(c Config) (device.Driver, error) {
	l, err := load(c.Library)
	if err != nil {
		return nil, err
	}
	d := &driver{lib: l, calls: make(chan func()), functions: map[string]uintptr{}}
	go d.serve()
	if err := d.do(func() error { return d.open(c) }); err != nil {
		_ = d.Close() // err says it; what was there is given back
		return nil, err
	}
	return d, nil
}

// serve never unlocks its thread, which so ends with it, and the current context of that thread too.
func (d *driver) serve() {
	runtime.LockOSThread()
	for f := range d.calls {
		f()
	}
}

// do runs f on the device's thread.
func (d *driver) do(f func() error) error {
	done := make(chan error, 1)
	d.calls <- func() { done <- f() }
	return <-done
}

func (d *driver) open(c Config) error {
	if c.Index < 0 || c.Index > 1<<16 {
		return fmt.Errorf("cuda: device %d: %w", c.Index, ErrNoDevice)
	}
	about, err := d.choose(c)
	if err != nil {
		return err
	}
	major, minor, ok := d.lib.capability(d.handle)
	if !ok || major < 6 || major == 6 && minor < 1 {
		return fmt.Errorf("cuda: device %q of compute capability %d.%d, want 6.1 or later: %w", about.Name, major, minor, gpu.ErrUnsupported)
	}
	d.info = device.Info{API: "cuda", Name: about.Name, Tensor: major >= 8, HalfFirst: major == 10 && minor == 3}
	var context uintptr
	if err := check(d.lib.retain(&context, d.handle), "cuDevicePrimaryCtxRetain"); err != nil {
		return err
	}
	d.retained = true
	if err := check(d.lib.setCurrent(context), "cuCtxSetCurrent"); err != nil {
		return err
	}
	return d.compile()
}

// choose finds the device that the config names.
func (d *driver) choose(c Config) (about gpu.CUDADevice, err error) {
	if c.ID == "" {
		d.handle, about, err = d.lib.describe(int32(c.Index))
		return about, err
	}
	var n int32
	if err := check(d.lib.deviceCount(&n), "cuDeviceGetCount"); err != nil {
		return about, err
	}
	for i := range n {
		if d.handle, about, err = d.lib.describe(i); err != nil || about.ID == c.ID {
			return about, err
		}
	}
	return about, fmt.Errorf("cuda: device %q: %w", string(c.ID), ErrNoDevice)
}

// compile hands the PTX to the driver. Its log is part of the error: a driver too old for the text says so there.
func (d *driver) compile() error {
	text := device.PlainPTX()
	if d.info.Tensor {
		text = device.TensorPTX()
	}
	image, log := append([]byte(text), 0), make([]byte, 1<<14)
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&log[0])
	options := [2]int32{jitErrorLog, jitErrorLogSize}
	at := uintptr(unsafe.Pointer(&log[0]))
	values := [2]uintptr{at, uintptr(len(log))}
	if err := check(d.lib.loadModule(&d.module, &image[0], 2, &options[0], &values[0]), "cuModuleLoadDataEx"); err != nil {
		return fmt.Errorf("%w: %s", err, terminated(log))
	}
	return nil
}

// Info implements device.Driver.
func (d *driver) Info() device.Info { return d.info }

// Alloc implements device.Memory.
func (d *driver) Alloc(bytes uint64) (b device.Buffer, err error) {
	return b, d.do(func() error {
		return check(d.lib.alloc((*uint64)(&b), bytes), "cuMemAlloc_v2 of %d bytes", bytes)
	})
}

// Free implements device.Memory.
func (d *driver) Free(b device.Buffer) error {
	return d.do(func() error { return check(d.lib.free(uint64(b)), "cuMemFree_v2") })
}

// Copy implements device.Memory. Copies on the default stream come after the launches before them.
func (d *driver) Copy(way device.Direction, b device.Buffer, at uint64, host []byte) error {
	return d.do(func() error {
		p, n := &host[0], uint64(len(host))
		if way == device.ToDevice {
			return check(d.lib.toDevice(uint64(b)+at, p, n), "cuMemcpyHtoD_v2 of %d bytes", n)
		}
		return check(d.lib.toHost(p, uint64(b)+at, n), "cuMemcpyDtoH_v2 of %d bytes", n)
	})
}

// Launch implements device.Queue.
func (d *driver) Launch(kernel string, groups uint32, args ...device.Arg) error {
	return d.do(func() error {
		f, err := d.function(kernel)
		if err != nil {
			return err
		}
		// CUDA reads each argument through a pointer, as many bytes as the entry declares: on these little-endian machines the low
		// ones of the value. What the list of pointers points to must not move, so it is pinned.
		values, list := make([]uint64, len(args)), make([]*uint64, len(args))
		var pin runtime.Pinner
		defer pin.Unpin()
		pin.Pin(&values[0])
		pin.Pin(&list[0])
		for i, a := range args {
			values[i], list[i] = a.Value, &values[i]
		}
		return check(d.lib.launch(f, groups, 1, 1, 256, 1, 1, 0, 0, &list[0], 0), "cuLaunchKernel of %s", kernel)
	})
}

// Wait implements device.Queue.
func (d *driver) Wait() error {
	return d.do(func() error { return check(d.lib.synchronize(), "cuCtxSynchronize") })
}

// Close implements device.Driver. The primary context goes back even if the module does not.
func (d *driver) Close() error {
	err := d.do(func() error {
		if !d.retained {
			return nil
		}
		var first error
		if d.module != 0 {
			first = check(d.lib.unloadModule(d.module), "cuModuleUnload")
		}
		if err := check(d.lib.release(d.handle), "cuDevicePrimaryCtxRelease_v2"); first == nil {
			first = err
		}
		return first
	})
	close(d.calls)
	return err
}

func (d *driver) function(kernel string) (uintptr, error) {
	if f, ok := d.functions[kernel]; ok {
		return f, nil
	}
	var f uintptr
	name := append([]byte(kernel), 0)
	if err := check(d.lib.moduleFunction(&f, d.module, &name[0]), "cuModuleGetFunction of %s", kernel); err != nil {
		return 0, err
	}
	d.functions[kernel] = f
	return f, nil
}
