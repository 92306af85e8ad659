package gpu

import "strings"

// readIntel fills in what the files of the xe and i915 drivers say (kernel documentation, ABI/testing/sysfs-driver-intel-xe-hwmon
// and sysfs-driver-intel-i915-hwmon; gpu/xe), and returns the size of the memory in bytes: of all tiles under xe, of the local
// memory under i915 where its build says so. An integrated GPU has none of its own.
//
// The link is left out: the files describe the one between GPU and a switch on the board, always 2.5 GT/s and one lane.
func readIntel(t tree, d *Device) Opt[uint64] {
	r := d.Reading
	d.Serial = t.text("serial_number").V
	r.PCIeGen, r.PCIeMaxGen = None[uint32](WhyNotSupported), None[uint32](WhyNotSupported)
	r.PCIeWidth, r.PCIeMaxWidth = None[uint32](WhyNotSupported), None[uint32](WhyNotSupported)

	total := None[uint64](WhyNotSupported)
	for _, tile := range t.list("", "tile").V {
		n := number64(t, tile+"/physical_vram_size_bytes")
		if !n.OK {
			n = number64(t, tile+"/memory/physical_vram_size_bytes")
		}
		add(&total, n)
	}
	r.SMClockMHz, r.MaxSMClockMHz = scaled(t, "tile0/gt0/freq0/act_freq", 1), scaled(t, "tile0/gt0/freq0/rp0_freq", 1)
	for _, card := range t.list("drm", "card").V {
		if strings.Contains(card, "-") {
			continue // a connector
		}
		if !total.OK {
			total = number64(t, "drm/"+card+"/lmem_total_bytes")
		}
		if !r.SMClockMHz.OK {
			r.SMClockMHz, r.MaxSMClockMHz = scaled(t, "drm/"+card+"/gt_act_freq_mhz", 1), scaled(t, "drm/"+card+"/gt_RP0_freq_mhz", 1)
		}
	}
	readIntelSensors(t, r)
	return total
}

// readIntelSensors reads energy in microjoules and power limits in microwatts; a limit of 0 is one that is switched off.
func readIntelSensors(t tree, r *Reading) {
	names := t.list("hwmon", "hwmon")
	if !names.OK || len(names.V) == 0 {
		r.EnergyMillijoules, r.PowerLimitMilliwatts = None[uint64](WhyNotSupported), None[uint32](WhyNotSupported)
		return
	}
	t.dir = t.path("hwmon/" + names.V[0])
	if r.EnergyMillijoules = number64(t, "energy1_input"); r.EnergyMillijoules.OK {
		r.EnergyMillijoules.V /= 1000
	}
	r.PowerLimitMilliwatts = nonzero(scaled(t, "power1_max", 1000))
	r.PowerDefaultLimitMilliwatts = nonzero(scaled(t, "power1_rated_max", 1000))
	r.TempCelsius = celsius(t, "temp2_input") // temp1 is not used by either driver, temp2 is the package, temp3 the memory
	r.MemoryTempCelsius = celsius(t, "temp3_input")
}

func nonzero(o Opt[uint32]) Opt[uint32] {
	if o.OK && o.V == 0 {
		return None[uint32](WhyNotSupported)
	}
	return o
}
