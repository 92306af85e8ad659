package nvml

import (
	"fmt"

	"github.com/idlegrid/idlegrid/gpu"
)

// field is one value of a Reading, or several that one question answers.
type field struct {
	// ask asks; what it returns stores the answer, whenever the owner of the Reading finds it convenient.
	ask func(r *reader) func(*gpu.Reading)
	// none stores that there is no answer, and why.
	none func(into *gpu.Reading, why string)
}

// at names a place in a Reading.
type at[T any] = func(*gpu.Reading) *gpu.Opt[T]

// value is a field with one place.
func value[T any](place at[T], ask func(*reader) gpu.Opt[T]) field {
	return field{
		ask: func(r *reader) func(*gpu.Reading) {
			v := ask(r)
			return func(into *gpu.Reading) { *place(into) = v }
		},
		none: func(into *gpu.Reading, why string) { *place(into) = gpu.None[T](why) },
	}
}

// number is a field that is the i-th number of an answer.
func number[T ~uint32 | ~uint64 | ~int32](place at[T], i int, c call, selectors ...uint32) field {
	a, b := two(selectors)
	return value(place, func(r *reader) gpu.Opt[T] {
		v, why := r.ask(c, a, b)
		if why != "" {
			return gpu.None[T](why)
		}
		return gpu.Some(T(v[i]))
	})
}

// truth is a field that is a switch.
func truth(place at[bool], c call) field {
	return value(place, func(r *reader) gpu.Opt[bool] {
		v, why := r.ask(c, 0, 0)
		if why != "" {
			return gpu.None[bool](why)
		}
		return gpu.Some(v[0] != 0)
	})
}

// word is a field whose number stands for a word; a number without one is unreadable.
func word(place at[string], c call, words ...string) field {
	return value(place, func(r *reader) gpu.Opt[string] {
		v, why := r.ask(c, 0, 0)
		switch {
		case why != "":
			return gpu.None[string](why)
		case v[0] >= uint64(len(words)) || words[v[0]] == "":
			return gpu.None[string](gpu.WhyUnreadable)
		}
		return gpu.Some(words[v[0]])
	})
}

func two(selectors []uint32) (a, b uint32) {
	if len(selectors) > 0 {
		a = selectors[0]
	}
	if len(selectors) > 1 {
		b = selectors[1]
	}
	return a, b
}

// fields lists all of a Reading but Memory and Subsystem, which come with the identity. What matters most comes first: a
// device that hangs in the middle has told it by then.
func fields() []field {
	var all []field
	for _, part := range [][]field{stateFields(), errorFields(), partFields(), linkFields(), useFields()} {
		all = append(all, part...)
	}
	return all
}

func partFields() []field {
	type R = gpu.Reading
	return []field{
		word(func(r *R) *gpu.Opt[string] { return &r.Architecture }, callArchitecture,
			"", "", "Kepler", "Maxwell", "Pascal", "Volta", "Turing", "Ampere", "Ada", "Hopper", "Blackwell", "", "", "Rubin"),
		value(func(r *R) *gpu.Opt[string] { return &r.BoardPart }, func(r *reader) gpu.Opt[string] { return r.text(callBoard) }),
		cores(),
		number(func(r *R) *gpu.Opt[uint32] { return &r.BusWidthBits }, 0, callBusWidth),
		word(func(r *R) *gpu.Opt[string] { return &r.Virtualization }, callVirtualization,
			"none", "passthrough", "vgpu", "host-vgpu", "host-vsga"),
		value(func(r *R) *gpu.Opt[gpu.MemoryUse] { return &r.BAR1 }, func(r *reader) gpu.Opt[gpu.MemoryUse] {
			v, why := r.ask(callBAR1, 0, 0)
			if why != "" {
				return gpu.None[gpu.MemoryUse](why)
			}
			return gpu.Some(gpu.MemoryUse{Total: v[0], Free: v[1], Used: v[2]})
		}),
	}
}

// cores reads the compute capability and the number of FP32 lanes. The library has no question for the multiprocessors of
// an undivided device; it computes the lanes from them, so the division gives them back.
func cores() field {
	return field{
		ask: func(r *reader) func(*gpu.Reading) {
			var cc gpu.Opt[string]
			capability, why := r.ask(callCapability, 0, 0)
			if cc.Why = why; why == "" {
				cc = gpu.Some(fmt.Sprintf("%d.%d", capability[0], capability[1]))
			}
			lanes, whyLanes := r.ask(callCores, 0, 0)
			n, sms := gpu.None[uint32](whyLanes), gpu.None[uint32](whyLanes)
			if whyLanes == "" {
				n = gpu.Some(uint32(lanes[0]))
				sms.Why = why
			}
			if why == "" && whyLanes == "" {
				sms.Why = gpu.WhyNotSupported
				if per := lanesPerSM(capability[0], capability[1]); per > 0 && lanes[0] > 0 && lanes[0]%per == 0 {
					sms = gpu.Some(uint32(lanes[0] / per))
				}
			}
			return func(into *gpu.Reading) { into.ComputeCapability, into.Cores, into.SMs = cc, n, sms }
		},
		none: func(into *gpu.Reading, why string) {
			into.ComputeCapability, into.Cores, into.SMs = gpu.None[string](why), gpu.None[uint32](why), gpu.None[uint32](why)
		},
	}
}

// lanesPerSM is the number of FP32 lanes of a multiprocessor by compute capability (CUDA C++ programming guide, "arithmetic
// instructions", and the architecture white papers); 0 is unknown.
func lanesPerSM(major, minor uint64) uint64 {
	switch {
	case major == 3:
		return 192
	case major == 5:
		return 128
	case major == 6 && minor == 0:
		return 64
	case major == 6:
		return 128
	case major == 7:
		return 64
	case major == 8 && minor == 0:
		return 64
	case major >= 8 && major <= 12:
		return 128
	}
	return 0
}

func stateFields() []field {
	type R = gpu.Reading
	return []field{
		number(func(r *R) *gpu.Opt[int32] { return &r.TempCelsius }, 0, callTemperature, 0),
		power(),
		utilization(),
		number(func(r *R) *gpu.Opt[uint32] { return &r.SMClockMHz }, 0, callClock, clockSM),
		number(func(r *R) *gpu.Opt[uint32] { return &r.MemClockMHz }, 0, callClock, clockMemory),
		number(func(r *R) *gpu.Opt[uint32] { return &r.PState }, 0, callPState),
		value(func(r *R) *gpu.Opt[gpu.Throttle] { return &r.Throttle }, func(r *reader) gpu.Opt[gpu.Throttle] {
			v, why := r.ask(callEventReasons, 0, 0)
			if why == gpu.WhySymbolAbsent {
				v, why = r.ask(callThrottleReasons, 0, 0)
			}
			if why != "" {
				return gpu.None[gpu.Throttle](why)
			}
			return gpu.Some(gpu.Throttle(v[0]))
		}),
		number(func(r *R) *gpu.Opt[uint64] { return &r.EnergyMillijoules }, 0, callEnergy),
		value(func(r *R) *gpu.Opt[int32] { return &r.MemoryTempCelsius }, func(r *reader) gpu.Opt[int32] {
			v, why := r.ask(callField, fieldMemoryTemp, 0)
			if why != "" {
				return gpu.None[int32](why)
			}
			return gpu.Some(int32(v[0]))
		}),
		number(func(r *R) *gpu.Opt[uint32] { return &r.FanPercent }, 0, callFan),
		number(func(r *R) *gpu.Opt[uint32] { return &r.EncoderUtilPercent }, 0, callEncoder),
		number(func(r *R) *gpu.Opt[uint32] { return &r.DecoderUtilPercent }, 0, callDecoder),
		number(func(r *R) *gpu.Opt[uint32] { return &r.MaxSMClockMHz }, 0, callMaxClock, clockSM),
		number(func(r *R) *gpu.Opt[uint32] { return &r.MaxMemClockMHz }, 0, callMaxClock, clockMemory),
		number(func(r *R) *gpu.Opt[uint32] { return &r.PowerLimitMilliwatts }, 0, callPowerLimit),
		number(func(r *R) *gpu.Opt[uint32] { return &r.PowerDefaultLimitMilliwatts }, 0, callPowerDefault),
		number(func(r *R) *gpu.Opt[uint32] { return &r.PowerMaxLimitMilliwatts }, 1, callPowerLimits),
		number(func(r *R) *gpu.Opt[int32] { return &r.SlowdownCelsius }, 0, callThreshold, thresholdSlow),
		number(func(r *R) *gpu.Opt[int32] { return &r.ShutdownCelsius }, 0, callThreshold, thresholdShutdown),
	}
}

// power is what nvidia-smi shows: an average over a second on Ampere (but GA100) and later. Where that is not supported, the
// instant's value stands in (nvml.h, NVML_FI_DEV_POWER_AVERAGE and _INSTANT).
func power() field {
	return value(func(r *gpu.Reading) *gpu.Opt[uint32] { return &r.PowerMilliwatts }, func(r *reader) gpu.Opt[uint32] {
		v, why := r.ask(callPower, 0, 0)
		if why == gpu.WhyNotSupported || why == gpu.WhySymbolAbsent {
			if instant, whyNot := r.ask(callField, fieldPower, 0); whyNot == "" {
				v, why = instant, ""
			}
		}
		if why != "" {
			return gpu.None[uint32](why)
		}
		return gpu.Some(uint32(v[0]))
	})
}

func utilization() field {
	return field{
		ask: func(r *reader) func(*gpu.Reading) {
			v, why := r.ask(callUtilization, 0, 0)
			if why != "" {
				return func(into *gpu.Reading) {
					into.GPUUtilPercent, into.MemUtilPercent = gpu.None[uint32](why), gpu.None[uint32](why)
				}
			}
			return func(into *gpu.Reading) {
				into.GPUUtilPercent, into.MemUtilPercent = gpu.Some(uint32(v[0])), gpu.Some(uint32(v[1]))
			}
		},
		none: func(into *gpu.Reading, why string) {
			into.GPUUtilPercent, into.MemUtilPercent = gpu.None[uint32](why), gpu.None[uint32](why)
		},
	}
}

func errorFields() []field {
	type R = gpu.Reading
	return []field{
		truth(func(r *R) *gpu.Opt[bool] { return &r.ECCEnabled }, callECCMode),
		number(func(r *R) *gpu.Opt[uint64] { return &r.CorrectedVolatile }, 0, callECC, eccCorrected, eccVolatile),
		number(func(r *R) *gpu.Opt[uint64] { return &r.UncorrectedVolatile }, 0, callECC, eccUncorrected, eccVolatile),
		number(func(r *R) *gpu.Opt[uint64] { return &r.CorrectedAggregate }, 0, callECC, eccCorrected, eccAggregate),
		number(func(r *R) *gpu.Opt[uint64] { return &r.UncorrectedAggregate }, 0, callECC, eccUncorrected, eccAggregate),
		value(func(r *R) *gpu.Opt[gpu.RowRemap] { return &r.Rows }, func(r *reader) gpu.Opt[gpu.RowRemap] {
			v, why := r.ask(callRows, 0, 0)
			if why != "" {
				return gpu.None[gpu.RowRemap](why)
			}
			return gpu.Some(gpu.RowRemap{
				Correctable: uint32(v[0]), Uncorrectable: uint32(v[1]), Pending: v[2] != 0, Failed: v[3] != 0,
			})
		}),
		value(func(r *R) *gpu.Opt[uint32] { return &r.RetiredPages }, func(r *reader) gpu.Opt[uint32] {
			var sum uint32
			for cause := range uint32(2) { // many corrected errors in one page, and one that could not be corrected
				v, why := r.ask(callRetired, cause, 0)
				if why != "" {
					return gpu.None[uint32](why)
				}
				sum += uint32(v[0])
			}
			return gpu.Some(sum)
		}),
		truth(func(r *R) *gpu.Opt[bool] { return &r.RetirementPending }, callRetiredPending),
	}
}

func linkFields() []field {
	type R = gpu.Reading
	return []field{
		number(func(r *R) *gpu.Opt[uint32] { return &r.PCIeGen }, 0, callPCIeGen),
		number(func(r *R) *gpu.Opt[uint32] { return &r.PCIeMaxGen }, 0, callPCIeMaxGen),
		number(func(r *R) *gpu.Opt[uint32] { return &r.PCIeWidth }, 0, callPCIeWidth),
		number(func(r *R) *gpu.Opt[uint32] { return &r.PCIeMaxWidth }, 0, callPCIeMaxWidth),
		number(func(r *R) *gpu.Opt[uint64] { return &r.PCIeReplays }, 0, callPCIeReplays),
		value(func(r *R) *gpu.Opt[[]gpu.NVLink] { return &r.NVLinks }, (*reader).nvlinks),
		value(func(r *R) *gpu.Opt[gpu.Fabric] { return &r.Fabric }, (*reader).fabric),
	}
}

func useFields() []field {
	type R = gpu.Reading
	return []field{
		value(func(r *R) *gpu.Opt[gpu.MIG] { return &r.MIG }, (*reader).mig),
		value(func(r *R) *gpu.Opt[[]gpu.Process] { return &r.Processes }, (*reader).processes),
		word(func(r *R) *gpu.Opt[string] { return &r.ComputeMode }, callComputeMode,
			"default", "exclusive-thread", "prohibited", "exclusive-process"),
		truth(func(r *R) *gpu.Opt[bool] { return &r.PersistenceMode }, callPersistence),
		truth(func(r *R) *gpu.Opt[bool] { return &r.DisplayActive }, callDisplay),
	}
}
