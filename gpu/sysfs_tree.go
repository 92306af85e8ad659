package gpu

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// maxFile is the most that is read of one file: /proc/cpuinfo of 256 threads has about 400 KiB, a device's files a few lines.
const maxFile = 1 << 20

// tree reads small text files below a directory of a file system.
type tree struct {
	ctx context.Context //nolint:containedctx // lives for one probe, and saves an argument at some sixty places
	fs  fs.FS
	dir string // "" is the root
}

func (t tree) path(name string) string {
	switch {
	case t.dir == "":
		return name
	case name == "":
		return t.dir
	}
	return t.dir + "/" + name
}

// read returns a file's content, at most maxFile bytes of it.
func (t tree) read(name string) Opt[string] {
	if err := t.ctx.Err(); err != nil {
		return None[string](WhyTimeout)
	}
	f, err := t.fs.Open(t.path(name))
	if err != nil {
		return None[string](whyOf(t.ctx, err))
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err = errors.Join(err, f.Close()); err != nil {
		return None[string](whyOf(t.ctx, err))
	}
	return Some(string(b))
}

// text returns a file's only line, if it is printable ASCII of a length that an inventory takes. An empty file has no value.
func (t tree) text(name string) Opt[string] {
	o := t.read(name)
	if !o.OK {
		return o
	}
	s := strings.TrimSpace(o.V)
	switch {
	case s == "":
		return None[string](WhyNotSupported)
	case checkText(name, s, true) != nil:
		return None[string](WhyUnreadable)
	}
	return Some(s)
}

// list returns the names in a directory that begin with a prefix, sorted; none if it cannot be read.
func (t tree) list(name, prefix string) Opt[[]string] {
	if err := t.ctx.Err(); err != nil {
		return None[[]string](WhyTimeout)
	}
	entries, err := fs.ReadDir(t.fs, t.path(name))
	if err != nil {
		return None[[]string](whyOf(t.ctx, err))
	}
	var out []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) {
			out = append(out, e.Name())
		}
	}
	slices.Sort(out)
	return Some(out)
}

// number64 reads a file that holds one decimal number.
func number64(t tree, name string) Opt[uint64] { return unsigned(t.text(name), 10) }

// hexNumber reads a file that holds one hexadecimal number, with or without 0x, that fits T.
func hexNumber[T uint8 | uint16 | uint32 | uint64](t tree, name string) Opt[T] {
	o := t.text(name)
	o.V = strings.TrimPrefix(o.V, "0x")
	wide := unsigned(o, 16)
	switch v := T(wide.V); {
	case !wide.OK:
		return None[T](wide.Why)
	case uint64(v) != wide.V:
		return None[T](WhyUnreadable)
	default:
		return Some(v)
	}
}

// scaled reads a decimal number of smaller units and divides it, rounding down.
func scaled(t tree, name string, by uint64) Opt[uint32] {
	o := number64(t, name)
	if !o.OK {
		return None[uint32](o.Why)
	}
	if o.V/by > 1<<32-1 {
		return None[uint32](WhyUnreadable)
	}
	return Some(uint32(o.V / by))
}

// percent reads a decimal number from 0 to 100.
func percent(t tree, name string) Opt[uint32] {
	o := scaled(t, name, 1)
	if o.OK && o.V > 100 {
		return None[uint32](WhyUnreadable)
	}
	return o
}

// celsius reads thousandths of a degree, which may be negative, and rounds toward zero.
func celsius(t tree, name string) Opt[int32] {
	o := t.text(name)
	if !o.OK {
		return None[int32](o.Why)
	}
	v, err := strconv.ParseInt(o.V, 10, 32)
	if err != nil {
		return None[int32](WhyUnreadable)
	}
	return Some(int32(v / 1000))
}

// unsigned reads a number as text.
func unsigned(o Opt[string], base int) Opt[uint64] {
	if !o.OK {
		return None[uint64](o.Why)
	}
	v, err := strconv.ParseUint(o.V, base, 64)
	if err != nil {
		return None[uint64](WhyUnreadable)
	}
	return Some(v)
}
