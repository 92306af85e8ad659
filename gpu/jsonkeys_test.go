package gpu_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
)

// One text, one reading: what decoders take differently is refused wherever it stands, in keys that nobody knows too.
func TestParseInventoryOneReading(t *testing.T) {
	good, err := json.Marshal(h100(func(r *gpu.Reading) { r.SMs = gpu.Some[uint32](132) }))
	require.NoError(t, err)
	edit := func(old, now string) []byte {
		require.Contains(t, string(good), old)
		return []byte(strings.Replace(string(good), old, now, 1))
	}
	for name, b := range map[string][]byte{
		"as it is":            good,
		"unknown key":         edit(`"host":`, `"tomorrow_1":{"a":[{"b":null},{"b":null}]},"host":`),
		"same key, two lists": edit(`"host":`, `"new":[{"id":1},{"id":2}],"host":`),
		"key as a value":      edit(`"node-1"`, `"driver"`),
		"escaped key":         edit(`"host":`, `"\u0068ost":`),
	} {
		_, err := gpu.ParseInventory(b)
		require.NoError(t, err, name)
	}
	for want, b := range map[string][]byte{
		`key "host" is there twice`:       edit(`"host":`, `"host":"node-2","host":`),
		`key "devices" is there twice`:    edit(`"host":`, `"devices":[{"memory_mib":143771}],"host":`),
		`key "memory_mib" is there twice`: edit(`"memory_mib":`, `"memory_mib":143771,"memory_mib":`),
		`key "value" is there twice`:      edit(`"value":132`, `"value":108,"value":132`),
		`key "boot_id" is there twice`:    edit(`"host":`, `"\u0062oot_id":"x","host":`),
		`key "b" is there twice`:          edit(`"host":`, `"new":[{"a":{"b":1,"b":2}}],"host":`),
		`key "Host" is not`:               edit(`"host":`, `"Host":`),
		`key "DRIVER" is not`:             edit(`"host":`, `"DRIVER":"1","host":`),
		`key "ho\u017ft" is not lower`:    edit(`"host":`, `"ho\u017ft":`), // folds to an s, and so Go takes it for host
		`key "" is not`:                   edit(`"host":`, `"":1,"host":`),
		"a value that is null":            edit(`"value":132`, `"value":null`),
		"a value that is there and":       edit(`"value":132`, `"value":132,"why":"lost"`),
		"cannot unmarshal":                edit(`"value":132`, `"value":132.0`),
		"cannot unmarshal number 1e2":     edit(`"value":132`, `"value":1e2`),
		"number 18446744073709551616":     edit(`"memory_mib":81559`, `"memory_mib":18446744073709551616`),
		"after top-level value":           append(good[:len(good):len(good)], good...),
		"exceeded max depth":              edit(`"host":`, `"new":`+strings.Repeat("[", 20000)+strings.Repeat("]", 20000)+`,"host":`),
		"memory_mib 0 is not in":          edit(`"memory_mib":81559`, `"memory_mib":null`),
		"unexpected end of JSON":          good[:len(good)-1],
		"device 0: gpu: invalid: id is":   edit(`"devices":[`, `"devices":[null,`),
	} {
		_, err := gpu.ParseInventory(b)
		require.ErrorIs(t, err, gpu.ErrInvalid, want)
		require.ErrorContains(t, err, want)
	}
	_, err = gpu.ParseHeartbeat([]byte(`{"taken":"2026-03-01T12:00:00Z","taken":"2026-03-01T12:00:01Z"}`))
	require.ErrorContains(t, err, `key "taken" is there twice`)
}

// What Go writes it reads as the same, an empty list too: none is not the same as not known.
func TestOptEmptyList(t *testing.T) {
	for _, o := range []gpu.Opt[[]gpu.NVLink]{gpu.Some([]gpu.NVLink(nil)), gpu.Some([]gpu.NVLink{})} {
		b, err := json.Marshal(o)
		require.NoError(t, err)
		require.JSONEq(t, `{"value":[]}`, string(b))
		var back gpu.Opt[[]gpu.NVLink]
		require.NoError(t, json.Unmarshal(b, &back))
		require.True(t, back.OK)
		require.Empty(t, back.V)
	}
}
