package calibrate

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// ReadTrace reads a trace from two CSV files, each plain or gzip: intervals (node, up_from_snapshot,
// up_until_snapshot_exclusive) and snapshots (snapshot, unix_time and any more columns). Both begin with a header.
func ReadTrace(intervals, snapshots io.Reader) (*Trace, error) {
	var times []int64
	err := eachRow(snapshots, "snapshots", []string{"snapshot", "unix_time"}, func(v []uint64) error {
		if v[0] != uint64(len(times)) || v[1] >= 1<<32 {
			return fmt.Errorf("%w: snapshot %d at %d, want number %d, before 2106", ErrInvalid, v[0], v[1], len(times))
		}
		times = append(times, int64(v[1]))
		return nil
	})
	if err != nil {
		return nil, err
	}
	var nodes []Node
	index := map[uint64]int{}
	columns := []string{"node", "up_from_snapshot", "up_until_snapshot_exclusive"}
	err = eachRow(intervals, "intervals", columns, func(v []uint64) error {
		if v[2] > uint64(len(times)) || v[1] >= v[2] {
			return fmt.Errorf("%w: node %d is up from %d until %d, of %d snapshots", ErrInvalid, v[0], v[1], v[2], len(times))
		}
		i, known := index[v[0]]
		if !known {
			i = len(nodes)
			index[v[0]], nodes = i, append(nodes, Node{ID: v[0]})
		}
		nodes[i].Up = append(nodes[i].Up, Interval{From: int(v[1]), Until: int(v[2])})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return NewTrace(times, nodes)
}

// unpacked reads through gzip where the first two bytes say so.
func unpacked(r io.Reader) (io.Reader, error) {
	b := bufio.NewReaderSize(r, 1<<16)
	head, err := b.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(head) == 2 && head[0] == 0x1f && head[1] == 0x8b {
		return gzip.NewReader(b)
	}
	return b, nil
}

// eachRecord calls f with the texts of the first columns of every row, whose names the header has to give. The slice is reused.
func eachRecord(r io.Reader, name string, columns []string, f func([]string) error) error {
	plain, err := unpacked(r)
	if err != nil {
		return fmt.Errorf("calibrate: %s: %w", name, err)
	}
	rows := csv.NewReader(plain)
	rows.ReuseRecord = true
	for first := true; ; first = false {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			if first {
				return fmt.Errorf("%w: %s: empty, want the columns %q", ErrInvalid, name, columns)
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("calibrate: %s: %w", name, err)
		}
		line, _ := rows.FieldPos(0)
		if len(row) < len(columns) || first && !slices.Equal(row[:len(columns)], columns) {
			return fmt.Errorf("%w: %s: line %d is %q, want the columns %q", ErrInvalid, name, line, row, columns)
		}
		if first {
			continue
		}
		if err := f(row[:len(columns)]); err != nil {
			return fmt.Errorf("%s: line %d: %w", name, line, err)
		}
	}
}

// eachRow is eachRecord for columns of whole numbers.
func eachRow(r io.Reader, name string, columns []string, f func([]uint64) error) error {
	values := make([]uint64, len(columns))
	return eachRecord(r, name, columns, func(row []string) error {
		for i, text := range row {
			v, err := strconv.ParseUint(text, 10, 63)
			if err != nil {
				return fmt.Errorf("%w: %s is %q, not a whole number", ErrInvalid, columns[i], text)
			}
			values[i] = v
		}
		return f(values)
	})
}
