package nvml_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/gputest"
	"github.com/idlegrid/idlegrid/gpu/nvml"
)

// childVar names the library that this process has to probe in place of running tests.
const childVar = "IDLEGRID_NVML_CHILD"

// outcome is what a child says of one binding.
type outcome struct {
	Inventory gpu.Inventory
	Watch     string // why the driver's events are not to be had; empty if they are
	Err       string
}

// child probes a library with all bindings, prints what they found, and reports whether it was asked to.
func child() bool {
	path := os.Getenv(childVar) // "watch:" before it asks for events too
	if path == "" {
		return false
	}
	if rest, ok := strings.CutPrefix(path, "ungated:"); ok {
		ungated(rest)
		return true
	}
	path, watch := strings.CutPrefix(path, "watch:")
	var all []outcome
	for _, b := range nvml.Bindings() {
		all = append(all, probeOnce(path, b, watch))
	}
	b, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	_, _ = os.Stdout.Write(b)
	return true
}

func probeOnce(path, binding string, watch bool) outcome {
	s, err := nvml.Open(nvml.Config{Library: path, Binding: binding, Deadline: patience, Views: views, HashLibrary: true})
	if err != nil {
		return outcome{Err: err.Error()}
	}
	var o outcome
	inv, err := s.Probe(contextOf())
	o.Inventory = same(inv)
	if err != nil {
		o.Err = err.Error()
	}
	if watch {
		o.Watch = watchOnce(s)
	}
	if err := s.Close(); err != nil {
		o.Err += err.Error()
	}
	return o
}

// spawn runs a child and returns what it printed and how it ended.
func spawn(t testing.TB, path string) ([]byte, error) {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = append(os.Environ(), childVar+"="+path)
	return c.Output()
}

// For every symbol that the fake has, a library without it: the process lives, both bindings say the same, and what is
// missing says why. Every symbol of the gate's table is in the fake (TestTable).
func TestEverySymbolAbsent(t *testing.T) {
	if len(nvml.Bindings()) == 0 {
		t.Skip("NVML: no binding on this platform")
	}
	want := hgx(1)
	want.Devices = append(want.Devices, divided(1))
	want.Links = []gpu.Link{{A: 0, B: 1, Kind: gpu.LinkNVLink, Count: 18}}
	for _, symbol := range gputest.FakeNVMLSymbols(t) {
		t.Run(symbol, func(t *testing.T) {
			t.Parallel()
			got := absent(t, want, symbol)
			whole := text(t, want) == text(t, got.Inventory) && got.Watch == "" && got.Err == ""
			require.Equal(t, hasFallback(symbol), whole, "%s: a symbol that is needed makes a difference, and only such a one", symbol)
		})
	}
}

// hasFallback reports whether another symbol gives the very same answer, or none is needed.
func hasFallback(symbol string) bool {
	switch symbol {
	case "nvmlShutdown", // nothing is said by it
		"nvmlSystemGetCudaDriverVersion_v2", "nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetGpuFabricInfoV",
		"nvmlInit_v2", "nvmlDeviceGetCount_v2", "nvmlDeviceGetHandleByIndex_v2", "nvmlEventSetWait_v2",
		"nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetGraphicsRunningProcesses_v3",
		"nvmlDeviceGetMPSComputeRunningProcesses_v3",
		// The probe has a second witness, or the device has nothing of the kind.
		"nvmlDeviceGetTopologyCommonAncestor", "nvmlDeviceGetGraphicsRunningProcesses", "nvmlDeviceGetMPSComputeRunningProcesses":
		return true
	case "nvmlDeviceGetPciInfo_v3", "nvmlDeviceGetNvLinkRemotePciInfo_v2": // the domain loses four digits
		return false
	}
	// What is only a fallback is not missed while the newer one is there.
	all := []string{
		"nvmlInit", "nvmlDeviceGetCount", "nvmlDeviceGetHandleByIndex", "nvmlDeviceGetPciInfo", "nvmlDeviceGetPciInfo_v2",
		"nvmlDeviceGetMemoryInfo", "nvmlSystemGetCudaDriverVersion", "nvmlDeviceGetNvLinkRemotePciInfo", "nvmlEventSetWait",
		"nvmlDeviceGetCurrentClocksThrottleReasons", "nvmlDeviceGetGpuFabricInfo", "nvmlDeviceGetComputeRunningProcesses",
		"nvmlDeviceGetComputeRunningProcesses_v2", "nvmlDeviceGetGraphicsRunningProcesses_v2",
		"nvmlDeviceGetMPSComputeRunningProcesses_v2",
	}
	return slices.Contains(all, symbol)
}

// absent probes a library without the symbols in a child, and returns what both bindings agreed on.
func absent(t *testing.T, inv gpu.Inventory, symbols ...string) outcome {
	t.Helper()
	f := gputest.NewFakeNVML(t, inv, symbols...)
	path := f.Path()
	if slices.ContainsFunc(symbols, func(s string) bool { return strings.Contains(s, "Event") }) {
		path = "watch:" + path
	}
	out, err := spawn(t, path)
	require.NoError(t, err, "the process ended: %s", out)
	var all []outcome
	require.NoError(t, json.Unmarshal(out, &all))
	for i := range all {
		require.Equal(t, fmt.Sprint(all[0].Err), all[i].Err)
		require.Equal(t, all[0].Watch, all[i].Watch)
		require.Equal(t, text(t, all[0].Inventory), text(t, all[i].Inventory))
	}
	all[0].Inventory.LibrarySHA = gpu.Opt[string]{}
	return all[0]
}

// Drivers of earlier years: many symbols are absent at once.
func TestOldLibraries(t *testing.T) {
	if len(nvml.Bindings()) == 0 {
		t.Skip("NVML: no binding on this platform")
	}
	var second, versioned []string
	for _, s := range gputest.FakeNVMLSymbols(t) {
		if strings.HasSuffix(s, "_v3") || s == "nvmlDeviceGetMemoryInfo_v2" || s == "nvmlDeviceGetGpuFabricInfoV" {
			second = append(second, s)
		}
		if strings.Contains(s, "_v") || s == "nvmlDeviceGetGpuFabricInfoV" {
			versioned = append(versioned, s)
		}
	}
	for name, symbols := range map[string][]string{"R450": second, "first versions": versioned} {
		t.Run(name, func(t *testing.T) {
			got := absent(t, hgx(2), symbols...)
			require.Empty(t, got.Err)
			require.Len(t, got.Inventory.Devices, 2)
			d := got.Inventory.Devices[1]
			require.Equal(t, "0000:2A:00.0", d.BusID)
			require.Equal(t, h100(1).MemoryMiB, d.MemoryMiB)
			// The older answer counts what the driver keeps as used.
			require.Equal(t, gpu.MemoryUse{Total: 81559 << 20, Free: 80994 << 20, Used: 565 << 20}, d.Reading.Memory.V)
			require.Equal(t, h100(1).Reading.Processes, d.Reading.Processes)
			require.Equal(t, h100(1).Reading.Fabric, d.Reading.Fabric)
			require.Equal(t, hgx(2).Links, got.Inventory.Links)
		})
	}
}
