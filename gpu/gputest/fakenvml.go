package gputest

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
)

//go:embed fakenvml
var fakeNVMLSource embed.FS

// AnyDevice stands for all devices, and for the system's own functions, where a FakeNVML takes a device's number.
const AnyDevice = -1

// FakeNVML is a shared library that answers as NVIDIA's libnvidia-ml.so.1 would on a host with the given inventory. It is
// compiled from C, so that a binding is tested with all of its parts: loading, symbols, layouts, strings. What it answers
// can be changed while it is loaded, from this process and from its children. It is safe for concurrent use.
//
// A function is named by its symbol, "nvmlDeviceGetMemoryInfo_v2"; a device by its index in the inventory.
type FakeNVML struct {
	t    testing.TB
	path string

	mu         sync.Mutex
	generation uint64
	inv        gpu.Inventory
	faults     []fakeFault
	lines      []string // switches and events
	events     int
}

// fakeFault is what one function does in place of its answer.
type fakeFault struct {
	symbol string
	device int
	what   string // a return code or "hang"
}

// NewFakeNVML compiles the library without the named symbols, as a driver too old for them lacks them, and gives it the
// inventory. It skips the test where there is no C compiler (cc), and fails it instead under IDLEGRID_REQUIRE=all. Every fake
// is a file of its own, so that one process can load several.
//
// A probe of the fake gives the inventory back, field for field, if it is one that NVML can express: every device is NVIDIA's
// and has a Reading, of which nothing was left unasked; MemoryMiB is the total in MiB; SMs follow from Cores; NVLinks that
// are there are not an empty list; a missing value's reason is one of the Why constants, WhyLost excepted, or "error N".
func NewFakeNVML(t testing.TB, inv gpu.Inventory, without ...string) *FakeNVML {
	t.Helper()
	return ReuseFakeNVML(t, t.TempDir(), inv, without...)
}

// ReuseFakeNVML is NewFakeNVML in a folder that outlives the test. A library that is there already is used again, with this
// inventory and without faults: go-nvml can bind only one library in a process, so its tests have to share one.
func ReuseFakeNVML(t testing.TB, dir string, inv gpu.Inventory, without ...string) *FakeNVML {
	t.Helper()
	library := buildFakeNVML(t, without)
	f := &FakeNVML{t: t, path: filepath.Join(dir, "libnvidia-ml.so.1"), inv: inv}
	if _, err := os.Stat(f.path); err != nil {
		code, err := os.ReadFile(library) //nolint:gosec // it was built here
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(f.path, code, 0o600)) //nolint:gosec // in the folder of a test
		require.NoError(t, os.WriteFile(f.path+".shared", make([]byte, 16), 0o600))
	}
	page, err := os.ReadFile(f.path + ".shared")
	require.NoError(t, err)
	f.generation = hostOrder().Uint64(page)
	_ = os.Remove(f.path + ".calls") // of an earlier test
	f.publish()
	t.Cleanup(f.Release) // a call that still hangs would keep its thread
	return f
}

// Path returns the library's file.
func (f *FakeNVML) Path() string { return f.path }

// Set replaces the inventory. Faults stay.
func (f *FakeNVML) Set(inv gpu.Inventory) {
	f.change(func() { f.inv = inv })
}

// Fail makes a function return a code of NVML's for one device or AnyDevice. Code 0 takes the fault away.
func (f *FakeNVML) Fail(symbol string, device, code int) {
	f.change(func() {
		f.clear(symbol, device)
		if code != 0 {
			f.faults = append(f.faults, fakeFault{symbol, device, fmt.Sprint(code)})
		}
	})
}

// Hang makes calls of a function for one device or AnyDevice wait until Release.
func (f *FakeNVML) Hang(symbol string, device int) {
	f.change(func() {
		f.clear(symbol, device)
		f.faults = append(f.faults, fakeFault{symbol, device, "hang"})
	})
}

// Release lets every call that hangs go on, and takes all faults away that Fail, Hang and Lose made.
func (f *FakeNVML) Release() {
	f.change(func() { f.faults = nil })
}

// Lose makes every question about a device answer that it has fallen off the bus.
func (f *FakeNVML) Lose(device int) {
	const gpuIsLost = 15
	f.change(func() { f.faults = append(f.faults, fakeFault{"*", device, fmt.Sprint(gpuIsLost)}) })
}

// Unload takes the driver away: nothing is initialised any more and nvmlInit answers that no driver is loaded.
func (f *FakeNVML) Unload() { f.Switch("gone", true) }

// Load brings the driver back. Whoever used it has to initialise it anew.
func (f *FakeNVML) Load() { f.Switch("gone", false) }

// Switch turns a way of behaving on or off: "gone" as Unload does, "nonul" fills texts to the last byte of their buffers,
// "trace" records calls for Calls.
func (f *FakeNVML) Switch(name string, on bool) {
	f.change(func() {
		f.lines = slices.DeleteFunc(f.lines, func(l string) bool { return l == name })
		if on {
			f.lines = append(f.lines, name)
		}
	})
}

// Emit delivers an event to every event set that waits for its type, now and until the fake ends: the bit of NVML's event
// types, and the data, which is the Xid for type 8.
func (f *FakeNVML) Emit(device int, eventType, data uint64) {
	f.change(func() {
		f.events++
		f.lines = append(f.lines, fmt.Sprintf("event %d %d %d %d", f.events, device, eventType, data))
	})
}

// Calls returns how often a function was called for a device while "trace" was on, and forgets nothing.
func (f *FakeNVML) Calls(symbol string, device int) int {
	f.t.Helper()
	log, err := os.ReadFile(f.path + ".calls")
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	require.NoError(f.t, err)
	return bytes.Count(append([]byte("\n"), log...), fmt.Appendf(nil, "\n%s %d\n", symbol, device))
}

// Hanging returns how many calls hang now.
func (f *FakeNVML) Hanging() int {
	f.t.Helper()
	page, err := os.ReadFile(f.path + ".shared")
	require.NoError(f.t, err)
	return int(hostOrder().Uint64(page[8:16]))
}

// FakeNVMLSymbols returns the functions that the library has, sorted.
func FakeNVMLSymbols(t testing.TB) []string {
	t.Helper()
	return slices.Clone(exportedBy(t, buildFakeNVML(t, nil)))
}

func (f *FakeNVML) change(what func()) {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	what()
	f.publish()
}

// clear forgets the fault of one function. f.mu is held.
func (f *FakeNVML) clear(symbol string, device int) {
	f.faults = slices.DeleteFunc(f.faults, func(x fakeFault) bool { return x.symbol == symbol && x.device == device })
}

// publish replaces the state, then tells the library. f.mu is held, or nobody else knows f yet.
func (f *FakeNVML) publish() {
	f.t.Helper()
	var b strings.Builder
	for _, x := range f.faults {
		fmt.Fprintf(&b, "fault %s %d %s\n", x.symbol, x.device, x.what)
	}
	for _, l := range f.lines {
		fmt.Fprintln(&b, l)
	}
	writeState(&b, f.inv)
	f.generation++
	require.NoError(f.t, os.WriteFile(f.path+".next", []byte(b.String()), 0o600))
	require.NoError(f.t, os.Rename(f.path+".next", f.path+".state")) // the library never reads half a state
	page, err := os.OpenFile(f.path+".shared", os.O_RDWR, 0)
	require.NoError(f.t, err)
	_, err = page.WriteAt(hostOrder().AppendUint64(nil, f.generation), 0)
	require.NoError(f.t, err)
	require.NoError(f.t, page.Close())
}

// buildFakeNVML compiles the library, once for every content: the file is named by the hash of all that goes into it.
func buildFakeNVML(t testing.TB, without []string) string {
	t.Helper()
	cc, err := exec.LookPath("cc")
	if err != nil {
		if os.Getenv("IDLEGRID_REQUIRE") == "all" {
			require.NoError(t, err, "cc, a C compiler, is required")
		}
		t.Skip("cc, a C compiler, is not installed")
	}
	without = slices.Sorted(slices.Values(without))
	var all strings.Builder // what goes into the library
	fmt.Fprintln(&all, cc, without)
	sources, err := fs.Glob(fakeNVMLSource, "fakenvml/*")
	require.NoError(t, err)
	dir := t.TempDir()
	args := []string{"-shared", "-fPIC", "-O1", "-o", filepath.Join(dir, "out.so")}
	for _, symbol := range without {
		args = append(args, "-D"+symbol+"=without_"+symbol)
	}
	for _, name := range sources {
		text, err := fakeNVMLSource.ReadFile(name)
		require.NoError(t, err)
		fmt.Fprintf(&all, "%s %d\n%s", name, len(text), text)
		file := filepath.Join(dir, filepath.Base(name))
		require.NoError(t, os.WriteFile(file, text, 0o600))
		if strings.HasSuffix(name, ".c") {
			args = append(args, file)
		}
	}
	hash := sha256.Sum256([]byte(all.String()))
	cached := filepath.Join(os.TempDir(), "idlegrid-fakenvml-"+hex.EncodeToString(hash[:16])+".so")
	if _, err := os.Stat(cached); err == nil {
		return cached
	}
	out, err := exec.CommandContext(t.Context(), cc, append(args, "-ldl", "-lpthread")...).CombinedOutput() //nolint:gosec // cc as found in PATH
	require.NoError(t, err, "%s", out)
	code, err := os.ReadFile(filepath.Join(dir, "out.so")) //nolint:gosec // it was built here
	require.NoError(t, err)
	next, err := os.CreateTemp(os.TempDir(), "idlegrid-fakenvml-*.next")
	require.NoError(t, err)
	_, err = next.Write(code)
	require.NoError(t, err)
	require.NoError(t, next.Close())
	require.NoError(t, os.Rename(next.Name(), cached)) // another test may build the same at the same time
	return cached
}
