package canon_test

import (
	"crypto/sha256"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/canon"
)

const domain = "idlegrid/canon/test/v1"

// message has a value of every sort.
type message struct {
	u8    uint8
	u16   uint16
	u32   uint32
	u64   uint64
	i64   int64
	yes   bool
	text  string
	bytes []byte
	raw   [3]byte
	at    time.Time
	list  []uint16
}

func full() message {
	return message{
		u8: math.MaxUint8, u16: math.MaxUint16 - 1, u32: math.MaxUint32 - 1, u64: math.MaxUint64 - 1, i64: math.MinInt64, yes: true,
		text: "a\x00ü", bytes: []byte{0, 1}, raw: [3]byte{7, 8, 9}, at: time.Date(1969, 7, 20, 20, 17, 40, 999_999_999, time.UTC), list: []uint16{1, 2, 3},
	}
}

func (m message) write() *canon.Writer {
	w := canon.NewWriter(domain)
	w.Uint8(m.u8)
	w.Uint16(m.u16)
	w.Uint32(m.u32)
	w.Uint64(m.u64)
	w.Int64(m.i64)
	w.Bool(m.yes)
	w.String(m.text)
	w.Bytes(m.bytes)
	w.Raw(m.raw[:])
	w.Time(m.at)
	w.Len(len(m.list))
	for _, v := range m.list {
		w.Uint16(v)
	}
	return w
}

func read(b []byte) (message, *canon.Reader) {
	r := canon.NewReader(b, domain)
	m := message{
		u8: r.Uint8(), u16: r.Uint16(), u32: r.Uint32(), u64: r.Uint64(), i64: r.Int64(), yes: r.Bool(), text: r.String(), bytes: r.Bytes(),
	}
	r.Raw(m.raw[:])
	m.at = r.Time()
	for range r.Len(2) {
		m.list = append(m.list, r.Uint16())
	}
	return m, r
}

func TestRoundTrip(t *testing.T) {
	for _, m := range []message{full(), {bytes: []byte{}, at: time.Unix(0, 0).UTC()}} {
		w := m.write()
		got, r := read(w.Data())
		require.NoError(t, r.Err())
		require.NoError(t, r.Close())
		require.Equal(t, m, got)
		require.Equal(t, w.Data(), got.write().Data())
		require.Equal(t, sha256.Sum256(w.Data()), w.Sum())
	}
}

// TestLayout pins the bytes: a change of them is a change of every digest.
func TestLayout(t *testing.T) {
	var w canon.Writer
	w.String("d")
	w.Uint8(1)
	w.Uint16(2)
	w.Uint32(3)
	w.Uint64(4)
	w.Int64(-1)
	w.Bool(true)
	w.Bool(false)
	w.Bytes([]byte{0xaa})
	w.Raw([]byte{0xbb})
	w.Time(time.Unix(5, 6))
	w.Len(7)
	require.Equal(t, []byte("\x00\x00\x00\x01d"+"\x01"+"\x00\x02"+"\x00\x00\x00\x03"+"\x00\x00\x00\x00\x00\x00\x00\x04"+"\xff\xff\xff\xff\xff\xff\xff\xff"+
		"\x01\x00"+"\x00\x00\x00\x01\xaa"+"\xbb"+"\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x06"+"\x00\x00\x00\x07"), w.Data())
}

// TestZone: an instant has one form, in whatever zone it is.
func TestZone(t *testing.T) {
	at := time.Date(2024, 6, 20, 1, 0, 0, 5, time.FixedZone("x", 3600))
	a, b := canon.NewWriter(domain), canon.NewWriter(domain)
	a.Time(at)
	b.Time(at.UTC())
	require.Equal(t, a.Sum(), b.Sum())
	r := canon.NewReader(a.Data(), domain)
	require.Equal(t, at.UTC(), r.Time())
}

// TestTruncated cuts a message at every byte: each is refused, by an error that stays, and the rest reads as zero.
func TestTruncated(t *testing.T) {
	whole := full().write().Data()
	for n := range whole {
		_, r := read(whole[:n])
		require.ErrorIs(t, r.Close(), canon.ErrMalformed, n)
		first := r.Err()
		require.Equal(t, []any{uint8(0), uint16(0), uint32(0), uint64(0), int64(0), false, "", []byte{}, 0, time.Time{}},
			[]any{r.Uint8(), r.Uint16(), r.Uint32(), r.Uint64(), r.Int64(), r.Bool(), r.String(), r.Bytes(), r.Len(1), r.Time()}, n)
		raw := [2]byte{1, 2}
		r.Raw(raw[:])
		require.Equal(t, [2]byte{1, 2}, raw)
		require.Equal(t, first, r.Close(), "the first error stays")
	}
}

func TestMalformed(t *testing.T) {
	write := func(f func(w *canon.Writer)) []byte {
		w := canon.NewWriter(domain)
		f(w)
		return w.Data()
	}
	for _, row := range []struct {
		name string
		b    []byte
		read func(r *canon.Reader)
		says string
	}{
		{"nothing", nil, func(*canon.Reader) {}, "4 bytes wanted, 0 left at byte 0"},
		{"another domain", canon.NewWriter("idlegrid/canon/test/v2").Data(), func(*canon.Reader) {}, `domain "idlegrid/canon/test/v2", want "` + domain + `"`},
		{"left over", write(func(w *canon.Writer) { w.Uint8(0) }), func(*canon.Reader) {}, "1 bytes left over at byte 26"},
		{"a bool of 2", write(func(w *canon.Writer) { w.Uint8(2) }), func(r *canon.Reader) { r.Bool() }, "bool 2"},
		{"a second of nanoseconds", write(func(w *canon.Writer) { w.Int64(0); w.Uint32(1_000_000_000) }), func(r *canon.Reader) { r.Time() }, "1000000000 nanoseconds"},
		{"a long string", write(func(w *canon.Writer) { w.Uint32(2); w.Uint8(0) }), func(r *canon.Reader) { _ = r.String() }, "2 elements of 1 bytes, 1 left"},
		{"an endless string", write(func(w *canon.Writer) { w.Uint32(math.MaxUint32) }), func(r *canon.Reader) { r.Bytes() }, "4294967295 elements of 1 bytes, 0 left"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := canon.NewReader(row.b, domain)
			row.read(r)
			require.ErrorIs(t, r.Close(), canon.ErrMalformed)
			require.ErrorContains(t, r.Close(), row.says)
		})
	}
}

func TestLen(t *testing.T) {
	for _, row := range []struct {
		n, size, rest int
		ok            bool
	}{
		{0, 8, 0, true},
		{1, 8, 7, false},
		{1, 8, 8, true},
		{2, 8, 15, false},
		{2, 8, 16, true},
		{2, 8, 17, true},
		{3, 0, 2, false}, // an element is a byte at least
		{3, 0, 3, true},
		{3, -1, 3, true},
		{-1, math.MaxInt, 100, false}, // written as 2^32-1
	} {
		w := canon.NewWriter(domain)
		w.Len(row.n)
		w.Raw(make([]byte, row.rest))
		r := canon.NewReader(w.Data(), domain)
		got := r.Len(row.size)
		if !row.ok {
			require.ErrorIs(t, r.Err(), canon.ErrMalformed, row)
			require.Zero(t, got)
			continue
		}
		require.NoError(t, r.Err(), row)
		require.Equal(t, row.n, got)
	}
}

// TestCopies: what a reader returns does not change with the message.
func TestCopies(t *testing.T) {
	w := canon.NewWriter(domain)
	w.Bytes([]byte("abc"))
	b := w.Data()
	r := canon.NewReader(b, domain)
	got := r.Bytes()
	b[len(b)-1] = 'x'
	require.Equal(t, "abc", string(got))
}

// FuzzRead: no input panics, and what is read is written back to the same bytes: there is one form of a value.
func FuzzRead(f *testing.F) {
	f.Add(full().write().Data())
	f.Add([]byte(strings.Repeat("\xff", 40)))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, r := read(b)
		if r.Close() != nil {
			require.ErrorIs(t, r.Err(), canon.ErrMalformed)
			return
		}
		require.Equal(t, b, m.write().Data())
	})
}
