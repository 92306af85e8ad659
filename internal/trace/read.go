package trace

import (
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
)

// ReadOpenb reads the GPU hosts and the whole-card pods of the trace: openb_node_list_gpu_node.csv, and one list of pods, for
// example "pods/openb_pod_list_default.csv.gz". Pods that ask for a share of a card or for none are left out. Hosts and pods come in the order of the files.
func ReadOpenb(fsys fs.FS, pods string) ([]Host, []Pod, error) {
	rows, err := readCSV(fsys, "openb_node_list_gpu_node.csv", "sn", "cpu_milli", "memory_mib", "gpu", "model")
	if err != nil {
		return nil, nil, err
	}
	var hosts []Host
	for _, r := range rows {
		n := numbers(r[1:4])
		if n == nil {
			return nil, nil, fmt.Errorf("trace: openb_node_list_gpu_node.csv: host %q: %q", r[0], r)
		}
		hosts = append(hosts, Host{Model: r[4], GPUs: int(n[2]), CPUMilli: n[0], MemoryMiB: n[1]})
	}
	if rows, err = readCSV(fsys, pods, "name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli"); err != nil {
		return nil, nil, err
	}
	var out []Pod
	for _, r := range rows {
		n := numbers(r[1:5])
		if n == nil {
			return nil, nil, fmt.Errorf("trace: %s: pod %q: %q", pods, r[0], r)
		}
		if n[2] == 0 || n[3] < 1000 {
			continue
		}
		p := Pod{CPUMilli: n[0], MemoryMiB: n[1], GPUs: int(n[2])}
		if len(r) > 5 { // the multigpu lists have five columns
			p.Models = r[5]
		}
		out = append(out, p)
	}
	return hosts, out, nil
}

// readCSV reads a file, unpacked if its name ends in .gz, whose header begins with the given columns.
func readCSV(fsys fs.FS, name string, columns ...string) ([][]string, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	var in io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			return nil, fmt.Errorf("trace: unpack %s: %w", name, err)
		}
	}
	rows, err := csv.NewReader(in).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("trace: read %s: %w", name, err)
	}
	if len(rows) == 0 || len(rows[0]) < len(columns) {
		return nil, fmt.Errorf("trace: %s: want columns %q", name, columns)
	}
	for i, c := range columns {
		if rows[0][i] != c {
			return nil, fmt.Errorf("trace: %s: column %d is %q, want %q", name, i, rows[0][i], c)
		}
	}
	return rows[1:], nil
}

// numbers returns nil if one of the texts is no number.
func numbers(texts []string) []uint64 {
	out := make([]uint64, len(texts))
	for i, s := range texts {
		v, err := strconv.ParseUint(s, 10, 32)
		if err != nil {
			return nil
		}
		out[i] = v
	}
	return out
}
