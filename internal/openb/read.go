package openb

import (
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// ReadHosts reads a list of hosts, unpacked if its name ends in .gz: sn, cpu_milli, memory_mib, gpu, model.
func ReadHosts(path string) ([]Host, error) {
	rows, err := readCSV(path, "sn", "cpu_milli", "memory_mib", "gpu", "model")
	if err != nil {
		return nil, err
	}
	hosts := make([]Host, len(rows))
	for i, r := range rows {
		n, err := numbers(r[1:4])
		if err != nil {
			return nil, fmt.Errorf("openb: %s: host %q: %w", path, r[0], err)
		}
		hosts[i] = Host{Name: r[0], CPUMilli: n[0], MemoryMiB: n[1], GPUs: int(n[2]), Model: r[4]}
	}
	return hosts, nil
}

// ReadPods reads a list of pods, unpacked if its name ends in .gz: name, cpu_milli, memory_mib, num_gpu, gpu_milli, and gpu_spec
// where the list has it. More than 1000 thousandths per card are cut to 1000; pods without cards lose share and models.
func ReadPods(path string) ([]Pod, error) {
	rows, err := readCSV(path, "name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli")
	if err != nil {
		return nil, err
	}
	pods := make([]Pod, len(rows))
	for i, r := range rows {
		n, err := numbers(r[1:5])
		if err != nil {
			return nil, fmt.Errorf("openb: %s: pod %q: %w", path, r[0], err)
		}
		s := Spec{CPUMilli: n[0], MemoryMiB: n[1], GPUs: int(n[2])}
		if s.GPUs > 0 {
			s.Milli = min(n[3], wholeCard)
			if len(r) > 5 { // the multigpu lists have five columns
				s.Models = r[5]
			}
			if s.Milli == 0 || s.GPUs > 1 && s.Milli != wholeCard {
				return nil, fmt.Errorf("openb: %s: pod %q: %d cards of %d thousandths", path, r[0], s.GPUs, n[3])
			}
		}
		pods[i] = Pod{Name: r[0], Spec: s}
	}
	return pods, nil
}

// readCSV reads a file whose header begins with the given columns, and leaves the header out.
func readCSV(path string, columns ...string) ([][]string, error) {
	f, err := os.Open(path) //nolint:gosec // the caller's file
	if err != nil {
		return nil, fmt.Errorf("openb: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	var in io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			return nil, fmt.Errorf("openb: unpack %s: %w", path, err)
		}
	}
	rows, err := csv.NewReader(in).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("openb: read %s: %w", path, err)
	}
	if len(rows) == 0 || len(rows[0]) < len(columns) {
		return nil, fmt.Errorf("openb: %s: want columns %q", path, columns)
	}
	for i, c := range columns {
		if rows[0][i] != c {
			return nil, fmt.Errorf("openb: %s: column %d is %q, want %q", path, i, rows[0][i], c)
		}
	}
	return rows[1:], nil
}

func numbers(texts []string) ([]int64, error) {
	out := make([]int64, len(texts))
	for i, s := range texts {
		v, err := strconv.ParseInt(s, 10, 32)
		if err != nil {
			return nil, err
		}
		if v < 0 {
			return nil, fmt.Errorf("%q is negative", s)
		}
		out[i] = v
	}
	return out, nil
}
