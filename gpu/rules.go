package gpu

// Rule is one cross-check: what makes it fire and how much that weighs.
type Rule struct {
	Name     string   // as in Finding.Rule
	Severity Severity // of every finding of the rule
	Text     string   // when it fires, one line
}

// RuleRateImpossible is what a challenge reports that was answered faster than 1.05 times the peak of the claimed model; no
// inventory can show it.
const RuleRateImpossible = "rate-impossible"

const (
	ruleNameUnknown       = "name-unknown"
	ruleIDOfOtherModel    = "id-of-other-model"
	ruleNameVsDeviceID    = "name-vs-device-id"
	ruleMemoryTotal       = "memory-total"
	ruleMemoryPublished   = "memory-published"
	ruleMemoryModified    = "memory-modified"
	ruleMemoryECC         = "memory-ecc"
	ruleMemoryReserved    = "memory-reserved"
	ruleMemoryRound       = "memory-round"
	ruleMemorySum         = "memory-sum"
	ruleComputeCapability = "compute-capability"
	ruleSMCount           = "sm-count"
	ruleBusWidth          = "bus-width"
	ruleClockMax          = "clock-max"
	rulePowerMax          = "power-max"
	rulePCIeMax           = "pcie-max"
	ruleNVLinkOnPCIe      = "nvlink-on-pcie-card"
	ruleLinkCount         = "link-count"
	ruleMIG               = "mig-inconsistent"
	ruleUUIDForm          = "uuid-form"
	ruleDuplicateUUID     = "duplicate-uuid"
	ruleDuplicateSerial   = "duplicate-serial"
	ruleDuplicateBus      = "duplicate-bus"
	ruleDuplicateIdentity = "duplicate-identity"
	ruleIdentityChange    = "identity-change"
	ruleDriverPlatform    = "driver-platform"
	ruleDriverBranch      = "driver-branch"
	ruleCUDADriver        = "cuda-driver"
	ruleLibraryDigest     = "library-digest"
	ruleSysfsMissing      = "sysfs-missing"
	ruleSysfsExtra        = "sysfs-extra"
	ruleProcMismatch      = "proc-mismatch"
	ruleCUDAUUID          = "cuda-uuid"
	ruleCUDAName          = "cuda-name"
	ruleCUDAMemory        = "cuda-memory"
	ruleCounterBackwards  = "counter-backwards"
	ruleEnergyVsPower     = "energy-vs-power"
	ruleStaticTelemetry   = "static-telemetry"
	ruleVirtualised       = "virtualised"
)

// Rules lists every rule, grouped by what it looks at. The order is that of the package comment.
func Rules() []Rule {
	return []Rule{
		{ruleNameUnknown, Info, "no model of that name is in the catalogue"},
		{ruleIDOfOtherModel, Suspicious, "the name is unknown, and the PCI id belongs to models of other names"},
		{ruleNameVsDeviceID, Contradiction, "the PCI ids are not among those of the name"},
		{ruleMemoryTotal, Contradiction, "drivers never report that total for the model"},
		{ruleMemoryPublished, Suspicious, "the total is not listed, and the model's list was published in part, not seen"},
		{ruleMemoryModified, Suspicious, "the total is that of a board rebuilt with larger memory chips"},
		{ruleMemoryECC, Info, "the total is 15/16 or 16/15 of a listed one, as GDDR boards report when ECC is turned on or off"},
		{ruleMemoryReserved, Info, "up to 5 % below a listed total, as drivers before branch 510 report, or newer than the table may"},
		{ruleMemoryRound, Suspicious, "whole GiB from an unknown model whose generation never reports whole GiB"},
		{ruleMemorySum, Suspicious, "used, free and reserved differ from the total by over 2 MiB, or the two totals differ"},
		{ruleComputeCapability, Contradiction, "driver or CUDA name another compute capability than the model has"},
		{ruleSMCount, Contradiction, "multiprocessors or cores are not the model's (fewer are right under MIG)"},
		{ruleBusWidth, Contradiction, "the memory bus is not as wide as the model's"},
		{ruleClockMax, Suspicious, "the highest clock is over 15 % above what drivers report for such boards"},
		{rulePowerMax, Suspicious, "the power limit is over 15 % above the model's (50 % for desktop boards)"},
		{rulePCIeMax, Contradiction, "PCIe generation or width are beyond the model, or the link is faster than its own maximum on bare metal"},
		{ruleNVLinkOnPCIe, Contradiction, "NVLinks on a model that has none"},
		{ruleLinkCount, Contradiction, "more NVLinks than the model has"},
		{ruleMIG, Contradiction, "instances exceed their profile, the memory, the multiprocessors or the mode"},
		{ruleUUIDForm, Contradiction, "not GPU- or MIG- and a UUID in lower case, or all zeros (NVIDIA only)"},
		{ruleDuplicateUUID, Contradiction, "two devices have one UUID"},
		{ruleDuplicateSerial, Contradiction, "more devices have one serial number than a board of the model holds"},
		{ruleDuplicateBus, Contradiction, "two devices are in one slot"},
		{ruleDuplicateIdentity, Contradiction, "the UUID is known under another key (by the Registry: IdentityTakenError)"},
		{ruleIdentityChange, Suspicious, "the UUID is known, and its model, PCI id, serial number, VBIOS or slot was another"},
		{ruleDriverPlatform, Contradiction, "the driver version exists on another operating system only"},
		{ruleDriverBranch, Contradiction, "the driver is older than the model, or the management library is of another version"},
		{ruleCUDADriver, Suspicious, "the CUDA version is above what the driver branch brings"},
		{ruleLibraryDigest, Suspicious, "the management library's bytes are not those known of its version (by CheckLibrary)"},
		{ruleSysfsMissing, Contradiction, "the PCI tree has no such device in that slot"},
		{ruleSysfsExtra, Suspicious, "the PCI tree has a GPU that the inventory does not mention: lost, or hidden"},
		{ruleProcMismatch, Contradiction, "/proc/driver/nvidia does not have the device, or has another name, UUID or VBIOS"},
		{ruleCUDAUUID, Contradiction, "the CUDA driver has a UUID that the inventory does not have"},
		{ruleCUDAName, Contradiction, "the CUDA driver has another name for the UUID"},
		{ruleCUDAMemory, Contradiction, "the CUDA driver has more memory than the total, or over 10 % and 512 MiB less"},
		{ruleCounterBackwards, Suspicious, "time, energy, replays, remapped rows or aggregate ECC counts fell without a restart (by CheckSequence)"},
		{ruleEnergyVsPower, Suspicious, "energy over time does not fit the power readings (by CheckSequence)"},
		{ruleStaticTelemetry, Suspicious, "utilisation, power and temperature stood still over 10 probes under load (by CheckHistory)"},
		{ruleVirtualised, Info, "a hypervisor, a vGPU or passthrough"},
		{RuleRateImpossible, Contradiction, "a challenge was answered faster than 1.05 times the model's peak (by the challenge)"},
	}
}

// severityOf finds a rule's severity. It panics for a name that is no rule: a finding of that name could not be looked up.
func severityOf(rule string) Severity {
	for _, r := range Rules() {
		if r.Name == rule {
			return r.Severity
		}
	}
	panic("gpu: no rule " + rule)
}
