package gputest

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
)

// idleMiB is the memory in use on an idle device.
const idleMiB = 4

// noiseSeconds is the period of the noise on the power.
const noiseSeconds = 64

// telemetry is what changes on one device with time. Power is constant within a second of the driver's uptime, so that the
// energy, its integral, is a sum of whole millijoules in closed form, for any time.
type telemetry struct {
	board Board
	load  []Phase
	noise [noiseSeconds]int64 // milliwatts; the second half takes back the first, so a period sums to 0
	key   [32]byte
}

func newTelemetry(p Profile, device int) *telemetry {
	t := &telemetry{board: p.Board, load: p.Load, key: p.key("telemetry", device)}
	amplitude := int64(p.Board.IdleMilliwatts / 25)
	for s := range int64(noiseSeconds / 2) {
		v := int64(t.hash(uint64(s))%uint64(2*amplitude+1)) - amplitude
		t.noise[s], t.noise[s+noiseSeconds/2] = v, -v
	}
	return t
}

// key derives 32 bytes of the seed for one purpose.
func (p Profile) key(purpose string, device int) [32]byte {
	b := binary.BigEndian.AppendUint64([]byte("idlegrid/gputest/"+purpose+"/"), p.Seed)
	return sha256.Sum256(append(b, byte(device)))
}

func (t *telemetry) hash(n uint64) uint64 {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(t.key[:], n))
	return binary.BigEndian.Uint64(sum[:])
}

// busy is the load in permille in a second of the uptime. Before it there is none.
func (t *telemetry) busy(second int64) uint32 {
	period := t.period()
	if period == 0 || second < 0 {
		return 0
	}
	second %= period
	for _, ph := range t.load {
		if second < int64(ph.Seconds) {
			return ph.Permille
		}
		second -= int64(ph.Seconds)
	}
	return 0
}

func (t *telemetry) period() (seconds int64) {
	for _, ph := range t.load {
		seconds += int64(ph.Seconds)
	}
	return seconds
}

// base is the mean power at a load: from idle to 97 % of the limit, which leaves room for the noise.
func (t *telemetry) base(permille uint32) int64 {
	idle, full := int64(t.board.IdleMilliwatts), int64(t.board.LimitMilliwatts)*97/100
	return idle + max(full-idle, 0)*int64(permille)/1000
}

// power is that of a second, in milliwatts.
func (t *telemetry) power(second int64) int64 {
	if second < 0 {
		return t.base(0)
	}
	return t.base(t.busy(second)) + t.noise[second%noiseSeconds]
}

// energy is what was used since the driver was loaded, in millijoules; negative before that, by the power of an idle device.
func (t *telemetry) energy(up time.Duration) int64 {
	if up < 0 {
		return t.base(0) * int64(up/time.Millisecond) / 1000
	}
	seconds := int64(up / time.Second)
	sum := t.power(seconds) * int64(up%time.Second/time.Microsecond) / 1_000_000
	for s := range seconds % noiseSeconds {
		sum += t.noise[s]
	}
	period := t.period()
	if period == 0 {
		return sum + t.base(0)*seconds
	}
	rest := seconds % period
	for _, ph := range t.load {
		in := min(rest, int64(ph.Seconds))
		sum += t.base(ph.Permille) * (seconds/period*int64(ph.Seconds) + in)
		rest -= in
	}
	return sum
}

// temperature follows the mean power of the last minute: 26 degrees without any, 12 below the slowdown at the limit.
func (t *telemetry) temperature(up time.Duration) int32 {
	const ambient = 26
	mean := (t.energy(up) - t.energy(up-time.Minute)) / 60
	return ambient + int32(mean*int64(t.board.SlowdownCelsius-12-ambient)/int64(t.board.LimitMilliwatts))
}

// fill sets what changes: power, energy, temperatures, clocks, utilisation, memory in use and processes.
func (t *telemetry) fill(r *gpu.Reading, up time.Duration, device int) {
	second := int64(up / time.Second)
	load, b := t.busy(second), t.board
	r.PowerMilliwatts = gpu.Some(uint32(t.power(second)))
	r.EnergyMillijoules = gpu.Some(uint64(max(t.energy(up), 0)))
	temp := t.temperature(up)
	r.TempCelsius = gpu.Some(temp)
	r.MemoryTempCelsius = gpu.None[int32](gpu.WhyNotSupported)
	if b.MemoryTemp {
		r.MemoryTempCelsius = gpu.Some(temp + 6)
	}
	r.FanPercent = gpu.None[uint32](gpu.WhyNotSupported)
	if b.Desktop {
		r.FanPercent = gpu.Some(uint32(max(30, temp)))
	}
	t.fillClocks(r, load, second)

	flicker := uint32(t.hash(uint64(second)) % 3)
	r.GPUUtilPercent, r.MemUtilPercent = gpu.Some(uint32(0)), gpu.Some(uint32(0))
	total, used := b.MemoryMiB<<20, uint64(idleMiB<<20)
	processes := []gpu.Process{}
	if load > 0 {
		r.GPUUtilPercent = gpu.Some(min(load/10+flicker, 100))
		r.MemUtilPercent = gpu.Some(min(load/20+flicker, 100))
		used = (b.MemoryMiB - b.ReservedMiB) * 7 / 10 << 20
		processes = []gpu.Process{{PID: uint32(4000 + 17*device), Kind: "compute", MemoryBytes: gpu.Some(used - idleMiB<<20)}}
	}
	r.Memory = gpu.Some(gpu.MemoryUse{
		Total: total, Used: used, Reserved: b.ReservedMiB << 20, Free: total - used - b.ReservedMiB<<20,
	})
	r.Processes = gpu.Some(processes)
	if len(r.MIG.V.Instances) > 0 { // a divided device does not say
		r.GPUUtilPercent, r.MemUtilPercent = gpu.None[uint32](gpu.WhyNotSupported), gpu.None[uint32](gpu.WhyNotSupported)
	}
}

func (t *telemetry) fillClocks(r *gpu.Reading, load uint32, second int64) {
	b := t.board
	sm, mem, pstate, gen := b.MaxSMMHz, b.MaxMemMHz, uint32(0), b.PCIeGen
	why := gpu.Throttle(0)
	switch {
	case load == 0:
		sm, mem, why = b.IdleSMMHz, b.IdleMemMHz, gpu.ThrottleIdle
		if b.Desktop {
			pstate, gen = 8, 1
		}
	case load >= 900: // near the power limit the clocks give way, in steps of 15 MHz
		sm, why = b.MaxSMMHz*85/100/15*15+15*uint32(t.hash(uint64(second))%4), gpu.ThrottleSWPowerCap
	}
	r.SMClockMHz, r.MemClockMHz, r.PState = gpu.Some(sm), gpu.Some(mem), gpu.Some(pstate)
	r.Throttle, r.PCIeGen = gpu.Some(why), gpu.Some(gen)
	if b.Vendor != gpu.NVIDIA {
		r.PState = gpu.None[uint32](gpu.WhyNotSupported)
		r.Throttle = gpu.None[gpu.Throttle](gpu.WhyNotSupported)
	}
}
