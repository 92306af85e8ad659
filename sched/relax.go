package sched

import "time"

func maxAhead(p *Policy) time.Duration { return time.Duration(p.MaxAheadSeconds) * time.Second }

// loosest is the value of a field that limits nothing.
func (f Field) loosest() uint64 {
	switch f {
	case FieldSites:
		return 255
	case FieldDelay, FieldMbps, FieldStanding, FieldConnectivity, FieldTier, FieldAssurance, FieldPrice, FieldReplicas:
	}
	return 0
}

func (r *Request) get(field Field) uint64 {
	switch field {
	case FieldSites:
		return uint64(r.sites())
	case FieldDelay:
		return uint64(r.MaxDelayMicros)
	case FieldMbps:
		return uint64(r.MinMbps)
	case FieldStanding:
		return uint64(r.MinStandingPPM)
	case FieldConnectivity:
		return uint64(r.MinConnectivity)
	case FieldTier:
		return uint64(r.MinTier)
	case FieldAssurance:
		return uint64(r.MinAssurance)
	case FieldPrice:
		return r.MaxHourMicro
	case FieldReplicas:
		return uint64(r.Replicas)
	}
	panic("sched: Request.get: field " + field.String())
}

// set changes a field to a value that fits its type.
func (r *Request) set(field Field, v uint64) {
	switch field {
	case FieldSites:
		r.MaxSites = uint8(v)
	case FieldDelay:
		r.MaxDelayMicros = uint32(v)
	case FieldMbps:
		r.MinMbps = uint32(v)
	case FieldStanding:
		r.MinStandingPPM = uint32(v)
	case FieldConnectivity:
		r.MinConnectivity = uint8(v)
	case FieldTier:
		r.MinTier = uint8(v)
	case FieldAssurance:
		r.MinAssurance = uint8(v)
	case FieldPrice:
		r.MaxHourMicro = v
	case FieldReplicas:
		r.Replicas = uint16(v)
	default:
		panic("sched: Request.set: field " + field.String())
	}
}
