package gpu

import (
	"fmt"
	"time"
)

// HealthParams are the thresholds of a Monitor.
type HealthParams struct {
	// Version names this set of numbers. Whoever changes a number changes the version.
	Version string `json:"version"`

	// AppFaults within AppWindow, by at least AppProcesses different processes, make a device Degraded: 3, 1 to 16. Source: ours.
	// NVIDIA's catalogue gives application Xids RESTART_APP and never retires a device; several programs failing in turn is a hint.
	AppFaults uint32 `json:"app_faults"`
	// AppProcesses is how many different processes must have failed: 2, 1 to 16. Source: ours; one program's loop proves nothing.
	AppProcesses uint32 `json:"app_processes"`
	// AppWindow is the time that AppFaults are counted in, in nanoseconds: 10 minutes. Source: ours.
	AppWindow time.Duration `json:"app_window_ns"`
	// AppQuiet is how long no program may fail before the device is healthy again, in nanoseconds: 30 minutes. Source: ours.
	AppQuiet time.Duration `json:"app_quiet_ns"`
	// DriverQuiet is the same for errors of the driver that have no known remedy, and of power, in nanoseconds: 1 hour. Source: ours.
	DriverQuiet time.Duration `json:"driver_quiet_ns"`
	// CorrectedQuiet is the same for corrected memory errors, in nanoseconds: 24 hours. Source: ours.
	CorrectedQuiet time.Duration `json:"corrected_quiet_ns"`
	// CorrectedRows is how many memory rows may have been replaced for correctable errors before more are a sign of wear: 128 rows, a
	// quarter of the 512 that an A100 can replace. Source: the 512 is of NVIDIA's GPU memory error management guide; the quarter ours.
	CorrectedRows uint32 `json:"corrected_rows"`
	// ReplaysPerMinute is how many PCIe replays a minute are tolerated: 100, 1 to 10^6. Source: ours.
	ReplaysPerMinute uint32 `json:"replays_per_minute"`
	// ReplayQuiet is how long the rate must stay within it, in nanoseconds: 1 hour. Source: ours.
	ReplayQuiet time.Duration `json:"replay_quiet_ns"`

	// HotFor is how long a device must be at or over its slowdown temperature, in nanoseconds: 1 minute. Source: ours; the threshold
	// itself is the driver's (NVML_TEMPERATURE_THRESHOLD_SLOWDOWN).
	HotFor time.Duration `json:"hot_for_ns"`
	// CoolFor is how long it must be cool again, without a hardware reason for lower clocks, in nanoseconds: 5 minutes. Source: ours.
	CoolFor time.Duration `json:"cool_for_ns"`
	// CoolCelsius is how far below the slowdown temperature cool is: 5 degrees, 0 to 50. Source: ours.
	CoolCelsius int32 `json:"cool_c"`
	// PCIeSteady is how long PCIe must run at its maximum, in nanoseconds: 10 minutes. Source: ours.
	PCIeSteady time.Duration `json:"pcie_steady_ns"`
	// NVLinkSteady is how long all links must be up with still error counts, in nanoseconds: 1 hour. Source: ours.
	NVLinkSteady time.Duration `json:"nvlink_steady_ns"`

	// MemoryRepeats uncorrectable memory errors within RepeatWindow, each after the reset that the last one asked for, leave the device to
	// an operator: 3, 1 to 16. Source: ours; NVIDIA replaces boards by their own diagnostic and not by a count of Xid 48.
	MemoryRepeats uint32 `json:"memory_repeats"`
	// TestRepeats wrong results within RepeatWindow leave the device to an operator: 2, 1 to 16. Source: ours; a device that computes
	// wrongly without an error of its own (silent data corruption) is rare enough not to be chance twice.
	TestRepeats uint32 `json:"test_repeats"`
	// RepeatWindow is in nanoseconds: 30 days. Source: ours.
	RepeatWindow time.Duration `json:"repeat_window_ns"`
	// TestPasses is how many self-tests in a row must pass after a wrong result: 2, 1 to 16. Source: ours.
	TestPasses uint32 `json:"test_passes"`

	// ForgetAfter is how long a device may be in no probe before it is forgotten, in nanoseconds: 30 days. Source: ours.
	ForgetAfter time.Duration `json:"forget_after_ns"`
}

// DefaultHealth returns the thresholds that the package's authors propose: no network publishes its own.
func DefaultHealth() HealthParams {
	return HealthParams{
		Version: "idlegrid-health/1", AppFaults: 3, AppProcesses: 2, AppWindow: 10 * time.Minute, AppQuiet: 30 * time.Minute,
		DriverQuiet: time.Hour, CorrectedQuiet: 24 * time.Hour, CorrectedRows: 128, ReplaysPerMinute: 100, ReplayQuiet: time.Hour,
		HotFor: time.Minute, CoolFor: 5 * time.Minute, CoolCelsius: 5, PCIeSteady: 10 * time.Minute, NVLinkSteady: time.Hour,
		MemoryRepeats: 3, TestRepeats: 2, RepeatWindow: 30 * 24 * time.Hour, TestPasses: 2, ForgetAfter: 30 * 24 * time.Hour,
	}
}

const (
	maxRepeats = 16                        // of the counts above: what is kept per device stays small
	maxReplays = 1_000_000                 // a minute
	maxWait    = 10 * 365 * 24 * time.Hour // far from the end of a time.Duration
)

// Validate reports the first parameter that is out of range: the ranges of the fields, and 1 ns to 10 years for times.
func (p HealthParams) Validate() error {
	if err := checkText("version", p.Version, true); err != nil {
		return err
	}
	for _, n := range p.counts() {
		if n.value < 1 || n.value > n.most {
			return fmt.Errorf("%w: %s %d is not in 1..%d", ErrInvalid, n.name, n.value, n.most)
		}
	}
	for _, d := range p.times() {
		if d.value < 1 || d.value > maxWait {
			return fmt.Errorf("%w: %s %v is not in 1ns..%v", ErrInvalid, d.name, d.value, maxWait)
		}
	}
	if p.CoolCelsius < 0 || p.CoolCelsius > 50 {
		return fmt.Errorf("%w: cool_c %d is not in 0..50", ErrInvalid, p.CoolCelsius)
	}
	return nil
}

// count is a parameter that counts.
type count struct {
	name        string
	value, most uint32
}

func (p *HealthParams) counts() []count {
	return []count{
		{"app_faults", p.AppFaults, maxRepeats},
		{"app_processes", p.AppProcesses, maxRepeats},
		{"replays_per_minute", p.ReplaysPerMinute, maxReplays},
		{"memory_repeats", p.MemoryRepeats, maxRepeats},
		{"test_repeats", p.TestRepeats, maxRepeats},
		{"test_passes", p.TestPasses, maxRepeats},
	}
}

// lapse is a parameter that is a time.
type lapse struct {
	name  string
	value time.Duration
}

func (p *HealthParams) times() []lapse {
	return []lapse{
		{"app_window_ns", p.AppWindow},
		{"app_quiet_ns", p.AppQuiet},
		{"driver_quiet_ns", p.DriverQuiet},
		{"corrected_quiet_ns", p.CorrectedQuiet},
		{"replay_quiet_ns", p.ReplayQuiet},
		{"hot_for_ns", p.HotFor},
		{"cool_for_ns", p.CoolFor},
		{"pcie_steady_ns", p.PCIeSteady},
		{"nvlink_steady_ns", p.NVLinkSteady},
		{"repeat_window_ns", p.RepeatWindow},
		{"forget_after_ns", p.ForgetAfter},
	}
}
