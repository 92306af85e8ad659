package gpu

import "fmt"

// Reading is what a driver says about the state of one device at one instant, beside its identity. Every value may be
// missing and says why. All of it is a claim.
type Reading struct {
	// What the part is.
	Architecture      Opt[string]  `json:"architecture,omitzero"`       // "Hopper"
	BoardPart         Opt[string]  `json:"board_part,omitzero"`         // the vendor's part number of the board
	ComputeCapability Opt[string]  `json:"compute_capability,omitzero"` // "9.0" (CUDA) or "gfx942" (AMD)
	SMs               Opt[uint32]  `json:"sms,omitzero"`                // streaming multiprocessors; AMD: compute units
	Cores             Opt[uint32]  `json:"cores,omitzero"`              // FP32 lanes ("CUDA cores")
	BusWidthBits      Opt[uint32]  `json:"bus_width_bits,omitzero"`     // of the memory bus
	Subsystem         Opt[PCIPair] `json:"subsystem,omitzero"`          // whose board it is: tells boards of one device id apart
	Virtualization    Opt[string]  `json:"virtualization,omitzero"`     // "none", "passthrough", "vgpu", "host-vgpu", "host-vsga"

	// Memory, in bytes. Device.MemoryMiB is the total in MiB, rounded down.
	Memory Opt[MemoryUse] `json:"memory,omitzero"`
	BAR1   Opt[MemoryUse] `json:"bar1,omitzero"` // the window through which the host sees device memory; Reserved is 0

	// Clocks, in MHz.
	SMClockMHz     Opt[uint32] `json:"sm_clock_mhz,omitzero"`
	MemClockMHz    Opt[uint32] `json:"mem_clock_mhz,omitzero"`
	MaxSMClockMHz  Opt[uint32] `json:"max_sm_clock_mhz,omitzero"`
	MaxMemClockMHz Opt[uint32] `json:"max_mem_clock_mhz,omitzero"`
	PState         Opt[uint32] `json:"pstate,omitzero"` // 0 is full performance, 15 the least

	// Power: milliwatts, and millijoules since the driver was loaded.
	PowerMilliwatts             Opt[uint32] `json:"power_mw,omitzero"`
	PowerLimitMilliwatts        Opt[uint32] `json:"power_limit_mw,omitzero"`         // enforced now
	PowerDefaultLimitMilliwatts Opt[uint32] `json:"power_default_limit_mw,omitzero"` // as shipped
	PowerMaxLimitMilliwatts     Opt[uint32] `json:"power_max_limit_mw,omitzero"`     // the most that may be set
	EnergyMillijoules           Opt[uint64] `json:"energy_mj,omitzero"`

	// Temperatures in degrees Celsius, fan in per cent of its full speed.
	TempCelsius       Opt[int32]    `json:"temp_c,omitzero"`
	MemoryTempCelsius Opt[int32]    `json:"memory_temp_c,omitzero"`
	SlowdownCelsius   Opt[int32]    `json:"slowdown_c,omitzero"` // from here on the hardware slows itself down
	ShutdownCelsius   Opt[int32]    `json:"shutdown_c,omitzero"`
	FanPercent        Opt[uint32]   `json:"fan_percent,omitzero"`
	Throttle          Opt[Throttle] `json:"throttle,omitzero"` // why the clocks are lower than they could be

	// Utilisation in per cent over the driver's last sample period.
	GPUUtilPercent     Opt[uint32] `json:"gpu_util_percent,omitzero"`
	MemUtilPercent     Opt[uint32] `json:"mem_util_percent,omitzero"`
	EncoderUtilPercent Opt[uint32] `json:"encoder_util_percent,omitzero"`
	DecoderUtilPercent Opt[uint32] `json:"decoder_util_percent,omitzero"`

	// Memory errors. Volatile counts restart with the driver, aggregate ones last.
	ECCEnabled           Opt[bool]     `json:"ecc_enabled,omitzero"`
	CorrectedVolatile    Opt[uint64]   `json:"ecc_corrected_volatile,omitzero"`
	UncorrectedVolatile  Opt[uint64]   `json:"ecc_uncorrected_volatile,omitzero"`
	CorrectedAggregate   Opt[uint64]   `json:"ecc_corrected_aggregate,omitzero"`
	UncorrectedAggregate Opt[uint64]   `json:"ecc_uncorrected_aggregate,omitzero"`
	Rows                 Opt[RowRemap] `json:"rows,omitzero"`               // Ampere and later
	RetiredPages         Opt[uint32]   `json:"retired_pages,omitzero"`      // before Ampere: both kinds together
	RetirementPending    Opt[bool]     `json:"retirement_pending,omitzero"` // before Ampere

	// Links.
	PCIeGen      Opt[uint32]   `json:"pcie_gen,omitzero"` // now: it falls at idle to save power
	PCIeMaxGen   Opt[uint32]   `json:"pcie_max_gen,omitzero"`
	PCIeWidth    Opt[uint32]   `json:"pcie_width,omitzero"`
	PCIeMaxWidth Opt[uint32]   `json:"pcie_max_width,omitzero"`
	PCIeReplays  Opt[uint64]   `json:"pcie_replays,omitzero"` // since the driver was loaded
	NVLinks      Opt[[]NVLink] `json:"nvlinks,omitzero"`      // only links that the part has, by index
	Fabric       Opt[Fabric]   `json:"fabric,omitzero"`       // NVSwitch systems

	// Use.
	MIG             Opt[MIG]       `json:"mig,omitzero"`
	Processes       Opt[[]Process] `json:"processes,omitzero"`    // by PID
	ComputeMode     Opt[string]    `json:"compute_mode,omitzero"` // "default", "exclusive-process", "prohibited"
	PersistenceMode Opt[bool]      `json:"persistence_mode,omitzero"`
	DisplayActive   Opt[bool]      `json:"display_active,omitzero"`
}

// PCIPair is a vendor and a device id of the PCI registry.
type PCIPair struct {
	Vendor uint16 `json:"vendor"`
	Device uint16 `json:"device"`
}

// MemoryUse is how a memory is divided, in bytes. Total = Free + Used, or Free + Used + Reserved where the driver knows what
// it keeps for itself.
type MemoryUse struct {
	Total    uint64 `json:"total"`
	Free     uint64 `json:"free"`
	Used     uint64 `json:"used"`
	Reserved uint64 `json:"reserved,omitempty"`
}

// RowRemap is how many rows of device memory were replaced by spare ones.
type RowRemap struct {
	Correctable   uint32 `json:"correctable"`
	Uncorrectable uint32 `json:"uncorrectable"`
	Pending       bool   `json:"pending"` // a remapping waits for the next reset
	Failed        bool   `json:"failed"`  // no spare row was left
}

// NVLink is one link of a device.
type NVLink struct {
	Index       uint8       `json:"index"`
	Up          bool        `json:"up"`
	Version     uint32      `json:"version,omitempty"`       // 4 on Hopper; 0: not given
	RemoteBusID string      `json:"remote_bus_id,omitempty"` // the other end; empty: not given
	RemoteKind  string      `json:"remote_kind,omitempty"`   // "gpu", "switch", "ibmnpu"; empty: not given
	CRCErrors   Opt[uint64] `json:"crc_errors,omitzero"`
	Replays     Opt[uint64] `json:"replays,omitzero"`
	Recoveries  Opt[uint64] `json:"recoveries,omitzero"`
}

// Fabric is a device's membership in an NVSwitch fabric.
type Fabric struct {
	State   string `json:"state"`            // "not-supported", "not-started", "in-progress", "completed"
	Status  string `json:"status,omitempty"` // "success", or the error in the driver's words
	Cluster string `json:"cluster,omitempty"`
	Clique  uint32 `json:"clique,omitempty"`
}

// MIG is how a device is divided into instances that share nothing.
type MIG struct {
	Enabled      bool          `json:"enabled"`
	Pending      bool          `json:"pending"` // the mode after the next reset
	MaxInstances uint32        `json:"max_instances,omitempty"`
	Instances    []MIGInstance `json:"instances,omitempty"`
}

// MIGInstance is one part of a divided device.
type MIGInstance struct {
	ID        DeviceID `json:"id"`      // "MIG-..."
	Profile   string   `json:"profile"` // "1g.10gb"
	MemoryMiB uint64   `json:"memory_mib"`
	SMs       uint32   `json:"sms"`
}

// Process is a program that uses a device.
type Process struct {
	PID         uint32      `json:"pid"`
	Kind        string      `json:"kind"` // "compute", "graphics", "mps"
	MemoryBytes Opt[uint64] `json:"memory_bytes,omitzero"`
}

// Throttle is a set of reasons for lower clocks: the bits of NVML's clocks event reasons (nvml.h).
type Throttle uint64

// The reasons, bit by bit.
const (
	ThrottleIdle         Throttle = 1 << iota // nothing to do
	ThrottleAppClocks                         // set by a user
	ThrottleSWPowerCap                        // power limit
	ThrottleHWSlowdown                        // temperature or power brake: see the two below
	ThrottleSyncBoost                         // in step with other devices
	ThrottleSWThermal                         // the driver's own thermal limit
	ThrottleHWThermal                         // too hot
	ThrottleHWPowerBrake                      // the power supply asked for it
	ThrottleDisplay                           // set by the display clock
)

// Names returns the names of the set bits, lowest first; unknown bits as "bit-N".
func (t Throttle) Names() []string {
	names := []string{
		"idle", "app-clocks", "sw-power-cap", "hw-slowdown", "sync-boost", "sw-thermal", "hw-thermal", "hw-power-brake", "display",
	}
	var out []string
	for i := range 64 {
		if t>>i&1 == 1 {
			if i < len(names) {
				out = append(out, names[i])
			} else {
				out = append(out, fmt.Sprintf("bit-%d", i))
			}
		}
	}
	return out
}
