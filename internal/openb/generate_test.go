package openb_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/openb"
)

func TestGenerateIsTheFleet(t *testing.T) {
	tr, err := openb.Generate(1, openb.DefaultMix())
	require.NoError(t, err)
	require.Len(t, tr.Hosts, 1213)
	require.Equal(t, int64(6_212_000), tr.Capacity())
	var cpu int64
	models, names := map[string]int{}, map[string]bool{}
	for _, h := range tr.Hosts {
		cpu += h.CPUMilli
		models[h.Model]++
		names[h.Name] = true
	}
	require.Equal(t, int64(107_018_000), cpu)
	require.Equal(t, map[string]int{"G2": 549, "T4": 404, "P100": 134, "V100M16": 55, "G3": 39, "V100M32": 30, "A10": 2}, models)
	require.Len(t, names, 1213)
}

// fractions measures a list as a Mix.
func fractions(pods []openb.Pod) openb.Mix {
	m := openb.Mix{Pods: len(pods)}
	var demand, shared, multi, withCards float64
	for _, p := range pods {
		d := float64(p.Spec.Demand())
		demand += d
		switch {
		case p.Spec.GPUs == 0:
			m.CPUOnly += 1 / float64(len(pods))
		case p.Spec.Share():
			shared += d
		case p.Spec.GPUs > 1:
			multi += d
		}
		if p.Spec.GPUs > 0 {
			withCards++
		}
		if p.Spec.Models != "" {
			m.Constrained++
		}
	}
	if withCards > 0 {
		m.Shared, m.Multi = shared/demand, multi/demand
		m.Constrained /= withCards
	}
	return m
}

func TestGenerateFollowsTheMix(t *testing.T) {
	many := openb.DefaultMix()
	many.Pods = 40_000
	many.Constrained = 0.25
	tests := map[string]openb.Mix{
		"default, constrained": many,
		"no CPU-only pods":     {Pods: 20_000, Shared: 0.2, Multi: 0.4},
		"only CPU":             {Pods: 1_000, CPUOnly: 1},
		"only shares":          {Pods: 20_000, Shared: 1, Constrained: 1},
		"only several cards":   {Pods: 5_000, Multi: 1, Constrained: 0.5},
		"only single cards":    {Pods: 5_000},
	}
	for name, m := range tests {
		t.Run(name, func(t *testing.T) {
			tr, err := openb.Generate(7, m)
			require.NoError(t, err)
			got := fractions(tr.Pods)
			require.Equal(t, m.Pods, got.Pods)
			require.InDelta(t, m.CPUOnly, got.CPUOnly, 0.01)
			if m.CPUOnly < 1 {
				require.InDelta(t, m.Shared, got.Shared, 0.015)
				require.InDelta(t, m.Multi, got.Multi, 0.03)
				require.InDelta(t, m.Constrained, got.Constrained, 0.02)
			}
			for _, p := range tr.Pods {
				require.True(t, fitsSomewhere(tr.Hosts, p.Spec), "%+v", p)
			}
		})
	}
}

func fitsSomewhere(hosts []openb.Host, s openb.Spec) bool {
	for _, h := range hosts {
		if s.GPUs <= h.GPUs && s.CPUMilli <= h.CPUMilli && s.MemoryMiB <= h.MemoryMiB && s.Allows(h.Model) {
			return true
		}
	}
	return false
}

// TestSameSeedSameTrace pins the generator: figures of the documentation rest on it.
func TestSameSeedSameTrace(t *testing.T) {
	digest := func(seed uint64) string {
		m := openb.DefaultMix()
		m.Constrained = 0.1
		tr, err := openb.Generate(seed, m)
		require.NoError(t, err)
		h := sha256.Sum256([]byte(fmt.Sprint(tr.Hosts, tr.Pods)))
		return hex.EncodeToString(h[:8])
	}
	require.Equal(t, "190672a98b3d067e", digest(42))
	require.NotEqual(t, digest(42), digest(43))
}

func TestGenerateRefuses(t *testing.T) {
	for _, m := range []openb.Mix{
		{},
		{Pods: -1},
		{Pods: 1, CPUOnly: -0.1},
		{Pods: 1, CPUOnly: 1.1},
		{Pods: 1, CPUOnly: math.NaN()},
		{Pods: 1, Shared: 0.6, Multi: 0.5},
		{Pods: 1, Shared: -0.1},
		{Pods: 1, Multi: math.NaN()},
		{Pods: 1, Constrained: 2},
	} {
		_, err := openb.Generate(1, m)
		require.Error(t, err)
		require.True(t, strings.HasPrefix(err.Error(), "openb: Mix."), err)
	}
}

// TestPoliciesOfThePaperInOrder is what the published table shows, on a list of our own.
func TestPoliciesOfThePaperInOrder(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	tr, err := openb.Generate(42, openb.DefaultMix())
	require.NoError(t, err)
	at := func(mk openb.Maker) float64 {
		c, err := openb.Run(tr, 42, mk)
		require.NoError(t, err)
		require.GreaterOrEqual(t, c[130], c[100])
		return c[100]
	}
	random, packing, best, fgd := at(openb.Random), at(openb.Packing), at(openb.BestFit), at(openb.FGD)
	require.Greater(t, packing, random+2)
	require.Greater(t, best, random+2)
	require.Greater(t, fgd, max(best, packing)+1)
}

func ExampleRun() {
	mix := openb.DefaultMix()
	mix.Shared = 0.6 // of the demand for cards, in place of 28 %
	tr, err := openb.Generate(42, mix)
	if err != nil {
		fmt.Println(err)
		return
	}
	curve, err := openb.Run(tr, 42, openb.FGD)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.2f %% of the cards at 100 %% arrivals, %.2f %% at 130 %%\n", curve[100], curve[130])
	// Output: 91.05 % of the cards at 100 % arrivals, 91.28 % at 130 %
}
