package sched_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/script"
	"github.com/idlegrid/idlegrid/sched"
)

// request reads the arguments of a command as a request.
func request(t *testing.T, c script.Command) sched.Request {
	yes := func(key string) bool { return c.Opt(key, "no") == "yes" }
	r := sched.Request{
		Job: sched.JobID(c.Str("job")), Owner: "ann", Replicas: uint16(number(c, "replicas", 1)), GPUsPerReplica: uint16(number(c, "gpus", 1)),
		ShareMilli: uint16(number(c, "share", 0)), MIG: sched.MIGProfile(number(c, "mig", 0)),
		MinMemoryMiB: number(c, "mem", 0), CPUMilli: number(c, "cpu", 0), RAMMiB: number(c, "ram", 0),
		MinConnectivity: uint8(number(c, "connectivity", 0)), MaxSites: uint8(number(c, "sites", 1)), MinSites: uint8(number(c, "minsites", 0)),
		PerSite: uint16(number(c, "persite", 0)), MaxDelayMicros: uint32(number(c, "us", 0)), MinMbps: uint32(number(c, "mbps", 0)),
		AllowUnmeasured: yes("unmeasured"), MaxHourMicro: number(c, "price", 0), MinStandingPPM: uint32(number(c, "standing", 0)),
		MinTier: uint8(number(c, "tier", 0)), Duration: duration(t, c.Opt("for", "1h")), OneSupplier: yes("onesupplier"), ApartNodes: yes("apart"),
		Spares: uint16(number(c, "spares", 0)), MinSurvivalPPM: uint32(number(c, "survival", 0)), Queue: yes("queue"),
		Priority: uint8(number(c, "priority", 0)), Reform: yes("reform"), Movable: yes("movable"),
	}
	if c.Has("model") {
		r.Models = strings.Split(c.Str("model"), "|")
	}
	if c.Has("or") { // another model
		r.Alternatives = []sched.Alternative{{Models: []string{c.Str("or")}, GPUsPerReplica: uint16(number(c, "orgpus", 1))}}
	}
	if c.Has("country") {
		r.Countries = strings.Split(c.Str("country"), "|")
	}
	if c.Has("apartfrom") {
		r.ApartFrom = []sched.JobID{sched.JobID(c.Str("apartfrom"))}
	}
	if c.Has("from") {
		r.NotBefore = noon.Add(duration(t, c.Str("from")))
	}
	if c.Has("latest") {
		r.NotAfter = noon.Add(duration(t, c.Str("latest")))
	}
	r.Class = map[string]sched.Class{"": sched.OnDemand, "spot": sched.Spot, "reserved": sched.Reserved}[c.Opt("class", "")]
	if c.Has("relax") {
		for name := range strings.SplitSeq(c.Str("relax"), "|") {
			var f sched.Field
			require.NoError(t, f.UnmarshalText([]byte(name)))
			r.MayRelax = append(r.MayRelax, f)
		}
	}
	return r
}

func number(c script.Command, key string, otherwise uint64) uint64 {
	if !c.Has(key) {
		return otherwise
	}
	return c.Uint(key)
}

func duration(t *testing.T, text string) time.Duration {
	d, err := time.ParseDuration(text)
	require.NoError(t, err)
	return d
}
