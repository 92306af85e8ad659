package nvml

// call is one question to the library, named after what it asks.
type call uint8

const (
	callInit call = iota
	callShutdown
	callDriver
	callNVML
	callCUDA2
	callCUDA
	callConfidential
	callCount
	callDevice
	callUUID
	callName
	callPCI
	callSerial
	callVBIOS
	callBoard
	callArchitecture
	callCapability
	callCores
	callBusWidth
	callVirtualization
	callMemory2
	callMemory
	callBAR1
	callClock
	callMaxClock
	callPState
	callPower
	callPowerLimit
	callPowerDefault
	callPowerLimits
	callEnergy
	callTemperature
	callThreshold
	callFan
	callField
	callEventReasons
	callThrottleReasons
	callUtilization
	callEncoder
	callDecoder
	callECCMode
	callECC
	callRows
	callRetired
	callRetiredPending
	callPCIeGen
	callPCIeMaxGen
	callPCIeWidth
	callPCIeMaxWidth
	callPCIeReplays
	callLinkState
	callLinkVersion
	callLinkRemote
	callLinkKind
	callLinkErrors
	callFabricV
	callFabric
	callMIGMode
	callMIGMax
	callMIGDevice
	callAttributes
	callCompute
	callGraphics
	callMPS
	callComputeMode
	callPersistence
	callDisplay
	callAncestor
	callP2P
	callSetCreate
	callEventTypes
	callRegister
	callSetWait
	callSetFree
	calls // how many
)

// shape says how a function takes and gives numbers. The purego binding calls by it; go-nvml has a method for each.
type shape uint8

const (
	shapeOwn  shape = iota // written out in the binding
	shapeText              // (device, buffer, length)
	shape32                // (device, selectors..., pointers to 32-bit numbers...)
	shape64                // (device, selectors..., pointer to a 64-bit number)
)

// spec is a row of the gate's table: what go-nvml calls the question, and which symbols answer it, newest first. One of them
// must be in the library before the question is asked. Symbols of one row differ in layout at most in ways that both
// bindings know; where they do not, the older symbol is a call of its own.
type spec struct {
	method    string
	symbols   []string
	shape     shape
	selectors int
	outputs   int
}

// table is the gate. It is the only place that names symbols.
func table() [calls]spec {
	t := [calls]spec{}
	for _, part := range []map[call]spec{systemTable(), identityTable(), stateTable(), errorTable(), linkTable(), useTable()} {
		for c, s := range part {
			t[c] = s
		}
	}
	return t
}

func own(method string, symbols ...string) spec { return spec{method: method, symbols: symbols} }

func textOf(method, symbol string) spec {
	return spec{method: method, symbols: []string{symbol}, shape: shapeText}
}

func num32(method string, selectors, outputs int, symbols ...string) spec {
	return spec{method: method, symbols: symbols, shape: shape32, selectors: selectors, outputs: outputs}
}

func num64(method string, selectors int, symbols ...string) spec {
	return spec{method: method, symbols: symbols, shape: shape64, selectors: selectors, outputs: 1}
}

func systemTable() map[call]spec {
	return map[call]spec{
		callInit:         own("Init", "nvmlInit_v2", "nvmlInit"),
		callShutdown:     own("Shutdown", "nvmlShutdown"),
		callDriver:       textOf("SystemGetDriverVersion", "nvmlSystemGetDriverVersion"),
		callNVML:         textOf("SystemGetNVMLVersion", "nvmlSystemGetNVMLVersion"),
		callCUDA2:        num32("SystemGetCudaDriverVersion_v2", 0, 1, "nvmlSystemGetCudaDriverVersion_v2"),
		callCUDA:         num32("SystemGetCudaDriverVersion", 0, 1, "nvmlSystemGetCudaDriverVersion"),
		callConfidential: own("SystemGetConfComputeState", "nvmlSystemGetConfComputeState"),
		callCount:        num32("DeviceGetCount", 0, 1, "nvmlDeviceGetCount_v2", "nvmlDeviceGetCount"),
		callDevice:       own("DeviceGetHandleByIndex", "nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex"),
		callSetCreate:    own("EventSetCreate", "nvmlEventSetCreate"),
		callEventTypes:   num64("GetSupportedEventTypes", 0, "nvmlDeviceGetSupportedEventTypes"),
		callRegister:     own("RegisterEvents", "nvmlDeviceRegisterEvents"),
		callSetWait:      own("EventSetWait", "nvmlEventSetWait_v2", "nvmlEventSetWait"),
		callSetFree:      own("EventSetFree", "nvmlEventSetFree"),
	}
}

func identityTable() map[call]spec {
	return map[call]spec{
		callUUID:           textOf("GetUUID", "nvmlDeviceGetUUID"),
		callName:           textOf("GetName", "nvmlDeviceGetName"),
		callPCI:            own("GetPciInfo", "nvmlDeviceGetPciInfo_v3", "nvmlDeviceGetPciInfo_v2", "nvmlDeviceGetPciInfo"),
		callSerial:         textOf("GetSerial", "nvmlDeviceGetSerial"),
		callVBIOS:          textOf("GetVbiosVersion", "nvmlDeviceGetVbiosVersion"),
		callBoard:          textOf("GetBoardPartNumber", "nvmlDeviceGetBoardPartNumber"),
		callArchitecture:   num32("GetArchitecture", 0, 1, "nvmlDeviceGetArchitecture"),
		callCapability:     num32("GetCudaComputeCapability", 0, 2, "nvmlDeviceGetCudaComputeCapability"),
		callCores:          num32("GetNumGpuCores", 0, 1, "nvmlDeviceGetNumGpuCores"),
		callBusWidth:       num32("GetMemoryBusWidth", 0, 1, "nvmlDeviceGetMemoryBusWidth"),
		callVirtualization: num32("GetVirtualizationMode", 0, 1, "nvmlDeviceGetVirtualizationMode"),
		callMemory2:        own("GetMemoryInfo_v2", "nvmlDeviceGetMemoryInfo_v2"),
		callMemory:         own("GetMemoryInfo", "nvmlDeviceGetMemoryInfo"),
		callBAR1:           own("GetBAR1MemoryInfo", "nvmlDeviceGetBAR1MemoryInfo"),
	}
}

func stateTable() map[call]spec {
	return map[call]spec{
		callClock:           num32("GetClockInfo", 1, 1, "nvmlDeviceGetClockInfo"),
		callMaxClock:        num32("GetMaxClockInfo", 1, 1, "nvmlDeviceGetMaxClockInfo"),
		callPState:          num32("GetPerformanceState", 0, 1, "nvmlDeviceGetPerformanceState"),
		callPower:           num32("GetPowerUsage", 0, 1, "nvmlDeviceGetPowerUsage"),
		callPowerLimit:      num32("GetEnforcedPowerLimit", 0, 1, "nvmlDeviceGetEnforcedPowerLimit"),
		callPowerDefault:    num32("GetPowerManagementDefaultLimit", 0, 1, "nvmlDeviceGetPowerManagementDefaultLimit"),
		callPowerLimits:     num32("GetPowerManagementLimitConstraints", 0, 2, "nvmlDeviceGetPowerManagementLimitConstraints"),
		callEnergy:          num64("GetTotalEnergyConsumption", 0, "nvmlDeviceGetTotalEnergyConsumption"),
		callTemperature:     num32("GetTemperature", 1, 1, "nvmlDeviceGetTemperature"),
		callThreshold:       num32("GetTemperatureThreshold", 1, 1, "nvmlDeviceGetTemperatureThreshold"),
		callFan:             num32("GetFanSpeed", 0, 1, "nvmlDeviceGetFanSpeed"),
		callField:           own("GetFieldValues", "nvmlDeviceGetFieldValues"),
		callEventReasons:    num64("GetCurrentClocksEventReasons", 0, "nvmlDeviceGetCurrentClocksEventReasons"),
		callThrottleReasons: num64("GetCurrentClocksThrottleReasons", 0, "nvmlDeviceGetCurrentClocksThrottleReasons"),
		callUtilization:     own("GetUtilizationRates", "nvmlDeviceGetUtilizationRates"),
		callEncoder:         num32("GetEncoderUtilization", 0, 2, "nvmlDeviceGetEncoderUtilization"),
		callDecoder:         num32("GetDecoderUtilization", 0, 2, "nvmlDeviceGetDecoderUtilization"),
		callPCIeGen:         num32("GetCurrPcieLinkGeneration", 0, 1, "nvmlDeviceGetCurrPcieLinkGeneration"),
		callPCIeMaxGen:      num32("GetMaxPcieLinkGeneration", 0, 1, "nvmlDeviceGetMaxPcieLinkGeneration"),
		callPCIeWidth:       num32("GetCurrPcieLinkWidth", 0, 1, "nvmlDeviceGetCurrPcieLinkWidth"),
		callPCIeMaxWidth:    num32("GetMaxPcieLinkWidth", 0, 1, "nvmlDeviceGetMaxPcieLinkWidth"),
		callPCIeReplays:     num32("GetPcieReplayCounter", 0, 1, "nvmlDeviceGetPcieReplayCounter"),
	}
}

func errorTable() map[call]spec {
	return map[call]spec{
		callECCMode:        num32("GetEccMode", 0, 2, "nvmlDeviceGetEccMode"),
		callECC:            num64("GetTotalEccErrors", 2, "nvmlDeviceGetTotalEccErrors"),
		callRows:           num32("GetRemappedRows", 0, 4, "nvmlDeviceGetRemappedRows"),
		callRetired:        own("GetRetiredPages", "nvmlDeviceGetRetiredPages"),
		callRetiredPending: num32("GetRetiredPagesPendingStatus", 0, 1, "nvmlDeviceGetRetiredPagesPendingStatus"),
	}
}

func linkTable() map[call]spec {
	return map[call]spec{
		callLinkState:   num32("GetNvLinkState", 1, 1, "nvmlDeviceGetNvLinkState"),
		callLinkVersion: num32("GetNvLinkVersion", 1, 1, "nvmlDeviceGetNvLinkVersion"),
		callLinkRemote: own("GetNvLinkRemotePciInfo",
			"nvmlDeviceGetNvLinkRemotePciInfo_v2", "nvmlDeviceGetNvLinkRemotePciInfo"),
		callLinkKind:   num32("GetNvLinkRemoteDeviceType", 1, 1, "nvmlDeviceGetNvLinkRemoteDeviceType"),
		callLinkErrors: num64("GetNvLinkErrorCounter", 2, "nvmlDeviceGetNvLinkErrorCounter"),
		callFabricV:    own("GetGpuFabricInfoV", "nvmlDeviceGetGpuFabricInfoV"),
		callFabric:     own("GetGpuFabricInfo", "nvmlDeviceGetGpuFabricInfo"),
		callAncestor:   own("GetTopologyCommonAncestor", "nvmlDeviceGetTopologyCommonAncestor"),
		callP2P:        own("GetP2PStatus", "nvmlDeviceGetP2PStatus"),
	}
}

func useTable() map[call]spec {
	return map[call]spec{
		callMIGMode:   num32("GetMigMode", 0, 2, "nvmlDeviceGetMigMode"),
		callMIGMax:    num32("GetMaxMigDeviceCount", 0, 1, "nvmlDeviceGetMaxMigDeviceCount"),
		callMIGDevice: own("GetMigDeviceHandleByIndex", "nvmlDeviceGetMigDeviceHandleByIndex"),
		// The first version of the attributes has no memory in it: it is no fallback.
		callAttributes: own("GetAttributes", "nvmlDeviceGetAttributes_v2"),
		callCompute: own("GetComputeRunningProcesses", "nvmlDeviceGetComputeRunningProcesses_v3",
			"nvmlDeviceGetComputeRunningProcesses_v2", "nvmlDeviceGetComputeRunningProcesses"),
		callGraphics: own("GetGraphicsRunningProcesses", "nvmlDeviceGetGraphicsRunningProcesses_v3",
			"nvmlDeviceGetGraphicsRunningProcesses_v2", "nvmlDeviceGetGraphicsRunningProcesses"),
		callMPS: own("GetMPSComputeRunningProcesses", "nvmlDeviceGetMPSComputeRunningProcesses_v3",
			"nvmlDeviceGetMPSComputeRunningProcesses_v2", "nvmlDeviceGetMPSComputeRunningProcesses"),
		callComputeMode: num32("GetComputeMode", 0, 1, "nvmlDeviceGetComputeMode"),
		callPersistence: num32("GetPersistenceMode", 0, 1, "nvmlDeviceGetPersistenceMode"),
		callDisplay:     num32("GetDisplayActive", 0, 1, "nvmlDeviceGetDisplayActive"),
	}
}
