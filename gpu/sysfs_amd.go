package gpu

import (
	"fmt"
	"strconv"
	"strings"
)

// readAMD fills in what the files of the amdgpu driver say (kernel documentation, gpu/amdgpu/driver-misc and thermal; which
// files there are differs from card to card and kernel to kernel), and returns the size of the memory in bytes.
func readAMD(t tree, d *Device) Opt[uint64] {
	r := d.Reading
	if id := hexNumber[uint64](t, "unique_id"); id.OK && id.V != 0 {
		d.ID = DeviceID(fmt.Sprintf("AMD-%016x", id.V))
	}
	d.Serial, d.VBIOS = t.text("serial_number").V, t.text("vbios_version").V
	r.BoardPart = t.text("product_number")

	total, used := number64(t, "mem_info_vram_total"), number64(t, "mem_info_vram_used")
	switch {
	case !total.OK || !used.OK:
		r.Memory = None[MemoryUse](total.Why)
		if total.OK {
			r.Memory.Why = used.Why
		}
	case used.V > total.V:
		r.Memory = None[MemoryUse](WhyUnreadable)
	default:
		r.Memory = Some(MemoryUse{Total: total.V, Used: used.V, Free: total.V - used.V})
	}
	r.GPUUtilPercent, r.MemUtilPercent = percent(t, "gpu_busy_percent"), percent(t, "mem_busy_percent")
	r.SMClockMHz, r.MaxSMClockMHz = levels(t, "pp_dpm_sclk")
	r.MemClockMHz, r.MaxMemClockMHz = levels(t, "pp_dpm_mclk")
	r.PCIeReplays = number64(t, "pcie_replay_count")
	r.PCIeGen, r.PCIeMaxGen = generation(t, "current_link_speed"), generation(t, "max_link_speed")
	r.PCIeWidth, r.PCIeMaxWidth = scaled(t, "current_link_width", 1), scaled(t, "max_link_width", 1)
	r.CorrectedVolatile, r.UncorrectedVolatile = memoryErrors(t)
	if p := t.text("current_compute_partition"); p.OK {
		r.MIG = Some(MIG{Enabled: p.V != "SPX", Pending: p.V != "SPX"}) // SPX is the whole device as one
	} else {
		r.MIG = None[MIG](p.Why)
	}
	readSensors(t, r)
	return total
}

// readSensors reads the hwmon directory of a function: temperatures by their labels, power in microwatts.
func readSensors(t tree, r *Reading) {
	names := t.list("hwmon", "hwmon")
	if !names.OK || len(names.V) == 0 {
		why := names.Why
		if names.OK {
			why = WhyNotSupported
		}
		r.TempCelsius, r.MemoryTempCelsius, r.PowerMilliwatts = None[int32](why), None[int32](why), None[uint32](why)
		return
	}
	t.dir = t.path("hwmon/" + names.V[0])
	// The sensor on the die's edge is what other vendors report; parts without one have the hottest spot only.
	edge, hottest, memory := "temp1", "temp2", ""
	for _, n := range []string{"temp1", "temp2", "temp3", "temp4"} {
		switch t.text(n + "_label").V {
		case "junction":
			hottest = n
		case "mem", "vram":
			memory = n
		}
	}
	r.TempCelsius = celsius(t, edge+"_input")
	if !r.TempCelsius.OK {
		r.TempCelsius = celsius(t, hottest+"_input")
	}
	r.MemoryTempCelsius = None[int32](WhyNotSupported)
	if memory != "" {
		r.MemoryTempCelsius = celsius(t, memory+"_input")
	}
	r.SlowdownCelsius, r.ShutdownCelsius = celsius(t, hottest+"_crit"), celsius(t, hottest+"_emergency")
	r.PowerMilliwatts = scaled(t, "power1_average", 1000)
	if !r.PowerMilliwatts.OK {
		r.PowerMilliwatts = scaled(t, "power1_input", 1000)
	}
	r.PowerLimitMilliwatts = scaled(t, "power1_cap", 1000)
	r.PowerDefaultLimitMilliwatts = scaled(t, "power1_cap_default", 1000)
	r.PowerMaxLimitMilliwatts = scaled(t, "power1_cap_max", 1000)
	if pwm := scaled(t, "pwm1", 1); pwm.OK && pwm.V <= 255 {
		r.FanPercent = Some(pwm.V * 100 / 255) // rounded down
	} else {
		r.FanPercent = None[uint32](pwm.Why)
		if pwm.OK {
			r.FanPercent.Why = WhyUnreadable
		}
	}
}

// levels reads a table of clocks, "1: 2100Mhz *" a line, the star at the one in force: that one, and the highest.
func levels(t tree, name string) (now, most Opt[uint32]) {
	o := t.read(name)
	if !o.OK {
		return None[uint32](o.Why), None[uint32](o.Why)
	}
	now, most = None[uint32](WhyUnreadable), None[uint32](WhyUnreadable)
	for line := range strings.Lines(o.V) {
		_, clock, _ := strings.Cut(line, ":")
		clock, star := strings.CutSuffix(strings.TrimSpace(clock), "*")
		v, err := strconv.ParseUint(strings.TrimSuffix(strings.ToLower(strings.TrimSpace(clock)), "mhz"), 10, 32)
		if err != nil {
			continue
		}
		if mhz := uint32(v); !most.OK || mhz > most.V {
			most = Some(mhz)
		}
		if star {
			now = Some(uint32(v))
		}
	}
	return now, most
}

// generation reads a link speed such as "16.0 GT/s PCIe" as the generation that has it.
func generation(t tree, name string) Opt[uint32] {
	o := t.text(name)
	if !o.OK {
		return None[uint32](o.Why)
	}
	speed, _, _ := strings.Cut(o.V, " ")
	for i, s := range [...]string{"2.5", "5", "8", "16", "32", "64"} {
		if strings.TrimSuffix(speed, ".0") == s {
			return Some(uint32(i + 1))
		}
	}
	return None[uint32](WhyUnreadable) // "Unknown" while the link is down
}

// memoryErrors adds up the error counts of a device's blocks, "ue: 0" and "ce: 0" a file: since the driver was loaded.
func memoryErrors(t tree) (corrected, uncorrected Opt[uint64]) {
	names := t.list("ras", "")
	why := names.Why
	if names.OK {
		why = WhyNotSupported
	}
	corrected, uncorrected = None[uint64](why), None[uint64](why)
	for _, name := range names.V {
		if !strings.HasSuffix(name, "_err_count") {
			continue
		}
		text := t.read("ras/" + name)
		add(&corrected, unsigned(lineOf(text.V, "ce"), 10))
		add(&uncorrected, unsigned(lineOf(text.V, "ue"), 10))
	}
	return corrected, uncorrected
}

// add adds a count that is there. A sum that would wrap is no count.
func add(sum *Opt[uint64], n Opt[uint64]) {
	if n.OK && sum.V+n.V >= sum.V {
		*sum = Some(sum.V + n.V)
	}
}
