package gpu

import (
	"encoding/hex"
	"fmt"
	"time"
)

// Heartbeat is what an agent says between two inventories: that the host is up, that the hardware is the same, and how each
// device does. It is small, so that it can be sent every half minute.
type Heartbeat struct {
	Taken  time.Time `json:"taken"`
	BootID string    `json:"boot_id"` // as in the last inventory
	Digest string    `json:"digest"`  // Inventory.Digest of the last inventory, 64 hexadecimal digits
	Pulses []Pulse   `json:"devices"` // 1 to MaxDevices
}

// Pulse is how one device does.
type Pulse struct {
	ID              DeviceID    `json:"id"`
	Health          Health      `json:"health"`
	GPUUtilPercent  Opt[uint32] `json:"gpu_util_percent,omitzero"`
	UsedMiB         Opt[uint64] `json:"used_mib,omitzero"`
	PowerMilliwatts Opt[uint32] `json:"power_mw,omitzero"`
	TempCelsius     Opt[int32]  `json:"temp_c,omitzero"`
	LastXid         Opt[uint32] `json:"last_xid,omitzero"`
}

// Heartbeat returns the heartbeat that goes with an inventory; health says how each device does, and a device that it does
// not answer for is Healthy.
func (inv Inventory) Heartbeat(health func(DeviceID) Health) Heartbeat {
	sum := inv.Digest()
	h := Heartbeat{Taken: inv.Taken, BootID: inv.BootID, Digest: hex.EncodeToString(sum[:])}
	for _, d := range inv.Devices {
		p := Pulse{ID: d.ID}
		if health != nil {
			p.Health = health(d.ID)
		}
		if r := d.Reading; r != nil {
			p.GPUUtilPercent, p.PowerMilliwatts, p.TempCelsius = r.GPUUtilPercent, r.PowerMilliwatts, r.TempCelsius
			p.UsedMiB = Opt[uint64]{V: r.Memory.V.Used >> 20, OK: r.Memory.OK, Why: r.Memory.Why}
		}
		h.Pulses = append(h.Pulses, p)
	}
	return h
}

// ParseHeartbeat decodes the JSON form of a heartbeat and checks its structure. It never panics; keys that it does not know
// are skipped, those that ParseInventory refuses are refused. Errors wrap ErrInvalid.
func ParseHeartbeat(b []byte) (Heartbeat, error) {
	var h Heartbeat
	if err := decodeOnce(b, &h); err != nil {
		return Heartbeat{}, fmt.Errorf("%w: heartbeat: %s", ErrInvalid, err.Error())
	}
	if err := h.Validate(); err != nil {
		return Heartbeat{}, err
	}
	return h, nil
}

// Validate reports the first structural fault of a heartbeat.
func (h Heartbeat) Validate() error {
	if y := h.Taken.UTC().Year(); y < 2000 || y > 9999 {
		return fmt.Errorf("%w: taken %v is not in the years 2000 to 9999", ErrInvalid, h.Taken)
	}
	if err := checkText("boot_id", h.BootID, true); err != nil {
		return err
	}
	if b, err := hex.DecodeString(h.Digest); err != nil || len(b) != 32 {
		return fmt.Errorf("%w: digest %.70q is not 64 hexadecimal digits", ErrInvalid, h.Digest)
	}
	if n := len(h.Pulses); n == 0 || n > MaxDevices {
		return fmt.Errorf("%w: %d devices are not in 1..%d", ErrInvalid, n, MaxDevices)
	}
	for i, p := range h.Pulses {
		if err := checkText("id", string(p.ID), true); err != nil {
			return fmt.Errorf("device %d: %w", i, err)
		}
		err := checkTexts(optField("gpu_util_percent", p.GPUUtilPercent), optField("used_mib", p.UsedMiB),
			optField("power_mw", p.PowerMilliwatts), optField("temp_c", p.TempCelsius), optField("last_xid", p.LastXid))
		if err != nil {
			return fmt.Errorf("device %d: %w", i, err)
		}
		for _, o := range h.Pulses[:i] {
			if o.ID == p.ID {
				return fmt.Errorf("%w: device %d: %q is there twice", ErrInvalid, i, string(p.ID))
			}
		}
	}
	return nil
}
