package gpu_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/gputest"
	"github.com/idlegrid/idlegrid/internal/golden"
)

// requireAdmitted checks what a Kubernetes API server does (apimachinery, pkg/util/validation: label values and qualified
// names), and that keys ascend.
func requireAdmitted(t testing.TB, labels []gpu.Label) {
	t.Helper()
	value := regexp.MustCompile(`^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$`)
	for i, l := range labels {
		name, ok := strings.CutPrefix(l.Key, "nvidia.com/")
		require.True(t, ok, l.Key)
		require.Regexp(t, value, name)
		require.NotEmpty(t, name)
		require.LessOrEqual(t, len(name), 63, name)
		require.Regexp(t, value, l.Value, l.Key)
		require.NotEmpty(t, l.Value, l.Key)
		require.LessOrEqual(t, len(l.Value), 63, l.Key)
		require.True(t, i == 0 || labels[i-1].Key < l.Key, "%s twice or out of order", l.Key)
	}
}

func labelText(labels []gpu.Label) string {
	var b strings.Builder
	for _, l := range labels {
		b.WriteString(l.Key + "=" + l.Value + "\n")
	}
	return b.String()
}

func TestLabelsGolden(t *testing.T) {
	for _, p := range gputest.Profiles() {
		for _, strategy := range []gpu.MIGStrategy{gpu.MIGNone, gpu.MIGSingle, gpu.MIGMixed} {
			if strategy != gpu.MIGNone && p.MIG == nil && p.Name != "h100x8" {
				continue
			}
			name := p.Name + "-" + strategy.String()
			t.Run(name, func(t *testing.T) {
				labels := gpu.Labels(fakeProbe(t, p.Name), gpu.LabelsConfig{Machine: "ACME  GPU Server (rev 2)", MIG: strategy})
				requireAdmitted(t, labels)
				require.Equal(t, p.Board.Vendor != gpu.NVIDIA, len(labels) == 0)
				golden.Check(t, filepath.Join("testdata", "labels", name+".golden"), labelText(labels))
			})
		}
	}
}

// find returns the value of a label, "" for none.
func find(labels []gpu.Label, key string) string {
	i := slices.IndexFunc(labels, func(l gpu.Label) bool { return l.Key == "nvidia.com/"+key })
	if i < 0 {
		return ""
	}
	return labels[i].Value
}

func TestLabelValues(t *testing.T) {
	for model, want := range map[string]string{
		"NVIDIA H200":             "NVIDIA-H200",
		"NVIDIA RTX A4000":        "NVIDIA-RTX-A4000",
		"Tesla V100-SXM2-16GB":    "Tesla-V100-SXM2-16GB",
		"a  b (c)/d+e_f.g":        "a-b-cde_f.g",
		"-.x._":                   "x",
		"(((":                     "",
		strings.Repeat("ab-", 30): strings.Repeat("ab-", 21)[:62],
	} {
		inv := h100s(1, 1)
		inv.Devices[0].Model = model
		labels := gpu.Labels(inv, gpu.LabelsConfig{})
		requireAdmitted(t, labels)
		require.Equal(t, want, find(labels, "gpu.product"), model)
	}
}

func TestLabelsFamily(t *testing.T) {
	for cc, want := range map[string]string{
		"3.5": "kepler", "5.2": "maxwell", "6.1": "pascal", "7.0": "volta", "7.2": "volta", "7.5": "turing", "8.0": "ampere", "8.6": "ampere",
		"8.9": "ada-lovelace", "9.0": "hopper", "10.0": "blackwell", "10.3": "blackwell", "12.0": "blackwell", "11.0": "undefined",
		"99.1": "undefined", "gfx942": "", "9": "", "9.": "", ".0": "", "9.0a": "", "-9.0": "",
	} {
		inv := h100s(1, 1)
		inv.Devices[0].Reading = &gpu.Reading{ComputeCapability: gpu.Some(cc)}
		labels := gpu.Labels(inv, gpu.LabelsConfig{})
		requireAdmitted(t, labels)
		require.Equal(t, want, find(labels, "gpu.family"), cc)
		require.Equal(t, want == "", find(labels, "gpu.compute.major") == "", cc)
	}
}

func TestLabelsVersions(t *testing.T) {
	for driver, want := range map[string]string{
		"550.54.15": "550 54 15", "591.86": "591 86 ", "550": "  ", "550.54.15.1": "  ", "550.x.1": "  ", "": "  ",
	} {
		inv := h100s(1, 1)
		inv.Driver, inv.CUDADriver = driver, gpu.Some("12.4")
		labels := gpu.Labels(inv, gpu.LabelsConfig{})
		k := "cuda.driver-version."
		require.Equal(t, want, find(labels, k+"major")+" "+find(labels, k+"minor")+" "+find(labels, k+"revision"), driver)
		require.Equal(t, driver, find(labels, k+"full"))
		require.Equal(t, "12 4", find(labels, "cuda.runtime-version.major")+" "+find(labels, "cuda.runtime-version.minor"))
	}
	require.Empty(t, find(gpu.Labels(h100s(1, 1), gpu.LabelsConfig{}), "cuda.runtime-version.full"))
}

func TestLabelsMode(t *testing.T) {
	inv := fakeProbe(t, "h100x2")
	mode := func(class ...uint32) string {
		in := inv
		in.PCIView = gpu.Some(slices.Clone(inv.PCIView.V)[:len(class)])
		for i, c := range class {
			in.PCIView.V[i].Class = c
		}
		return find(gpu.Labels(in, gpu.LabelsConfig{}), "gpu.mode")
	}
	require.Equal(t, "compute", mode(0x030200, 0x030200))
	require.Equal(t, "graphics", mode(0x030000, 0x030000))
	require.Equal(t, "graphics", mode(0x030001))
	require.Equal(t, "unknown", mode(0x030200, 0x030000))
	require.Equal(t, "unknown", mode(0x120000))
	require.Empty(t, mode())
}

func TestLabelsOfSeveralModels(t *testing.T) {
	inv := h100s(1, 4)
	inv.Devices[0].Model, inv.Devices[0].MemoryMiB = "NVIDIA A30", 24576
	inv.Devices[3].Vendor = gpu.AMD
	labels := gpu.Labels(inv, gpu.LabelsConfig{})
	require.Equal(t, []string{"NVIDIA-H100-80GB-HBM3", "2", "81559"}, []string{
		find(labels, "gpu.product"), find(labels, "gpu.count"), find(labels, "gpu.memory"),
	})
	inv.Devices[1].Vendor = gpu.AMD
	require.Equal(t, "NVIDIA-A30", find(gpu.Labels(inv, gpu.LabelsConfig{}), "gpu.product"), "of equally many the first by name")
	require.Nil(t, gpu.Labels(gpu.Inventory{}, gpu.LabelsConfig{}))
}

func TestLabelsMIGCapable(t *testing.T) {
	inv := h100s(1, 2)
	capable := func(a, b gpu.Opt[gpu.MIG]) string {
		inv.Devices[0].Reading, inv.Devices[1].Reading = &gpu.Reading{MIG: a}, &gpu.Reading{MIG: b}
		return find(gpu.Labels(inv, gpu.LabelsConfig{}), "mig.capable")
	}
	yes, no, silent := gpu.Some(gpu.MIG{}), gpu.None[gpu.MIG](gpu.WhyNotSupported), gpu.None[gpu.MIG](gpu.WhyTimeout)
	require.Equal(t, []string{"true", "true", "true", "false", "", ""}, []string{
		capable(yes, yes), capable(no, yes), capable(silent, yes), capable(no, no), capable(no, silent), capable(gpu.Opt[gpu.MIG]{}, no),
	})
}

// The single strategy needs every device divided, none empty, and all instances alike.
func TestLabelsSingle(t *testing.T) {
	instance := func(profile string) gpu.MIGInstance {
		return gpu.MIGInstance{ID: "MIG-1", Profile: profile, MemoryMiB: 9856, SMs: 28}
	}
	divided := func(ms ...gpu.MIGInstance) *gpu.Reading {
		return &gpu.Reading{MIG: gpu.Some(gpu.MIG{Enabled: true, Instances: ms})}
	}
	whole := &gpu.Reading{MIG: gpu.Some(gpu.MIG{})}
	for name, c := range map[string]struct {
		a, b *gpu.Reading
		want string // product, count, memory
	}{
		"alike":    {divided(instance("2g.10gb"), instance("2g.10gb")), divided(instance("2g.10gb")), "NVIDIA-H100-80GB-HBM3-MIG-2g.10gb 3 9856"},
		"not":      {divided(instance("2g.10gb")), divided(instance("1g.5gb")), "NVIDIA-H100-80GB-HBM3-MIG-INVALID 0 0"},
		"one not":  {divided(instance("2g.10gb")), whole, "NVIDIA-H100-80GB-HBM3-MIG-INVALID 0 0"},
		"empty":    {divided(instance("2g.10gb")), divided(), "NVIDIA-H100-80GB-HBM3-MIG-INVALID 0 0"},
		"nameless": {divided(instance("2g.10gb")), divided(instance("2g.10gb"), instance("big")), "NVIDIA-H100-80GB-HBM3-MIG-INVALID 0 0"},
		"whole":    {whole, whole, "NVIDIA-H100-80GB-HBM3 2 81559"},
	} {
		inv := h100s(1, 2)
		inv.Devices[0].Reading, inv.Devices[1].Reading = c.a, c.b
		labels := gpu.Labels(inv, gpu.LabelsConfig{MIG: gpu.MIGSingle})
		requireAdmitted(t, labels)
		require.Equal(t, c.want, find(labels, "gpu.product")+" "+find(labels, "gpu.count")+" "+find(labels, "gpu.memory"), name)
		require.Equal(t, name == "alike", find(labels, "gpu.slices.gi") == "2", name)
		require.Equal(t, "single", find(labels, "mig.strategy"))
	}
	inv := h100s(1, 1)
	inv.Devices[0].Reading = divided(instance("1c.3g.20gb"), instance("1g.5gb+me"), instance("big"))
	labels := gpu.Labels(inv, gpu.LabelsConfig{MIG: gpu.MIGMixed})
	requireAdmitted(t, labels)
	require.Equal(t, []string{"1", "3", "1"}, []string{
		find(labels, "mig-1c.3g.20gb.slices.ci"), find(labels, "mig-1c.3g.20gb.slices.gi"), find(labels, "mig-1g.5gb.me.count"),
	})
}

func FuzzLabels(f *testing.F) {
	f.Add("NVIDIA H100", "550.54.15", "9.0", "1g.10gb+me", "a machine", uint8(1))
	f.Add("\xff\n", "...", "8.9", "7c.7g.1gb", strings.Repeat("-", 99), uint8(2))
	f.Fuzz(func(t *testing.T, model, driver, cc, profile, machine string, strategy uint8) {
		inv := h100s(1, 2)
		inv.Devices[0].Model, inv.Driver, inv.CUDADriver = model, driver, gpu.Some(cc)
		inv.Devices[0].Reading = &gpu.Reading{
			ComputeCapability: gpu.Some(cc),
			MIG:               gpu.Some(gpu.MIG{Enabled: true, Instances: []gpu.MIGInstance{{Profile: profile}}}),
		}
		requireAdmitted(t, gpu.Labels(inv, gpu.LabelsConfig{Machine: machine, MIG: gpu.MIGStrategy(strategy % 3)}))
		inv.Devices = inv.Devices[:1]
		requireAdmitted(t, gpu.Labels(inv, gpu.LabelsConfig{Machine: machine, MIG: gpu.MIGStrategy(strategy % 3)}))
	})
}
