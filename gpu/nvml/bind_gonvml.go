//go:build linux && cgo

package nvml

import (
	"fmt"
	"sync"

	"github.com/NVIDIA/go-nvml/pkg/dl"
	"github.com/NVIDIA/go-nvml/pkg/nvml"

	"github.com/idlegrid/idlegrid/gpu"
)

// goNVML calls the library through go-nvml. That binding resolves a symbol when it is first called, process-wide, and ends
// the process if it is absent; so every symbol is looked up beforehand, in a handle of our own.
type goNVML struct {
	path    string
	lib     nvml.Interface
	present [calls]bool
	older   [calls]int
	ready   bool
}

// bound is the one library that go-nvml can use: what it has resolved stays resolved, whatever is loaded later.
var bound struct {
	sync.Mutex
	path string
}

func newGoNVML(path string) raw { return &goNVML{path: path} }

func (g *goNVML) backend() string { return "go-nvml" }

func (g *goNVML) load() error {
	if g.ready {
		return nil
	}
	bound.Lock()
	defer bound.Unlock()
	lib := dl.New(g.path, dl.RTLD_LAZY)
	if err := lib.Open(); err != nil {
		return fmt.Errorf("%w: %w", gpu.ErrNoLibrary, err)
	}
	for c, s := range table() {
		for i, symbol := range s.symbols {
			if lib.Lookup(symbol) == nil {
				g.present[c], g.older[c] = true, i
				break
			}
		}
	}
	if !g.present[callInit] {
		_ = lib.Close() // nothing of it was used
		return fmt.Errorf("%w: %q has no %s", gpu.ErrNoLibrary, g.path, table()[callInit].symbols[0])
	}
	if bound.path != "" && bound.path != g.path {
		_ = lib.Close()
		return fmt.Errorf("%w: go-nvml is bound to %q in this process and cannot load %q; the binding %q can",
			gpu.ErrUnsupported, bound.path, g.path, Purego)
	}
	bound.path = g.path
	g.lib, g.ready = nvml.New(nvml.WithLibraryPath(g.path)), true
	return nil
}

func (g *goNVML) has(c call) bool { return g.present[c] }

// device is go-nvml's device in a handle.
func device(h handle) nvml.Device {
	d, _ := h.(nvml.Device)
	return d
}

func (g *goNVML) simple(c call) code {
	if c == callInit {
		return code(g.lib.Init())
	}
	return code(g.lib.Shutdown())
}

func (g *goNVML) text(c call, h handle) (string, code) {
	var s string
	rc := nvml.ERROR_NOT_SUPPORTED
	switch d := device(h); c {
	case callDriver:
		s, rc = g.lib.SystemGetDriverVersion()
	case callNVML:
		s, rc = g.lib.SystemGetNVMLVersion()
	case callUUID:
		s, rc = d.GetUUID()
	case callName:
		s, rc = d.GetName()
	case callSerial:
		s, rc = d.GetSerial()
	case callVBIOS:
		s, rc = d.GetVbiosVersion()
	case callBoard:
		s, rc = d.GetBoardPartNumber()
	default:
	}
	return s, code(rc)
}

// number is what the answers of go-nvml's methods are made of.
type integer interface {
	~int | ~int32 | ~uint32 | ~uint64
}

func one[T integer](v T, rc nvml.Return) (answer, code) { return answer{narrow(v)}, code(rc) }

func couple[A, B integer](a A, b B, rc nvml.Return) (answer, code) {
	return answer{narrow(a), narrow(b)}, code(rc)
}

// narrow undoes the sign extension of what the library gives as 32 bits.
func narrow[T integer](v T) uint64 {
	if v < 0 {
		return uint64(uint32(v))
	}
	return uint64(v)
}

func (g *goNVML) ask(c call, h handle, a, b uint32) (answer, code) {
	d := device(h)
	switch c {
	case callCUDA2:
		return one(g.lib.SystemGetCudaDriverVersion_v2())
	case callCUDA:
		return one(g.lib.SystemGetCudaDriverVersion())
	case callCount:
		return one(g.lib.DeviceGetCount())
	case callConfidential:
		v, rc := g.lib.SystemGetConfComputeState()
		return answer{uint64(v.Environment), uint64(v.CcFeature), uint64(v.DevToolsMode)}, code(rc)
	case callMemory2:
		v, rc := d.GetMemoryInfo_v2()
		return answer{v.Total, v.Free, v.Used, v.Reserved}, code(rc)
	case callMemory:
		v, rc := d.GetMemoryInfo()
		return answer{v.Total, v.Free, v.Used}, code(rc)
	case callBAR1:
		v, rc := d.GetBAR1MemoryInfo()
		return answer{v.Bar1Total, v.Bar1Free, v.Bar1Used}, code(rc)
	case callUtilization:
		v, rc := d.GetUtilizationRates()
		return answer{uint64(v.Gpu), uint64(v.Memory)}, code(rc)
	case callAttributes:
		v, rc := d.GetAttributes()
		return answer{uint64(v.MultiprocessorCount), v.MemorySizeMB, uint64(v.GpuInstanceSliceCount)}, code(rc)
	case callRows:
		correctable, uncorrectable, pending, failed, rc := d.GetRemappedRows()
		return answer{narrow(correctable), narrow(uncorrectable), flag(pending), flag(failed)}, code(rc)
	case callRetired:
		pages, rc := d.GetRetiredPages(nvml.PageRetirementCause(a))
		return answer{uint64(len(pages))}, code(rc)
	case callField:
		f := []nvml.FieldValue{{FieldId: a}}
		if rc := d.GetFieldValues(f); rc != nvml.SUCCESS {
			return answer{}, code(rc)
		}
		return fieldValue(f[0].ValueType, f[0].Value), code(int32(f[0].NvmlReturn))
	default:
		if v, rc, ok := plain(c, d); ok {
			return v, rc
		}
		return selected(c, d, a, b)
	}
}

func flag(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// result marks the answer of a question that was asked.
func result(v answer, rc code) (answer, code, bool) { return v, rc, true }

// plain asks the questions that only name the device.
func plain(c call, d nvml.Device) (answer, code, bool) {
	switch c {
	case callArchitecture:
		return result(one(d.GetArchitecture()))
	case callCapability:
		return result(couple(d.GetCudaComputeCapability()))
	case callCores:
		return result(one(d.GetNumGpuCores()))
	case callBusWidth:
		return result(one(d.GetMemoryBusWidth()))
	case callVirtualization:
		return result(one(d.GetVirtualizationMode()))
	case callPState:
		return result(one(d.GetPerformanceState()))
	case callPower:
		return result(one(d.GetPowerUsage()))
	case callPowerLimit:
		return result(one(d.GetEnforcedPowerLimit()))
	case callPowerDefault:
		return result(one(d.GetPowerManagementDefaultLimit()))
	case callPowerLimits:
		return result(couple(d.GetPowerManagementLimitConstraints()))
	case callEnergy:
		return result(one(d.GetTotalEnergyConsumption()))
	case callFan:
		return result(one(d.GetFanSpeed()))
	case callEventReasons:
		return result(one(d.GetCurrentClocksEventReasons()))
	case callThrottleReasons:
		return result(one(d.GetCurrentClocksThrottleReasons()))
	case callEncoder:
		return result(couple(d.GetEncoderUtilization()))
	case callDecoder:
		return result(couple(d.GetDecoderUtilization()))
	case callECCMode:
		return result(couple(d.GetEccMode()))
	case callRetiredPending:
		return result(one(d.GetRetiredPagesPendingStatus()))
	case callMIGMode:
		return result(couple(d.GetMigMode()))
	case callMIGMax:
		return result(one(d.GetMaxMigDeviceCount()))
	default:
		return plainLink(c, d)
	}
}

func plainLink(c call, d nvml.Device) (answer, code, bool) {
	switch c {
	case callPCIeGen:
		return result(one(d.GetCurrPcieLinkGeneration()))
	case callPCIeMaxGen:
		return result(one(d.GetMaxPcieLinkGeneration()))
	case callPCIeWidth:
		return result(one(d.GetCurrPcieLinkWidth()))
	case callPCIeMaxWidth:
		return result(one(d.GetMaxPcieLinkWidth()))
	case callPCIeReplays:
		return result(one(d.GetPcieReplayCounter()))
	case callComputeMode:
		return result(one(d.GetComputeMode()))
	case callPersistence:
		return result(one(d.GetPersistenceMode()))
	case callDisplay:
		return result(one(d.GetDisplayActive()))
	case callEventTypes:
		return result(one(d.GetSupportedEventTypes()))
	default:
		return answer{}, codeNotSupported, false
	}
}

// selected asks the questions that select something of the device.
func selected(c call, d nvml.Device, a, b uint32) (answer, code) {
	switch c {
	case callClock:
		return one(d.GetClockInfo(nvml.ClockType(a)))
	case callMaxClock:
		return one(d.GetMaxClockInfo(nvml.ClockType(a)))
	case callTemperature:
		return one(d.GetTemperature(nvml.TemperatureSensors(a)))
	case callThreshold:
		return one(d.GetTemperatureThreshold(nvml.TemperatureThresholds(a)))
	case callECC:
		return one(d.GetTotalEccErrors(nvml.MemoryErrorType(a), nvml.EccCounterType(b)))
	case callLinkState:
		return one(d.GetNvLinkState(int(a)))
	case callLinkVersion:
		return one(d.GetNvLinkVersion(int(a)))
	case callLinkKind:
		return one(d.GetNvLinkRemoteDeviceType(int(a)))
	case callLinkErrors:
		return one(d.GetNvLinkErrorCounter(int(a), nvml.NvLinkErrorCounter(b)))
	default:
		return answer{}, codeNotSupported
	}
}

func (g *goNVML) pair(c call, h, other handle, a uint32) (uint64, code) {
	if c == callP2P {
		v, rc := device(h).GetP2PStatus(device(other), nvml.GpuP2PCapsIndex(a))
		return narrow(v), code(rc)
	}
	v, rc := device(h).GetTopologyCommonAncestor(device(other))
	return narrow(v), code(rc)
}

func (g *goNVML) child(c call, h handle, index uint32) (handle, code) {
	if c == callDevice {
		d, rc := g.lib.DeviceGetHandleByIndex(int(index))
		return d, code(rc)
	}
	d, rc := device(h).GetMigDeviceHandleByIndex(int(index))
	return d, code(rc)
}

func (g *goNVML) pci(c call, h handle, link uint32) (pciInfo, code) {
	var p nvml.PciInfo
	var rc nvml.Return
	if c == callLinkRemote {
		p, rc = device(h).GetNvLinkRemotePciInfo(int(link))
	} else {
		p, rc = device(h).GetPciInfo()
	}
	i := pciInfo{legacy: chars(p.BusIdLegacy[:]), id: p.PciDeviceId, subsys: p.PciSubSystemId}
	if g.older[c] == 0 {
		i.bus = chars(p.BusId[:])
	}
	return i, code(rc)
}

// chars is a C array as a string, up to the first NUL if there is one.
func chars[T ~int8 | ~uint8](a []T) string {
	b := make([]byte, len(a))
	for i, c := range a {
		b[i] = byte(c)
	}
	return upToNUL(b)
}

func (g *goNVML) processes(c call, h handle) ([]process, code) {
	var list []nvml.ProcessInfo
	var rc nvml.Return
	switch d := device(h); c {
	case callCompute:
		list, rc = d.GetComputeRunningProcesses()
	case callGraphics:
		list, rc = d.GetGraphicsRunningProcesses()
	default:
		list, rc = d.GetMPSComputeRunningProcesses()
	}
	var out []process
	for _, p := range list {
		out = append(out, process{p.Pid, p.UsedGpuMemory})
	}
	return out, code(rc)
}

func (g *goNVML) fabric(c call, h handle) (fabricInfo, code) {
	if c == callFabric {
		f, rc := device(h).GetGpuFabricInfo()
		return fabricInfo{f.ClusterUuid, code(int32(f.Status)), f.CliqueId, f.State}, code(rc)
	}
	f, rc := device(h).GetGpuFabricInfoV().V2()
	return fabricInfo{f.ClusterUuid, code(int32(f.Status)), f.CliqueId, f.State}, code(rc)
}

func (g *goNVML) newEvents() (eventSet, code) {
	set, rc := g.lib.EventSetCreate()
	return set, code(rc)
}

func (g *goNVML) register(set eventSet, h handle, types uint64) code {
	s, _ := set.(nvml.EventSet)
	return code(device(h).RegisterEvents(types, s))
}

func (g *goNVML) wait(set eventSet, milliseconds uint32) (event, code) {
	s, _ := set.(nvml.EventSet)
	e, rc := g.lib.EventSetWait(s, milliseconds)
	return event{e.Device, e.EventType, e.EventData}, code(rc)
}

func (g *goNVML) free(set eventSet) code {
	s, _ := set.(nvml.EventSet)
	return code(g.lib.EventSetFree(s))
}
