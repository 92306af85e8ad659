package gpu

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// MetricsConfig is what WriteMetrics says beside the inventory. What is absent here is left out there.
type MetricsConfig struct {
	// Hostname is the value of the label that names the host; empty: no such label.
	Hostname string
	// HostnameLabel is that label's name: "hostname" if empty. dcgm-exporter called it "Hostname" before May 2026
	// (NVIDIA/dcgm-exporter pull request 655), and dashboards of that time ask for it.
	HostnameLabel string
	// LastXid is the last error number of a device, 0 for none since the driver was loaded.
	LastXid map[DeviceID]uint32
	// Health is how well a device does.
	Health map[DeviceID]Health
	// Assurance is how far the claim of a device has been carried.
	Assurance map[DeviceID]Assurance
	// Findings are those of Check over this inventory; nil: it was not checked.
	Findings []Finding
}

// Validate refuses a HostnameLabel that is no label name of Prometheus, or one that WriteMetrics uses for something else.
// Errors wrap ErrInvalid.
func (c MetricsConfig) Validate() error {
	name := c.HostnameLabel
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" ||
		name != "" && name[0] >= '0' && name[0] <= '9' || strings.HasPrefix(name, "__") {
		return fmt.Errorf("%w: hostname label %q is not a label name", ErrInvalid, name)
	}
	used := []string{
		"gpu", "UUID", "pci_bus_id", "device", "modelName", "GPU_I_PROFILE", "GPU_I_ID", "DCGM_FI_DRIVER_VERSION", "severity",
	}
	if slices.Contains(used, name) {
		return fmt.Errorf("%w: hostname label %q has another meaning", ErrInvalid, name)
	}
	return nil
}

// WriteMetrics writes an inventory in the text format of Prometheus 0.0.4 under the names, types, units and label names of
// NVIDIA's dcgm-exporter, for devices of any vendor, so that its dashboards and alerts work. A value that is missing is left
// out, never written as 0, and so is a metric without any value. Metrics come in the order of dcgm-exporter's
// default-counters.csv, then those of idlegrid; devices in the order of the inventory.
//
// A device that is divided shows its own values once for each instance, as dcgm-exporter does, so a sum over instances
// counts its power more than once. Its framebuffer appears once, without instance labels, because an inventory does not say
// what an instance has in use. GPU_I_ID is the GPU instance's id where the device id is of the old form MIG-GPU-uuid/gi/ci,
// and the place in the list of instances where it is not.
//
// The error is the writer's, or that of MetricsConfig.Validate, in which case nothing was written.
func WriteMetrics(w io.Writer, inv Inventory, c MetricsConfig) error {
	if err := c.Validate(); err != nil {
		return err
	}
	labels := make([][]string, len(inv.Devices)) // of a divided device a set for each instance, else one
	plain := make([]string, len(inv.Devices))
	for i, d := range inv.Devices {
		plain[i] = deviceLabels(i, d, nil, inv.Driver, c)
		for _, part := range instanceParts(d) {
			labels[i] = append(labels[i], deviceLabels(i, d, part, inv.Driver, c))
		}
		if len(labels[i]) == 0 {
			labels[i] = plain[i : i+1]
		}
	}
	var b strings.Builder
	for _, m := range metrics() {
		var series strings.Builder
		for i, d := range inv.Devices {
			value, ok := m.value(d, c)
			if !ok {
				continue
			}
			sets := labels[i]
			if m.whole {
				sets = plain[i : i+1]
			}
			for _, set := range sets {
				fmt.Fprintf(&series, "%s{%s} %s\n", m.name, set, value)
			}
		}
		writeMetric(&b, m.name, m.kind, m.help, series.String())
	}
	writeOwn(&b, inv, plain, c)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("gpu: write metrics: %w", err)
	}
	return nil
}

// metric is one family: how it is called and how its value is found.
type metric struct {
	name, kind, help string
	whole            bool // of the device as a whole, even when it is divided
	value            metricValue
}

// metricValue finds a device's value, as it is written; false if it is missing.
type metricValue func(Device, MetricsConfig) (string, bool)

// metrics lists the families. Names, types and help: NVIDIA/dcgm-exporter, etc/default-counters.csv, the ECC counters and
// FB_RESERVED among those that it lists and leaves to the user. The counters that need the profiling module
// (DCGM_FI_PROF_*), the NVLink bandwidth and the vGPU licence are not in an inventory.
func metrics() []metric {
	gauge := func(name, help string, v metricValue) metric {
		return metric{name: "DCGM_FI_DEV_" + name, kind: "gauge", help: help, value: v}
	}
	counter := func(name, help string, v metricValue) metric {
		return metric{name: "DCGM_FI_DEV_" + name, kind: "counter", help: help, value: v}
	}
	whole := func(m metric) metric {
		m.whole = true
		return m
	}
	return []metric{
		gauge("SM_CLOCK", "SM clock frequency (in MHz).", optMetric(func(r *Reading) Opt[uint32] { return r.SMClockMHz })),
		gauge("MEM_CLOCK", "Memory clock frequency (in MHz).", optMetric(func(r *Reading) Opt[uint32] { return r.MemClockMHz })),
		gauge("MEMORY_TEMP", "Memory temperature (in C).", optMetric(func(r *Reading) Opt[int32] { return r.MemoryTempCelsius })),
		gauge("GPU_TEMP", "GPU temperature (in C).", optMetric(func(r *Reading) Opt[int32] { return r.TempCelsius })),
		gauge("POWER_USAGE", "Power draw (in W).", powerMetric),
		counter("TOTAL_ENERGY_CONSUMPTION", "Total energy consumption since boot (in mJ).",
			optMetric(func(r *Reading) Opt[uint64] { return r.EnergyMillijoules })),
		counter("PCIE_REPLAY_COUNTER", "Total number of PCIe retries.", optMetric(func(r *Reading) Opt[uint64] { return r.PCIeReplays })),
		gauge("GPU_UTIL", "GPU utilization (in %).", optMetric(func(r *Reading) Opt[uint32] { return r.GPUUtilPercent })),
		gauge("MEM_COPY_UTIL", "Memory utilization (in %).", optMetric(func(r *Reading) Opt[uint32] { return r.MemUtilPercent })),
		gauge("ENC_UTIL", "Encoder utilization (in %).", optMetric(func(r *Reading) Opt[uint32] { return r.EncoderUtilPercent })),
		gauge("DEC_UTIL", "Decoder utilization (in %).", optMetric(func(r *Reading) Opt[uint32] { return r.DecoderUtilPercent })),
		gauge("XID_ERRORS", "Value of the last XID error encountered.", xidMetric),
		whole(gauge("FB_FREE", "Framebuffer memory free (in MiB).", memoryMetric(func(m MemoryUse) (uint64, bool) { return m.Free, true }))),
		whole(gauge("FB_USED", "Framebuffer memory used (in MiB).", memoryMetric(func(m MemoryUse) (uint64, bool) { return m.Used, true }))),
		// A driver that keeps nothing back does not exist: 0 is one that did not say.
		whole(gauge("FB_RESERVED", "Framebuffer memory reserved (in MiB).",
			memoryMetric(func(m MemoryUse) (uint64, bool) { return m.Reserved, m.Reserved > 0 }))),
		counter("ECC_SBE_VOL_TOTAL", "Total number of single-bit volatile ECC errors.",
			optMetric(func(r *Reading) Opt[uint64] { return r.CorrectedVolatile })),
		counter("ECC_DBE_VOL_TOTAL", "Total number of double-bit volatile ECC errors.",
			optMetric(func(r *Reading) Opt[uint64] { return r.UncorrectedVolatile })),
		counter("ECC_SBE_AGG_TOTAL", "Total number of single-bit persistent ECC errors.",
			optMetric(func(r *Reading) Opt[uint64] { return r.CorrectedAggregate })),
		counter("ECC_DBE_AGG_TOTAL", "Total number of double-bit persistent ECC errors.",
			optMetric(func(r *Reading) Opt[uint64] { return r.UncorrectedAggregate })),
		counter("UNCORRECTABLE_REMAPPED_ROWS", "Number of remapped rows for uncorrectable errors",
			rowMetric(func(m RowRemap) uint32 { return m.Uncorrectable })),
		counter("CORRECTABLE_REMAPPED_ROWS", "Number of remapped rows for correctable errors",
			rowMetric(func(m RowRemap) uint32 { return m.Correctable })),
		gauge("ROW_REMAP_FAILURE", "Whether remapping of rows has failed", rowMetric(remapFailed)),
	}
}

// optMetric makes a value of a field of the reading, an integer that may be missing.
func optMetric[T int32 | uint32 | uint64](field func(*Reading) Opt[T]) metricValue {
	return func(d Device, _ MetricsConfig) (string, bool) {
		if d.Reading == nil {
			return "", false
		}
		v, ok := field(d.Reading).Get()
		return fmt.Sprint(v), ok
	}
}

func powerMetric(d Device, _ MetricsConfig) (string, bool) {
	if d.Reading == nil || !d.Reading.PowerMilliwatts.OK {
		return "", false
	}
	mw := d.Reading.PowerMilliwatts.V
	return fmt.Sprintf("%d.%03d", mw/1000, mw%1000), true
}

func xidMetric(d Device, c MetricsConfig) (string, bool) {
	xid, ok := c.LastXid[d.ID]
	return fmt.Sprint(xid), ok
}

// memoryMetric makes a value of one part of the memory, rounded down.
func memoryMetric(part func(MemoryUse) (uint64, bool)) metricValue {
	return func(d Device, _ MetricsConfig) (string, bool) {
		if d.Reading == nil || !d.Reading.Memory.OK {
			return "", false
		}
		bytes, ok := part(d.Reading.Memory.V)
		return fmt.Sprint(bytes >> 20), ok
	}
}

func rowMetric(count func(RowRemap) uint32) metricValue {
	return func(d Device, _ MetricsConfig) (string, bool) {
		if d.Reading == nil {
			return "", false
		}
		m, ok := d.Reading.Rows.Get()
		return fmt.Sprint(count(m)), ok
	}
}

func remapFailed(m RowRemap) uint32 {
	if m.Failed {
		return 1
	}
	return 0
}

// writeOwn writes the gauges that dcgm-exporter does not have, of the devices as a whole.
func writeOwn(b *strings.Builder, inv Inventory, plain []string, c MetricsConfig) {
	var health, assurance, findings strings.Builder
	for i, d := range inv.Devices {
		if state, ok := c.Health[d.ID]; ok {
			fmt.Fprintf(&health, "idlegrid_gpu_health_state{%s} %d\n", plain[i], state)
		}
		if level, ok := c.Assurance[d.ID]; ok {
			fmt.Fprintf(&assurance, "idlegrid_gpu_assurance_level{%s} %d\n", plain[i], level)
		}
	}
	for severity := Info; c.Findings != nil && severity <= Contradiction; severity++ {
		count := make([]int, len(inv.Devices)+1) // the last for the host
		for _, f := range c.Findings {
			if f.Severity == severity {
				if f.Device < 0 || f.Device >= len(inv.Devices) {
					f.Device = len(inv.Devices)
				}
				count[f.Device]++
			}
		}
		for i, n := range count {
			labels := hostLabels(inv.Driver, c)
			if i < len(plain) {
				labels = plain[i : i+1]
			} else if n == 0 {
				continue
			}
			all := strings.Join(append(labels[:len(labels):len(labels)], promLabel("severity", severity.String())), ",")
			fmt.Fprintf(&findings, "idlegrid_gpu_findings{%s} %d\n", all, n)
		}
	}
	writeMetric(b, "idlegrid_gpu_health_state", "gauge", "How well the device does (0 healthy, 1 degraded, 2 unhealthy, 3 lost).", health.String())
	writeMetric(b, "idlegrid_gpu_assurance_level", "gauge",
		"How far the device's claim is carried (0 claimed, 1 consistent, 2 proven, 3 attested).", assurance.String())
	writeMetric(b, "idlegrid_gpu_findings", "gauge",
		"Number of rules that fired on the device, or on the host where no device is named.", findings.String())
}

// writeMetric writes a family that has a series; a family without one would tell dashboards that there is something to see.
func writeMetric(b *strings.Builder, name, kind, help, series string) {
	if series != "" {
		fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s %s\n%s", name, help, name, kind, series)
	}
}

// deviceLabels writes the labels of a series in dcgm-exporter's order; part names the instance.
func deviceLabels(i int, d Device, part []string, driver string, c MetricsConfig) string {
	all := []string{
		promLabel("gpu", strconv.Itoa(i)), promLabel("UUID", string(d.ID)), promLabel("pci_bus_id", d.BusID),
		promLabel("device", "nvidia"+strconv.Itoa(i)), promLabel("modelName", d.Model),
	}
	all = append(all, part...)
	return strings.Join(append(all, hostLabels(driver, c)...), ",")
}

// hostLabels are those that every series ends with.
func hostLabels(driver string, c MetricsConfig) []string {
	var all []string
	if c.Hostname != "" {
		all = append(all, promLabel(cmp.Or(c.HostnameLabel, "hostname"), c.Hostname))
	}
	if driver != "" {
		all = append(all, promLabel("DCGM_FI_DRIVER_VERSION", driver))
	}
	return all
}

// promLabel writes one label. In a value the format escapes backslash, quote and line feed; bytes that are not UTF-8 are replaced.
func promLabel(name, value string) string {
	value = strings.ToValidUTF8(value, "\uFFFD")
	return name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(value) + `"`
}

// instanceParts gives the labels of each instance of a divided device; nil for one that is whole.
func instanceParts(d Device) [][]string {
	if d.Reading == nil || !d.Reading.MIG.V.Enabled {
		return nil
	}
	instances := d.Reading.MIG.V.Instances
	ids := make([]string, len(instances))
	seen := map[string]bool{}
	for k, m := range instances {
		if f := strings.Split(string(m.ID), "/"); len(f) == 3 && strings.HasPrefix(f[0], "MIG-GPU-") {
			ids[k] = f[1]
		}
		seen[ids[k]] = true
	}
	parts := make([][]string, len(instances))
	for k, m := range instances {
		if len(seen) < len(instances) || seen[""] { // two series must not look alike
			ids[k] = strconv.Itoa(k)
		}
		parts[k] = []string{promLabel("GPU_I_PROFILE", m.Profile), promLabel("GPU_I_ID", ids[k])}
	}
	return parts
}
