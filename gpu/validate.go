package gpu

import "fmt"

// Limits of the lists in an inventory: more than any host has, and few enough that a report stays small.
const (
	maxNVLinks   = 36 // an NVLink5 device has 18
	maxInstances = 16 // a device divides into 7 or 8
	maxProcesses = 1024
	maxFunctions = 256 // display controllers in one PCI tree
)

// field is one text of an inventory and its name.
type field struct{ name, value string }

func checkTexts(fields ...field) error {
	for _, f := range fields {
		if err := checkText(f.name, f.value, false); err != nil {
			return err
		}
	}
	return nil
}

func checkLen(name string, n, most int) error {
	if n > most {
		return fmt.Errorf("%w: %s lists %d, at most %d", ErrInvalid, name, n, most)
	}
	return nil
}

// optField is the reason that an Opt gives for having no value.
func optField[T any](name string, o Opt[T]) field { return field{name, o.Why} }

// validate reports the first text or list of a reading that is too long or not printable ASCII.
func (r *Reading) validate() error {
	if err := r.validateReasons(); err != nil {
		return err
	}
	err := checkTexts(
		field{"architecture", r.Architecture.V}, field{"board_part", r.BoardPart.V},
		field{"compute_capability", r.ComputeCapability.V}, field{"virtualization", r.Virtualization.V},
		field{"compute_mode", r.ComputeMode.V}, field{"fabric.state", r.Fabric.V.State},
		field{"fabric.status", r.Fabric.V.Status}, field{"fabric.cluster", r.Fabric.V.Cluster},
	)
	if err != nil {
		return err
	}
	for _, l := range []struct {
		name    string
		n, most int
	}{
		{"nvlinks", len(r.NVLinks.V), maxNVLinks},
		{"mig.instances", len(r.MIG.V.Instances), maxInstances},
		{"processes", len(r.Processes.V), maxProcesses},
	} {
		if err := checkLen(l.name, l.n, l.most); err != nil {
			return err
		}
	}
	return r.validateLists()
}

func (r *Reading) validateLists() error {
	for _, l := range r.NVLinks.V {
		err := checkTexts(field{"nvlinks.remote_bus_id", l.RemoteBusID}, field{"nvlinks.remote_kind", l.RemoteKind},
			optField("nvlinks.crc_errors", l.CRCErrors), optField("nvlinks.replays", l.Replays),
			optField("nvlinks.recoveries", l.Recoveries))
		if err != nil {
			return err
		}
	}
	for _, m := range r.MIG.V.Instances {
		err := checkTexts(field{"mig.instances.id", string(m.ID)}, field{"mig.instances.profile", m.Profile})
		if err != nil {
			return err
		}
		if m.MemoryMiB > maxMemoryMiB {
			return fmt.Errorf("%w: mig.instances.memory_mib %d is over %d", ErrInvalid, m.MemoryMiB, uint64(maxMemoryMiB))
		}
	}
	for _, p := range r.Processes.V {
		if err := checkTexts(field{"processes.kind", p.Kind}, optField("processes.memory_bytes", p.MemoryBytes)); err != nil {
			return err
		}
	}
	return nil
}

// validateReasons checks every Why of a reading.
func (r *Reading) validateReasons() error {
	return checkTexts(
		optField("architecture", r.Architecture), optField("board_part", r.BoardPart),
		optField("compute_capability", r.ComputeCapability), optField("sms", r.SMs), optField("cores", r.Cores),
		optField("bus_width_bits", r.BusWidthBits), optField("subsystem", r.Subsystem),
		optField("virtualization", r.Virtualization), optField("memory", r.Memory), optField("bar1", r.BAR1),
		optField("sm_clock_mhz", r.SMClockMHz), optField("mem_clock_mhz", r.MemClockMHz),
		optField("max_sm_clock_mhz", r.MaxSMClockMHz), optField("max_mem_clock_mhz", r.MaxMemClockMHz),
		optField("pstate", r.PState), optField("power_mw", r.PowerMilliwatts),
		optField("power_limit_mw", r.PowerLimitMilliwatts),
		optField("power_default_limit_mw", r.PowerDefaultLimitMilliwatts),
		optField("power_max_limit_mw", r.PowerMaxLimitMilliwatts), optField("energy_mj", r.EnergyMillijoules),
		optField("temp_c", r.TempCelsius), optField("memory_temp_c", r.MemoryTempCelsius),
		optField("slowdown_c", r.SlowdownCelsius), optField("shutdown_c", r.ShutdownCelsius),
		optField("fan_percent", r.FanPercent), optField("throttle", r.Throttle),
		optField("gpu_util_percent", r.GPUUtilPercent), optField("mem_util_percent", r.MemUtilPercent),
		optField("encoder_util_percent", r.EncoderUtilPercent), optField("decoder_util_percent", r.DecoderUtilPercent),
		optField("ecc_enabled", r.ECCEnabled), optField("ecc_corrected_volatile", r.CorrectedVolatile),
		optField("ecc_uncorrected_volatile", r.UncorrectedVolatile),
		optField("ecc_corrected_aggregate", r.CorrectedAggregate),
		optField("ecc_uncorrected_aggregate", r.UncorrectedAggregate), optField("rows", r.Rows),
		optField("retired_pages", r.RetiredPages), optField("retirement_pending", r.RetirementPending),
		optField("pcie_gen", r.PCIeGen), optField("pcie_max_gen", r.PCIeMaxGen), optField("pcie_width", r.PCIeWidth),
		optField("pcie_max_width", r.PCIeMaxWidth), optField("pcie_replays", r.PCIeReplays),
		optField("nvlinks", r.NVLinks), optField("fabric", r.Fabric), optField("mig", r.MIG),
		optField("processes", r.Processes), optField("compute_mode", r.ComputeMode),
		optField("persistence_mode", r.PersistenceMode), optField("display_active", r.DisplayActive),
	)
}

// validateRest checks what an inventory says beside its devices.
func (inv Inventory) validateRest() error {
	err := checkTexts(
		field{"backend", inv.Backend}, field{"platform", inv.Platform}, field{"hypervisor", inv.Hypervisor.V},
		optField("hypervisor", inv.Hypervisor), field{"nvml", inv.NVML.V}, optField("nvml", inv.NVML),
		field{"cuda_driver", inv.CUDADriver.V}, optField("cuda_driver", inv.CUDADriver),
		field{"confidential.environment", inv.Confidential.V.Environment}, optField("confidential", inv.Confidential),
		field{"library_sha256", inv.LibrarySHA.V}, optField("library_sha256", inv.LibrarySHA),
		optField("pci_view", inv.PCIView), optField("proc_view", inv.ProcView), optField("cuda_view", inv.CUDAView),
	)
	if err != nil {
		return err
	}
	for _, l := range []struct {
		name    string
		n, most int
	}{
		{"missing", len(inv.Missing), maxFunctions},
		{"links", len(inv.Links), MaxDevices * (MaxDevices - 1) / 2},
		{"pci_view", len(inv.PCIView.V), maxFunctions},
		{"proc_view", len(inv.ProcView.V), maxFunctions},
		{"cuda_view", len(inv.CUDAView.V), maxFunctions},
	} {
		if err := checkLen(l.name, l.n, l.most); err != nil {
			return err
		}
	}
	for i, l := range inv.Links {
		if l.A >= l.B || int(l.B) >= len(inv.Devices) {
			return fmt.Errorf("%w: links.%d joins %d and %d, want a < b < %d", ErrInvalid, i, l.A, l.B, len(inv.Devices))
		}
	}
	return inv.validateViews()
}

func (inv Inventory) validateViews() error {
	for _, m := range inv.Missing {
		if err := checkTexts(field{"missing.id", string(m.ID)}, field{"missing.bus_id", m.BusID}, field{"missing.why", m.Why}); err != nil {
			return err
		}
	}
	for _, f := range inv.PCIView.V {
		if err := checkTexts(field{"pci_view.bus_id", f.BusID}, field{"pci_view.driver", f.Driver}); err != nil {
			return err
		}
	}
	for _, g := range inv.ProcView.V {
		err := checkTexts(field{"proc_view.bus_id", g.BusID}, field{"proc_view.model", g.Model}, field{"proc_view.id", g.ID.V},
			optField("proc_view.id", g.ID), field{"proc_view.vbios", g.VBIOS.V}, optField("proc_view.vbios", g.VBIOS))
		if err != nil {
			return err
		}
	}
	for _, c := range inv.CUDAView.V {
		err := checkTexts(field{"cuda_view.id", string(c.ID)}, field{"cuda_view.name", c.Name}, field{"cuda_view.bus_id", c.BusID},
			optField("cuda_view.sms", c.SMs), field{"cuda_view.compute_capability", c.ComputeCapability.V},
			optField("cuda_view.compute_capability", c.ComputeCapability))
		if err != nil {
			return err
		}
	}
	return nil
}
