package openb_test

import (
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/openb"
)

func TestSpec(t *testing.T) {
	tests := []struct {
		name   string
		spec   openb.Spec
		demand int64
		share  bool
	}{
		{"no card", openb.Spec{CPUMilli: 1}, 0, false},
		{"the smallest share", openb.Spec{GPUs: 1, Milli: 1}, 1, true},
		{"the largest share", openb.Spec{GPUs: 1, Milli: 999}, 999, true},
		{"a whole card", openb.Spec{GPUs: 1, Milli: 1000}, 1000, false},
		{"two cards", openb.Spec{GPUs: 2, Milli: 1000}, 2000, false},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.demand, c.spec.Demand())
			require.Equal(t, c.share, c.spec.Share())
		})
	}
}

func TestAllows(t *testing.T) {
	require.True(t, openb.Spec{}.Allows("T4"))
	require.True(t, openb.Spec{Models: "P100|T4"}.Allows("T4"))
	require.True(t, openb.Spec{Models: "P100|T4"}.Allows("P100"))
	require.False(t, openb.Spec{Models: "P100|T4"}.Allows("T"))
	require.False(t, openb.Spec{Models: "P100|T4"}.Allows("P100|T4"))
}

// list repeats specs as pods.
func list(kinds ...openb.Typical) []openb.Pod {
	var pods []openb.Pod
	for _, k := range kinds {
		for range k.Count {
			pods = append(pods, openb.Pod{Name: string(rune('a' + len(pods)%26)), Spec: k.Spec})
		}
	}
	return pods
}

func TestTypical(t *testing.T) {
	a := openb.Spec{CPUMilli: 4000, MemoryMiB: 10, GPUs: 1, Milli: 1000}
	b := openb.Spec{CPUMilli: 8000, MemoryMiB: 10, GPUs: 1, Milli: 1000}
	b2 := b
	b2.MemoryMiB = 20
	none := func(s openb.Spec) openb.Spec { s.MemoryMiB = 0; return s }
	rare := openb.Spec{CPUMilli: 1, MemoryMiB: 1}
	tests := []struct {
		name   string
		pods   []openb.Pod
		memory bool
		want   []openb.Typical
	}{
		{"all of one kind", list(openb.Typical{Spec: a, Count: 3}), false, []openb.Typical{{Spec: none(a), Count: 3}}},
		{
			"memory ignored", list(openb.Typical{Spec: a, Count: 3}, openb.Typical{Spec: b, Count: 2}, openb.Typical{Spec: b2, Count: 2}), false,
			[]openb.Typical{{Spec: none(b), Count: 4}, {Spec: none(a), Count: 3}},
		},
		{
			"memory kept", list(openb.Typical{Spec: a, Count: 3}, openb.Typical{Spec: b, Count: 2}, openb.Typical{Spec: b2, Count: 2}), true,
			[]openb.Typical{{Spec: a, Count: 3}, {Spec: b2, Count: 2}, {Spec: b, Count: 2}},
		},
		{"ties to more CPU", list(openb.Typical{Spec: a, Count: 2}, openb.Typical{Spec: b, Count: 2}), true, []openb.Typical{{Spec: b, Count: 2}, {Spec: a, Count: 2}}},
		{
			"94 of 100 is too few", list(openb.Typical{Spec: a, Count: 94}, openb.Typical{Spec: rare, Count: 6}), true,
			[]openb.Typical{{Spec: a, Count: 94}, {Spec: rare, Count: 6}},
		},
		{"95 of 100 is enough", list(openb.Typical{Spec: a, Count: 95}, openb.Typical{Spec: rare, Count: 5}), true, []openb.Typical{{Spec: a, Count: 95}}},
		{"96 of 100 is enough", list(openb.Typical{Spec: a, Count: 96}, openb.Typical{Spec: rare, Count: 4}), true, []openb.Typical{{Spec: a, Count: 96}}},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, openb.NewTrace(nil, c.pods).Typical(c.memory))
		})
	}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	require.NoError(t, err)
	if filepath.Ext(name) == ".gz" {
		z := gzip.NewWriter(f)
		_, err = z.Write([]byte(text))
		require.NoError(t, err)
		require.NoError(t, z.Close())
	} else {
		_, err = f.WriteString(text)
		require.NoError(t, err)
	}
	require.NoError(t, f.Close())
	return path
}

func TestRead(t *testing.T) {
	hosts, err := openb.ReadHosts(write(t, "hosts.csv", "sn,cpu_milli,memory_mib,gpu,model\nn1,64000,262144,2,P100\n"))
	require.NoError(t, err)
	require.Equal(t, []openb.Host{{Name: "n1", Model: "P100", CPUMilli: 64000, MemoryMiB: 262144, GPUs: 2}}, hosts)

	const text = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\np1,1,2,1,460,T4|P100\np2,3,4,2,1000,\np3,5,6,0,7,T4\np4,1,1,1,1001,\n"
	want := []openb.Pod{
		{Name: "p1", Spec: openb.Spec{CPUMilli: 1, MemoryMiB: 2, GPUs: 1, Milli: 460, Models: "T4|P100"}},
		{Name: "p2", Spec: openb.Spec{CPUMilli: 3, MemoryMiB: 4, GPUs: 2, Milli: 1000}},
		{Name: "p3", Spec: openb.Spec{CPUMilli: 5, MemoryMiB: 6}},
		{Name: "p4", Spec: openb.Spec{CPUMilli: 1, MemoryMiB: 1, GPUs: 1, Milli: 1000}},
	}
	for _, name := range []string{"pods.csv", "pods.csv.gz"} {
		pods, err := openb.ReadPods(write(t, name, text))
		require.NoError(t, err)
		require.Equal(t, want, pods, name)
	}
	pods, err := openb.ReadPods(write(t, "five.csv", "name,cpu_milli,memory_mib,num_gpu,gpu_milli\np1,1,2,1,460\n"))
	require.NoError(t, err)
	require.Equal(t, []openb.Pod{{Name: "p1", Spec: openb.Spec{CPUMilli: 1, MemoryMiB: 2, GPUs: 1, Milli: 460}}}, pods)
}

func TestReadRefuses(t *testing.T) {
	const head = "name,cpu_milli,memory_mib,num_gpu,gpu_milli\n"
	tests := []struct{ name, file, text, want string }{
		{"another header", "p.csv", "name,cpu,memory_mib,num_gpu,gpu_milli\n", `column 1 is "cpu"`},
		{"empty", "p.csv", "", "want columns"},
		{"no number", "p.csv", head + "p,1,2,1,x\n", `pod "p"`},
		{"negative", "p.csv", head + "p,-1,2,1,1000\n", "negative"},
		{"beyond 32 bits", "p.csv", head + "p,2147483648,2,1,1000\n", "out of range"},
		{"shares of two cards", "p.csv", head + "p,1,2,2,999\n", "2 cards of 999"},
		{"a card of nothing", "p.csv", head + "p,1,2,1,0\n", "1 cards of 0"},
		{"ragged", "p.csv", head + "p,1\n", "read"},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			_, err := openb.ReadPods(write(t, c.file, c.text))
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "openb: ")
		})
	}
	_, err := openb.ReadHosts(write(t, "h.csv", "sn,cpu_milli,memory_mib,gpu,model\nn,1,2,x,T4\n"))
	require.ErrorContains(t, err, `host "n"`)
	_, err = openb.ReadHosts(filepath.Join(t.TempDir(), "none.csv"))
	require.ErrorIs(t, err, os.ErrNotExist)
	plain := write(t, "plain.csv", head)
	zipped := plain + ".gz"
	require.NoError(t, os.Rename(plain, zipped))
	_, err = openb.ReadPods(zipped)
	require.ErrorContains(t, err, "unpack")
}
