package attest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/attest"
)

// No bytes make the decoders panic, and what is read can be read again from its own parts.
func FuzzParseTranscript(f *testing.F) {
	for _, name := range []string{"h100-545", "h100-590"} {
		e, _ := genuine(f, name)
		f.Add(e.Report)
		f.Add(e.Report[:200])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tr, err := attest.ParseTranscript(b)
		if err != nil {
			require.ErrorIs(t, err, attest.ErrReport)
			return
		}
		n := 37 + 8 + 55*len(tr.Measurements) + 32 + 2 + 96
		for _, o := range tr.Fields {
			n += 4 + len(o.Value)
		}
		require.Equal(t, len(b), n, "every byte is accounted for")
	})
}

// Nothing but a genuine manifest passes, whatever its XML.
func FuzzParseRIM(f *testing.F) {
	want := map[string]bool{}
	for _, name := range []string{"driver-545", "vbios-engineering", "vbios-production"} {
		f.Add(read(f, name+".swidtag"))
		want[manifest(f, name).TagID] = true
	}
	f.Add([]byte(`<a xmlns="u:x"><b c='d"'>t</b></a>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := attest.ParseRIM(b, attest.NVIDIA(), when())
		if err != nil {
			require.ErrorIs(t, err, attest.ErrManifest)
			return
		}
		require.True(t, want[m.TagID])
	})
}

// No chain but a genuine chip's opens.
func FuzzOpenChip(f *testing.F) {
	want := map[string]bool{"41FFEEB20009E0BE49": true, "412921CE551E4EEDA3": true}
	for _, name := range []string{"h100-545", "h100-590"} {
		e, _ := genuine(f, name)
		f.Add(e.ChainPEM)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := attest.OpenChip(b, attest.NVIDIA(), when()); err == nil {
			require.True(t, want[c.ID])
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	e, nonce := genuine(b, "h100-590")
	for b.Loop() {
		if _, err := attest.Verify(e, attest.NVIDIA(), nonce, when()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseRIM(b *testing.B) {
	xml := read(b, "driver-545.swidtag")
	for b.Loop() {
		if _, err := attest.ParseRIM(xml, attest.NVIDIA(), when()); err != nil {
			b.Fatal(err)
		}
	}
}
