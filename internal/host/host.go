package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/gpu/challenge/cpu"
	"github.com/idlegrid/idlegrid/gpu/challenge/cuda"
	"github.com/idlegrid/idlegrid/gpu/challenge/opencl"
	"github.com/idlegrid/idlegrid/gpu/gputest"
	"github.com/idlegrid/idlegrid/gpu/nvml"
)

// Host is a machine with GPUs, or a fake of one. It is a gpu.Source.
type Host struct {
	gpu.Source
	Fake bool
	Why  string // why NVIDIA's driver is not read; empty if it is

	now     func() time.Time
	start   time.Time // when it was opened, by the clock that runs evenly where there is one
	mu      sync.Mutex
	monitor *gpu.Monitor // guarded by mu
	last    time.Time    // of the monitor; guarded by mu
}

// Open opens the machine's own GPUs, or with a name those of a fake host: "h100x8". Where there is no driver of NVIDIA's it
// reads the kernel's files, which may show no device at all.
func Open(ctx context.Context, fake string, now func() time.Time) (*Host, error) {
	m, err := gpu.NewMonitor(gpu.DefaultHealth())
	if err != nil {
		return nil, err
	}
	h := &Host{now: now, start: now(), monitor: m}
	if fake != "" {
		p, err := gputest.ParseProfile(fake)
		if err != nil {
			return nil, err
		}
		h.Fake, h.Why = true, "the host is made up"
		h.Source, err = gputest.NewSource(p, now)
		return h, err
	}
	n, why := openNVML(ctx)
	if why == "" {
		h.Source = n
		return h, nil
	}
	h.Why = why
	c, err := gpu.NewCatalog()
	if err != nil {
		return nil, err
	}
	h.Source, err = gpu.NewSysfs(gpu.SysfsConfig{FS: os.DirFS("/"), Catalog: c, Now: now, Platform: runtime.GOOS + "/" + runtime.GOARCH})
	return h, err
}

// openNVML returns NVIDIA's driver, or why there is none.
func openNVML(ctx context.Context) (n *nvml.Source, why string) {
	n, err := nvml.Open(nvml.Config{HashLibrary: true, Views: views})
	if err != nil {
		return nil, err.Error()
	}
	if _, err := n.Probe(ctx); err != nil {
		return nil, errors.Join(err, n.Close()).Error()
	}
	return n, ""
}

// Follow listens to what the driver says without being asked, until the context ends, and counts it for Health. A source
// that says nothing by itself is listened to in vain.
func (h *Host) Follow(ctx context.Context) error {
	err := h.Watch(ctx, func(n gpu.Notice) {
		h.mu.Lock()
		defer h.mu.Unlock()
		_ = h.tell(gpu.Noticed{Notice: n}) // refused: of a device that no probe has shown yet
	})
	if errors.Is(err, gpu.ErrUnsupported) || ctx.Err() != nil {
		return nil //nolint:nilerr // the end is what was asked for, and a source may have nothing to say
	}
	return err
}

// tell gives the monitor an event. Its time runs evenly from the start and never back: a wall clock that was ahead at boot and is
// set right would leave the monitor deaf until it is as late again. The caller holds mu.
func (h *Host) tell(e gpu.MonitorEvent) error {
	if at := h.start.Add(h.now().Sub(h.start)); at.After(h.last) {
		h.last = at
	}
	_, err := h.monitor.Apply(h.last, e)
	return err
}

// Health takes a probe, and returns how well each device does by all that was seen and heard so far. Of a probe that makes no
// sense no device is healthy.
func (h *Host) Health(inv gpu.Inventory) func(gpu.DeviceID) gpu.Health {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.tell(gpu.Probed{Inventory: inv}); err != nil {
		return func(gpu.DeviceID) gpu.Health { return gpu.Unhealthy }
	}
	all := map[gpu.DeviceID]gpu.Health{}
	for d := range h.monitor.Diagnoses() {
		all[d.Device] = d.Health
	}
	return func(id gpu.DeviceID) gpu.Health { return all[id] }
}

// Tested counts what a challenge showed of a device for Health: one that was passed is a self-test, which is what ends the states
// after a reset or a reboot; wrong results are a failed one. Lateness says nothing about the arithmetic.
func (h *Host) Tested(id gpu.DeviceID, v challenge.Verdict) {
	wrong := v.Reason == challenge.Value || v.Reason == challenge.WalkValue
	if !v.Passed() && !wrong {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	// Every opening of a challenge that was passed is exact, whatever rate was found.
	_ = h.tell(gpu.SelfTested{Device: id, OK: !wrong, Ops: max(1, v.OpsPerSec)}) // refused: of a device that the last probe did not read
}

// views asks the other witnesses: the kernel, and CUDA's driver library.
func views(ctx context.Context, inv *gpu.Inventory) {
	gpu.Views(ctx, os.DirFS("/"), inv)
	inv.Platform = runtime.GOOS + "/" + runtime.GOARCH
	if _, devices, err := cuda.Devices(""); err == nil {
		inv.CUDAView = gpu.Some(devices)
	} else {
		inv.CUDAView = gpu.None[[]gpu.CUDADevice](gpu.WhyNotSupported)
	}
}

// Prover opens what answers challenges for a device: CUDA for NVIDIA's, OpenCL for others'. A fake host answers with the
// processor, which is right and slow.
func (h *Host) Prover(id gpu.DeviceID) (challenge.Prover, error) {
	if h.Fake {
		return cpu.New(cpu.Config{Workers: max(1, runtime.NumCPU()/2), MaxBytes: 1 << 30})
	}
	p, err := cuda.Open(cuda.Config{ID: id})
	if err == nil {
		return p, nil
	}
	if strings.HasPrefix(string(id), "GPU-") { // what OpenCL opens may be another device, which must not answer for this one
		return nil, fmt.Errorf("host: device %s: %w", id, err)
	}
	all, err := opencl.Devices("")
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(d opencl.Info) bool { return d.GPU })
	if i < 0 {
		return nil, fmt.Errorf("host: device %s: neither CUDA nor OpenCL opens it", id)
	}
	return opencl.Open(opencl.Config{Index: all[i].Index})
}
