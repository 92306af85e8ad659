package trace_test

import (
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/internal/trace"
	"github.com/idlegrid/idlegrid/sched"
)

func generate(t testing.TB, seed uint64) trace.World {
	t.Helper()
	w, err := trace.Generate(seed, trace.Default())
	require.NoError(t, err)
	return w
}

// fill brings a world's fleet up and submits its requests, refused ones included.
func fill(t testing.TB, w trace.World) *sched.Fleet {
	t.Helper()
	p := sched.IONet()
	p.Relax = nil // nobody reads the explanations here
	f, err := sched.NewFleet(p)
	require.NoError(t, err)
	at := time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC)
	for _, n := range w.Nodes() {
		_, err := f.Apply(at, sched.NodeUp{Node: n})
		require.NoError(t, err)
	}
	for _, l := range w.Links() {
		_, err := f.Apply(at, l)
		require.NoError(t, err)
	}
	for _, r := range w.Requests() {
		if _, err := f.Apply(at, sched.Submitted{Request: r}); err != nil {
			var no *sched.UnplaceableError
			require.ErrorAs(t, err, &no)
		}
	}
	require.NoError(t, f.Audit())
	return f
}

func TestGenerateIsTheTracesFleet(t *testing.T) {
	w := generate(t, 1)
	count := map[string]int{}
	devices := map[gpu.DeviceID]bool{}
	cpu := uint64(0)
	for _, n := range w.Nodes() {
		require.NoError(t, n.Validate())
		count[n.Model]++
		cpu += n.CPUMilli
		for _, d := range n.Devices {
			require.False(t, devices[d], "%s twice", d)
			devices[d] = true
		}
	}
	require.Equal(t, map[string]int{
		"undisclosed G2": 549, "Tesla T4": 404, "Tesla P100-PCIE-16GB": 134, "Tesla V100-SXM2-16GB": 55, "undisclosed G3": 39,
		"Tesla V100-SXM2-32GB": 30, "NVIDIA A10": 2,
	}, count, "hosts per model, as published")
	require.Len(t, devices, 6212)
	require.Equal(t, uint64(107_018_000), cpu, "vCPU, as published")
	require.Len(t, w.Links(), 96*95/2)

	asked := 0
	for _, r := range w.Requests() {
		require.NoError(t, r.Validate())
		asked += int(r.GPUsPerReplica)
	}
	require.GreaterOrEqual(t, asked, 6212*95/100)
	require.Less(t, asked, 6212*95/100+9)
}

func TestSameSeedSameWorld(t *testing.T) {
	require.Equal(t, generate(t, 7), generate(t, 7))
	require.NotEqual(t, generate(t, 7), generate(t, 8))
}

func TestWorldsOfOtherSizes(t *testing.T) {
	for _, c := range []trace.Config{
		{Hosts: 1, Sites: 1, DemandPPM: 1_000_000},
		{Hosts: 40, Sites: 5, DemandPPM: 500_000, ModelPPM: 500_000},
		{Hosts: 2426, Sites: 200, DemandPPM: 10_000},
	} {
		w, err := trace.Generate(3, c)
		require.NoError(t, err)
		require.Len(t, w.Nodes(), c.Hosts)
		require.Len(t, w.Links(), c.Sites*(c.Sites-1)/2)
		require.NotEmpty(t, w.Requests())
	}
	for _, c := range []trace.Config{
		{Hosts: 0, Sites: 1},
		{Hosts: 1, Sites: 0},
		{Hosts: 1_000_001, Sites: 1},
		{Hosts: 1, Sites: 1001},
		{Hosts: 1, Sites: 1, DemandPPM: 10_000_001},
		{Hosts: 1, Sites: 1, ModelPPM: 1_000_001},
		{Hosts: 1, Sites: 1, CountryPPM: 1_000_001},
	} {
		_, err := trace.Generate(3, c)
		require.ErrorIs(t, err, trace.ErrConfig)
	}
	_, err := trace.Assemble(1, trace.Default(), []trace.Host{{Model: "T4", GPUs: 2, CPUMilli: 1, MemoryMiB: 1}}, []trace.Pod{{GPUs: 4}})
	require.ErrorIs(t, err, trace.ErrConfig, "a pod that no host can hold")
}

// TestLeftovers is the situation for which gangs over sites are there: a model of which no site has eight free cards, but two
// linked sites together have.
func TestLeftovers(t *testing.T) {
	const worlds = 5
	hits, placed := 0, 0
	for seed := range uint64(worlds) {
		f := fill(t, generate(t, seed+1))
		s := f.Stats()
		placed += s.Devices - s.Free
		found := false
		for _, m := range []string{"Tesla P100-PCIE-16GB", "Tesla V100-SXM2-16GB", "Tesla V100-SXM2-32GB", "undisclosed G3"} {
			r := sched.Request{Job: "gang", Owner: "ann", Replicas: 8, GPUsPerReplica: 1, Models: []string{m}, MaxSites: 1, Duration: time.Hour}
			_, one := f.Try(r)
			r.MaxSites = 2
			_, two := f.Try(r)
			found = found || one != nil && two == nil
		}
		if found {
			hits++
		}
	}
	t.Logf("%d of %d worlds have leftovers that only two sites together can use; %d of 6212 devices are taken in the mean", hits, worlds, placed/worlds)
	require.Equal(t, worlds, hits)
}

func realTrace(t *testing.T) fs.FS {
	t.Helper()
	dir := os.Getenv("IDLEGRID_DATA")
	if dir == "" {
		t.Skip("the trace is read from the folder openb in IDLEGRID_DATA, which is not set")
	}
	return os.DirFS(filepath.Join(dir, "openb"))
}

// TestHistogramsAgainstTheTrace compares what Generate draws with the real files: hosts exactly, pods by the frequency of each kind.
func TestHistogramsAgainstTheTrace(t *testing.T) {
	hosts, pods, err := trace.ReadOpenb(realTrace(t), "pods/openb_pod_list_default.csv.gz")
	require.NoError(t, err)
	require.Len(t, hosts, 1213)
	require.Len(t, pods, 3986)
	gpus, asked := 0, 0
	type machine struct {
		gpus     int
		cpu, mem uint64
	}
	want, got := map[machine]int{}, map[machine]int{}
	for _, h := range hosts {
		gpus += h.GPUs
		want[machine{h.GPUs, h.CPUMilli, h.MemoryMiB}]++
	}
	require.Equal(t, 6212, gpus)
	for _, n := range generate(t, 1).Nodes() {
		got[machine{len(n.Devices), n.CPUMilli, n.RAMMiB}]++
	}
	require.Equal(t, want, got)

	freq := map[trace.Pod]float64{}
	for _, p := range pods {
		freq[p] += 1 / float64(len(pods))
		asked += p.GPUs
	}
	require.Equal(t, 4355, asked)
	c := trace.Default()
	c.DemandPPM = 9_000_000
	w, err := trace.Generate(1, c)
	require.NoError(t, err)
	n := float64(len(w.Requests()))
	drawn := map[trace.Pod]float64{}
	for _, r := range w.Requests() {
		drawn[trace.Pod{GPUs: int(r.GPUsPerReplica), CPUMilli: r.CPUMilli, MemoryMiB: r.RAMMiB}] += 1 / n
	}
	missing, worst := 0.0, 0.0
	for p, f := range freq {
		if drawn[p] == 0 {
			missing += f
			continue
		}
		worst = max(worst, math.Abs(drawn[p]-f))
	}
	t.Logf("%.0f requests; kinds never drawn are %.2f %% of the pods; the largest difference in a frequency is %.2f points", n, 100*missing, 100*worst)
	require.Less(t, missing, 0.01)
	require.Less(t, worst, 0.03)
}

func TestWorldOfTheRealTrace(t *testing.T) {
	for _, list := range []string{"default", "gpuspec25", "multigpu40"} {
		hosts, pods, err := trace.ReadOpenb(realTrace(t), "pods/openb_pod_list_"+list+".csv.gz")
		require.NoError(t, err)
		w, err := trace.Assemble(1, trace.Default(), hosts, pods)
		require.NoError(t, err)
		s := fill(t, w).Stats()
		t.Logf("%s: %d of %d requests placed on %d of %d devices", list, s.Granted, len(w.Requests()), s.Devices-s.Free, s.Devices)
		require.Equal(t, 6212, s.Devices)
	}
}

func TestReadOpenb(t *testing.T) {
	hosts := "sn,cpu_milli,memory_mib,gpu,model\na,64000,262144,2,P100\n"
	pods := "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\np1,4000,8192,1,1000,T4|P100\np2,1,1,1,999,\np3,1,1,0,0,\n"
	read := func(hosts, pods string) ([]trace.Host, []trace.Pod, error) {
		return trace.ReadOpenb(fstest.MapFS{
			"openb_node_list_gpu_node.csv": {Data: []byte(hosts)}, "p.csv": {Data: []byte(pods)}, "p.csv.gz": {Data: []byte(pods)},
		}, "p.csv")
	}
	h, p, err := read(hosts, pods)
	require.NoError(t, err)
	require.Equal(t, []trace.Host{{Model: "P100", GPUs: 2, CPUMilli: 64000, MemoryMiB: 262144}}, h)
	require.Equal(t, []trace.Pod{{GPUs: 1, CPUMilli: 4000, MemoryMiB: 8192, Models: "T4|P100"}}, p)

	w, err := trace.Assemble(1, trace.Config{Sites: 1, DemandPPM: 1_000_000}, h, p)
	require.NoError(t, err)
	require.Equal(t, []string{"Tesla T4", "Tesla P100-PCIE-16GB"}, w.Requests()[0].Models)

	for name, in := range map[string][2]string{
		"other columns":   {"sn,cpu,memory_mib,gpu,model\n", pods},
		"no header":       {"", pods},
		"no number":       {"sn,cpu_milli,memory_mib,gpu,model\na,x,262144,2,P100\n", pods},
		"ragged":          {"sn,cpu_milli,memory_mib,gpu,model\na\n", pods},
		"pods: no number": {hosts, "name,cpu_milli,memory_mib,num_gpu,gpu_milli\np,1,1,-1,1000\n"},
		"pods: columns":   {hosts, "name,cpu_milli,memory_mib\n"},
	} {
		_, _, err := read(in[0], in[1])
		require.Error(t, err, name)
	}
	_, _, err = trace.ReadOpenb(fstest.MapFS{}, "p.csv")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func ExampleGenerate() {
	w, err := trace.Generate(1, trace.Default())
	if err != nil {
		panic(err)
	}
	devices, asked := 0, 0
	for _, n := range w.Nodes() {
		devices += len(n.Devices)
	}
	for _, r := range w.Requests() {
		asked += int(r.GPUsPerReplica)
	}
	fmt.Println(len(w.Nodes()), "nodes,", devices, "devices,", len(w.Links()), "links")
	fmt.Println(len(w.Requests()), "requests for", asked, "devices")
	// Output:
	// 1213 nodes, 6212 devices, 4560 links
	// 5534 requests for 5901 devices
}
