package gpu

import (
	"slices"
	"strconv"
	"strings"
)

// checkDriver says what the host runs on, and judges the versions of NVIDIA's driver and libraries.
func (k *checker) checkDriver() {
	if h, ok := k.inv.Hypervisor.Get(); ok && h != "none" {
		k.add(ruleVirtualised, "the host runs on %q", h)
	}
	if !slices.ContainsFunc(k.inv.Devices, func(d Device) bool { return d.Vendor == NVIDIA }) {
		return
	}
	driver := k.inv.Driver
	branch, ok := driverBranch(driver)
	if !ok {
		return
	}
	// In the Windows subsystem the driver is that of Windows, below Linux libraries.
	if k.inv.Hypervisor.V != WSL {
		if system, only := soleSystem(driver, branch); only && k.inv.Platform != "" && !strings.HasPrefix(k.inv.Platform, system+"/") {
			k.add(ruleDriverPlatform, "driver %q exists on %s only, the platform is %q", driver, system, k.inv.Platform)
		}
		// The library says "12.550.54.15": the CUDA major version and its own.
		if lib, has := k.inv.NVML.Get(); has && lib != driver && !strings.HasSuffix(lib, "."+driver) {
			k.add(ruleDriverBranch, "driver %q, management library %q", driver, lib)
		}
	}
	if most := cudaOf(branch); k.inv.CUDADriver.OK && most != 0 {
		if v, isVersion := cudaVersion(k.inv.CUDADriver.V); !isVersion || v > most {
			k.add(ruleCUDADriver, "driver %q with CUDA %q, the branch brings %d.%d", driver, k.inv.CUDADriver.V, most/10, most%10)
		}
	}
}

// WSL is the Inventory.Hypervisor of the Windows Subsystem for Linux, which has neither the PCI tree nor the proc files of the
// driver.
const WSL = "wsl"

// KnownLibraries are the SHA-256 digests, in lower-case hexadecimal, that a management library of a driver version is known
// to have: one for each way it is packaged.
type KnownLibraries map[string][]string

// CheckLibrary compares the digest of the management library with those known of the driver's version. A digest that the
// inventory lacks and a version that is not known give nothing.
func CheckLibrary(inv Inventory, known KnownLibraries) []Finding {
	digest, ok := inv.LibrarySHA.Get()
	if list := known[inv.Driver]; ok && len(list) > 0 && !slices.Contains(list, digest) {
		k := &checker{device: Host}
		k.add(ruleLibraryDigest, "the library of driver %q has SHA-256 %q, known are %q", inv.Driver, digest, list)
		return k.out
	}
	return nil
}

// driverBranch reads the first number of a version such as "550.54.15".
func driverBranch(version string) (uint32, bool) {
	parts := strings.Split(version, ".")
	isText := func(s string) bool { return !digits(s) }
	if len(parts) < 2 || len(parts) > 3 || slices.ContainsFunc(parts, isText) {
		return 0, false
	}
	v, err := strconv.ParseUint(parts[0], 10, 16)
	return uint32(v), err == nil
}

// soleSystem names the only system that has a driver of that version. From branch 510 to 590 Linux drivers have three numbers
// and Windows drivers two (NVIDIA's archives of both); 525.53 was a Linux beta. Elsewhere both forms occur on Linux.
func soleSystem(version string, branch uint32) (system string, only bool) {
	switch {
	case strings.Count(version, ".") == 2 && branch >= 400:
		return "linux", true
	case strings.Count(version, ".") == 1 && branch >= 510 && branch < 595 && version != "525.53":
		return "windows", true
	}
	return "", false
}

// firstBranch is the driver branch of the first CUDA toolkit for a compute capability (CUDA release notes, table of toolkits
// and drivers); 0: not known.
func firstBranch(cc string) uint32 {
	switch cc {
	case "6.0", "6.1":
		return 367
	case "7.0":
		return 384
	case "7.5":
		return 410
	case "8.0":
		return 450
	case "8.6":
		return 455
	case "8.9", "9.0":
		return 520
	case "10.0", "12.0":
		return 570
	case "10.3", "12.1":
		return 575
	}
	return 0
}

// newestBranch is the last driver branch that the tables here know of.
const newestBranch = 599

// cudaOf is ten times the CUDA version that a driver branch brings (CUDA release notes; 590 and 595 from nvidia-smi outputs):
// that of the newest branch in the table not above it. 0: the branch is outside the table.
func cudaOf(branch uint32) uint32 {
	table := [...][2]uint32{
		{410, 100},
		{418, 101},
		{440, 102},
		{450, 110},
		{455, 111},
		{460, 112},
		{465, 113},
		{470, 114},
		{495, 115},
		{510, 116},
		{515, 117},
		{520, 118},
		{525, 120},
		{530, 121},
		{535, 122},
		{545, 123},
		{550, 124},
		{555, 125},
		{560, 126},
		{565, 127},
		{570, 128},
		{575, 129},
		{580, 130},
		{590, 131},
		{595, 132},
	}
	if branch > newestBranch {
		return 0
	}
	var out uint32
	for _, row := range table {
		if branch >= row[0] {
			out = row[1]
		}
	}
	return out
}

// cudaVersion reads "12.4" as 124.
func cudaVersion(s string) (uint32, bool) {
	major, minor, _ := strings.Cut(s, ".")
	if !digits(major) || len(minor) != 1 || !digits(minor) {
		return 0, false
	}
	v, err := strconv.ParseUint(major+minor, 10, 16)
	return uint32(v), err == nil
}
