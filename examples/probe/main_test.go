package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
)

func noon() time.Time { return time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC) }

func TestFakes(t *testing.T) {
	for _, name := range []string{"h100x8", "4090x2", "mi300xx8"} {
		var out, again bytes.Buffer
		require.NoError(t, run(t.Context(), &out, name, "text", noon))
		require.NoError(t, run(t.Context(), &again, name, "text", noon))
		require.Equal(t, out.String(), again.String())
		golden.Check(t, "testdata/"+name+".golden", out.String())
	}
}

func TestForms(t *testing.T) {
	for form, says := range map[string]string{
		"json": `"model": "NVIDIA H100 80GB HBM3"`, "metrics": `DCGM_FI_DEV_GPU_TEMP{gpu="7"`, "labels": "nvidia.com/gpu.product=NVIDIA-H100-80GB-HBM3\n",
	} {
		var out bytes.Buffer
		require.NoError(t, run(t.Context(), &out, "h100x8", form, noon))
		require.Contains(t, out.String(), says)
	}
}

// On a machine without a GPU, as those of CI are, it says so; on one with a GPU it shows that.
func TestThisMachine(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out, "", "text", time.Now))
	require.Regexp(t, "^(No GPU here|Host )", out.String())
}

func TestNonsense(t *testing.T) {
	var out bytes.Buffer
	require.EqualError(t, run(t.Context(), &out, "h100x8", "xml", noon), `-form "xml": want text, json, metrics or labels`)
	require.ErrorContains(t, run(t.Context(), &out, "h100x99", "text", noon), "99")
	require.ErrorContains(t, run(t.Context(), &out, "h101x8", "text", noon), "h101")
}
