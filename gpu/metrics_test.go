package gpu_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/gputest"
	"github.com/idlegrid/idlegrid/internal/golden"
)

func write(t testing.TB, inv gpu.Inventory, c gpu.MetricsConfig) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, gpu.WriteMetrics(&b, inv, c))
	return b.String()
}

// everything is a config that says all there is to say.
func everything(inv gpu.Inventory, c *gpu.Catalog) gpu.MetricsConfig {
	id := inv.Devices[0].ID
	return gpu.MetricsConfig{
		Hostname: "rack-7", LastXid: map[gpu.DeviceID]uint32{id: 31}, Health: map[gpu.DeviceID]gpu.Health{id: gpu.Degraded},
		Assurance: map[gpu.DeviceID]gpu.Assurance{id: gpu.Proven}, Findings: append([]gpu.Finding{}, gpu.Check(inv, c)...),
	}
}

// series is one line of the exposition format.
type series struct {
	name   string
	labels map[string]string
	order  []string
	value  string
}

// parse reads the text format of Prometheus 0.0.4 as strictly as its description (prometheus.io/docs/instrumenting/
// exposition_formats) allows: HELP, then TYPE, then series of that family and of no other, each set of labels once.
func parse(text string) (families []string, all []series, err error) {
	seen := map[string]bool{}
	family, step := "", 0 // 1 after HELP, 2 after TYPE, 3 after a series
	if text != "" && !strings.HasSuffix(text, "\n") {
		return nil, nil, errors.New("the last line does not end")
	}
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if text == "" {
			break
		}
		switch {
		case strings.HasPrefix(line, "# HELP "):
			name, help, ok := strings.Cut(line[7:], " ")
			if !ok || help == "" || seen["# "+name] || step == 1 || step == 2 || !nameOK(name) {
				return nil, nil, fmt.Errorf("line %q", line)
			}
			family, step, seen["# "+name] = name, 1, true
			families = append(families, name)
		case strings.HasPrefix(line, "# TYPE "):
			name, kind, _ := strings.Cut(line[7:], " ")
			if step != 1 || name != family || kind != "gauge" && kind != "counter" {
				return nil, nil, fmt.Errorf("line %q", line)
			}
			step = 2
		default:
			s, err := parseSeries(line)
			if err != nil || s.name != family || step < 2 {
				return nil, nil, fmt.Errorf("line %q: %w", line, errors.Join(err, errors.New("out of place")))
			}
			key := fmt.Sprint(s.name, s.labels) // fmt prints a map in the order of its keys
			if seen[key] {
				return nil, nil, fmt.Errorf("line %q is there twice", line)
			}
			seen[key], step = true, 3
			all = append(all, s)
		}
	}
	if step == 1 || step == 2 {
		return nil, nil, errors.New("a family without a series")
	}
	return families, all, nil
}

func nameOK(s string) bool { return regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`).MatchString(s) }

func parseSeries(line string) (series, error) {
	s := series{labels: map[string]string{}}
	name, rest, ok := strings.Cut(line, "{")
	if !ok || !nameOK(name) {
		return s, errors.New("no name")
	}
	s.name = name
	for {
		label, after, ok := strings.Cut(rest, `="`)
		if _, twice := s.labels[label]; !ok || !nameOK(label) || strings.Contains(label, ":") || twice {
			return s, fmt.Errorf("label %q", label)
		}
		var value strings.Builder
		i := 0
		for ; i < len(after) && after[i] != '"'; i++ {
			if after[i] != '\\' {
				value.WriteByte(after[i])
				continue
			}
			i++
			if i == len(after) || !strings.ContainsRune(`\"n`, rune(after[i])) {
				return s, errors.New("escape")
			}
			value.WriteString(map[byte]string{'\\': `\`, '"': `"`, 'n': "\n"}[after[i]])
		}
		if i >= len(after)-1 || !utf8.ValidString(value.String()) {
			return s, errors.New("value of a label")
		}
		s.labels[label], s.order = value.String(), append(s.order, label)
		rest = after[i+1:]
		if strings.HasPrefix(rest, ",") {
			rest = rest[1:]
			continue
		}
		if s.value, ok = strings.CutPrefix(rest, "} "); !ok {
			return s, errors.New("end of labels")
		}
		_, err := strconv.ParseFloat(s.value, 64)
		return s, err
	}
}

func TestMetricsGolden(t *testing.T) {
	c := catalog(t)
	for _, p := range gputest.Profiles() {
		t.Run(p.Name, func(t *testing.T) {
			inv := fakeProbe(t, p.Name)
			text := write(t, inv, everything(inv, c))
			families, all, err := parse(text)
			require.NoError(t, err)
			require.Greater(t, len(families), 15)
			for _, s := range all {
				require.Equal(t, "rack-7", s.labels["hostname"])
				i, err := strconv.Atoi(s.labels["gpu"])
				require.NoError(t, err)
				d := inv.Devices[i]
				require.Equal(t, []string{string(d.ID), d.BusID, "nvidia" + s.labels["gpu"], d.Model, inv.Driver}, []string{
					s.labels["UUID"], s.labels["pci_bus_id"], s.labels["device"], s.labels["modelName"], s.labels["DCGM_FI_DRIVER_VERSION"],
				})
			}
			golden.Check(t, filepath.Join("testdata", "metrics", p.Name+".golden"), text)
		})
	}
}

// values maps every series of a family to its value, by one label.
func values(t testing.TB, text, family, label string) map[string]string {
	t.Helper()
	_, all, err := parse(text)
	require.NoError(t, err)
	out := map[string]string{}
	for _, s := range all {
		if s.name == family {
			out[s.labels[label]] = s.value
		}
	}
	return out
}

func TestMetricsLeaveOutWhatIsMissing(t *testing.T) {
	inv := h100s(1, 3)
	require.Empty(t, write(t, inv, gpu.MetricsConfig{}), "no reading, no metric")
	inv.Devices[0].Reading = &gpu.Reading{
		TempCelsius: gpu.Some(int32(-5)), PowerMilliwatts: gpu.Some(uint32(70_012)), SMClockMHz: gpu.None[uint32](gpu.WhyLost),
		Memory: gpu.Some(gpu.MemoryUse{Total: 5 << 20, Free: 3<<20 - 1, Used: 2 << 20}),
	}
	inv.Devices[2].Reading = &gpu.Reading{GPUUtilPercent: gpu.Some(uint32(0)), Rows: gpu.Some(gpu.RowRemap{Failed: true})}
	text := write(t, inv, gpu.MetricsConfig{})
	families, _, err := parse(text)
	require.NoError(t, err)
	require.Equal(t, []string{
		"DCGM_FI_DEV_GPU_TEMP", "DCGM_FI_DEV_POWER_USAGE", "DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_FB_FREE", "DCGM_FI_DEV_FB_USED",
		"DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS", "DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS", "DCGM_FI_DEV_ROW_REMAP_FAILURE",
	}, families, "the reserved memory is not known either")
	require.Equal(t, map[string]string{"0": "-5"}, values(t, text, "DCGM_FI_DEV_GPU_TEMP", "gpu"))
	require.Equal(t, map[string]string{"0": "70.012"}, values(t, text, "DCGM_FI_DEV_POWER_USAGE", "gpu"))
	require.Equal(t, map[string]string{"0": "2"}, values(t, text, "DCGM_FI_DEV_FB_FREE", "gpu"))
	require.Equal(t, map[string]string{"2": "0"}, values(t, text, "DCGM_FI_DEV_GPU_UTIL", "gpu"), "a zero that was said is a value")
	require.Equal(t, map[string]string{"2": "1"}, values(t, text, "DCGM_FI_DEV_ROW_REMAP_FAILURE", "gpu"))
	require.NotContains(t, text, "hostname")
}

func TestMetricsOwn(t *testing.T) {
	inv := h100s(1, 2)
	c := gpu.MetricsConfig{
		HostnameLabel: "Hostname", Hostname: "n", Health: map[gpu.DeviceID]gpu.Health{inv.Devices[1].ID: gpu.Lost, "GPU-other": gpu.Healthy},
		Assurance: map[gpu.DeviceID]gpu.Assurance{inv.Devices[1].ID: gpu.Attested}, LastXid: map[gpu.DeviceID]uint32{inv.Devices[0].ID: 0},
		Findings: []gpu.Finding{{Device: 1, Severity: gpu.Contradiction}, {Device: 1, Severity: gpu.Contradiction}, {Device: -1, Severity: gpu.Info}},
	}
	text := write(t, inv, c)
	require.Equal(t, map[string]string{"1": "3"}, values(t, text, "idlegrid_gpu_health_state", "gpu"))
	require.Equal(t, map[string]string{"1": "3"}, values(t, text, "idlegrid_gpu_assurance_level", "gpu"))
	require.Equal(t, map[string]string{"0": "0"}, values(t, text, "DCGM_FI_DEV_XID_ERRORS", "gpu"))
	_, all, err := parse(text)
	require.NoError(t, err)
	var findings []string
	for _, s := range all {
		if s.name == "idlegrid_gpu_findings" {
			findings = append(findings, fmt.Sprintf("%s %s %s %s", s.labels["gpu"], s.labels["severity"], s.labels["Hostname"], s.value))
		}
	}
	require.Equal(t, []string{
		"0 info n 0", "1 info n 0", " info n 1", "0 suspicious n 0", "1 suspicious n 0", "0 contradiction n 0", "1 contradiction n 2",
	}, findings, "what is about the host bears no device")
	c.Findings = nil
	require.NotContains(t, write(t, inv, c), "idlegrid_gpu_findings", "nobody checked")
}

func TestMetricsOrder(t *testing.T) {
	inv := fakeProbe(t, "mig-a100")
	_, all, err := parse(write(t, inv, gpu.MetricsConfig{Hostname: "n", HostnameLabel: "Hostname"}))
	require.NoError(t, err)
	require.Equal(t, []string{
		"gpu", "UUID", "pci_bus_id", "device", "modelName", "GPU_I_PROFILE", "GPU_I_ID", "Hostname", "DCGM_FI_DRIVER_VERSION",
	}, all[0].order)
}

func TestMetricsOfInstances(t *testing.T) {
	inv := fakeProbe(t, "mig-a100")
	profiles := map[string]string{"0": "3g.20gb", "1": "2g.10gb", "2": "1g.5gb+me", "3": "1g.5gb"}
	check := func(ids map[string]string) {
		text := write(t, inv, gpu.MetricsConfig{})
		_, all, err := parse(text)
		require.NoError(t, err)
		got := map[string]string{}
		for _, s := range all {
			switch s.name {
			case "DCGM_FI_DEV_SM_CLOCK":
				got[s.labels["GPU_I_ID"]] = s.labels["GPU_I_PROFILE"]
			case "DCGM_FI_DEV_FB_USED":
				require.NotContains(t, s.labels, "GPU_I_ID", "an inventory does not say what an instance uses")
			}
		}
		require.Equal(t, ids, got)
	}
	check(profiles)
	instances := inv.Devices[0].Reading.MIG.V.Instances
	for k := range instances {
		instances[k].ID = gpu.DeviceID(fmt.Sprintf("MIG-GPU-5c89852c-d268-c3f3-1b07-005d5ae1dc3f/%d/0", 7+k))
	}
	check(map[string]string{"7": "3g.20gb", "8": "2g.10gb", "9": "1g.5gb+me", "10": "1g.5gb"})
	instances[3].ID = instances[0].ID
	check(profiles)
	instances[3].ID = "MIG-6403cac8-ef8c-4663-9dde-e9cdf87f178d" // the rest are of the old form
	check(profiles)
	inv.Devices[0].Reading.MIG.V.Enabled = false
	check(map[string]string{"": ""})
}

func TestMetricsEscape(t *testing.T) {
	inv := fakeProbe(t, "a4000x1")
	inv.Devices[0].Model = "a\\b\"c\nd\xff{}, e=\"f\""
	text := write(t, inv, gpu.MetricsConfig{Hostname: "h\"\n"})
	_, all, err := parse(text)
	require.NoError(t, err)
	require.Equal(t, "a\\b\"c\nd\uFFFD{}, e=\"f\"", all[0].labels["modelName"])
	require.Equal(t, "h\"\n", all[0].labels["hostname"])
}

func TestMetricsRefuse(t *testing.T) {
	inv := fakeProbe(t, "a4000x1")
	for _, name := range []string{"host name", "1host", "héte", "__host", "gpu", "UUID", "severity", "host-name", `h"`} {
		var b strings.Builder
		require.ErrorIs(t, gpu.WriteMetrics(&b, inv, gpu.MetricsConfig{HostnameLabel: name}), gpu.ErrInvalid, name)
		require.Empty(t, b.String())
	}
	broken := errors.New("broken pipe")
	require.ErrorIs(t, gpu.WriteMetrics(failing{broken}, inv, gpu.MetricsConfig{}), broken)
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// The strict parser refuses what it should: a test that reads everything would prove nothing.
func TestParserIsStrict(t *testing.T) {
	const good = "# HELP a h\n# TYPE a gauge\na{b=\"c\"} 1\n"
	_, all, err := parse(good)
	require.NoError(t, err)
	require.Len(t, all, 1)
	for _, text := range []string{
		strings.TrimSuffix(good, "\n"), "a{b=\"c\"} 1\n", "# HELP a h\n# TYPE a gauge\n", good + good, good + "a{b=\"c\"} 2\n", good + "x{b=\"c\"} 1\n",
		strings.Replace(good, "gauge", "thing", 1), strings.Replace(good, "} 1", "} one", 1), strings.Replace(good, "c", "\\q", 1),
		strings.Replace(good, `"c"`, `"c`, 1), strings.Replace(good, `b="c"`, `b="c",b="d"`, 1), strings.Replace(good, "c", "\xff", 1),
	} {
		_, _, err := parse(text)
		require.Error(t, err, text)
	}
}

func FuzzWriteMetrics(f *testing.F) {
	f.Add("NVIDIA H100", "host", "Hostname", "GPU-1", "1g.5gb", uint64(7))
	f.Add("a\\\"\n\xff", "\"", "", "MIG-GPU-x/7/0", "", uint64(1)<<63)
	f.Fuzz(func(t *testing.T, model, host, label, id, profile string, n uint64) {
		inv := h100s(1, 2)
		inv.Devices[0].Model, inv.Devices[1].ID, inv.Driver = model, gpu.DeviceID(id), host
		inv.Devices[0].Reading = &gpu.Reading{
			EnergyMillijoules: gpu.Some(n), PowerMilliwatts: gpu.Some(uint32(n)), TempCelsius: gpu.Some(int32(n)),
			Memory: gpu.Some(gpu.MemoryUse{Free: n, Used: n, Reserved: n}),
			MIG:    gpu.Some(gpu.MIG{Enabled: n%2 == 0, Instances: []gpu.MIGInstance{{ID: gpu.DeviceID(id), Profile: profile}, {ID: "MIG-GPU-/0/"}}}),
		}
		var b strings.Builder
		c := gpu.MetricsConfig{Hostname: host, HostnameLabel: label, Findings: []gpu.Finding{{Device: int(n)}}}
		if err := gpu.WriteMetrics(&b, inv, c); err != nil {
			require.ErrorIs(t, err, gpu.ErrInvalid)
			return
		}
		_, all, err := parse(b.String())
		require.NoError(t, err, b.String())
		require.NotEmpty(t, all)
		require.Equal(t, strings.ToValidUTF8(model, "\uFFFD"), all[0].labels["modelName"])
	})
}
