package reputation

import (
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// Each fault in the sums of the weather is noticed.
func TestAuditNoticesStocks(t *testing.T) {
	for want, spoil := range map[string]func(*Book){
		"1 outages, 0 expected of 0":              func(b *Book) { b.stocks.o = 1 },
		"0 outages, 1 expected of 0":              func(b *Book) { b.stocks.x = 1 },
		"expected of 1152921504606846977":         func(b *Book) { b.stocks.n = 1<<60 + 1 },
		"4294967297 outages":                      func(b *Book) { b.stocks.next.o = unit + 1 },
		"4294967297 expected of 4294967296":       func(b *Book) { b.stocks.next.x = unit + 1 },
		"expected of 4294967297, 4294967296 left": func(b *Book) { b.stocks.next.n = unit + 1 },
		"1 outages, ":                             func(b *Book) { b.stocks.next.o = 1 },
		"stocks of 4294967295":                    func(b *Book) { b.stocks.asOf = 1<<32 - 1 },
		"stock that nobody took":                  func(b *Book) { b.stocks.taken = false },
	} {
		b, err := NewBook(Weighted())
		require.NoError(t, err)
		_, err = b.Apply(time.Unix(0, 0), Joined{Subject: "x"})
		require.NoError(t, err)
		for h := range int64(100) {
			_, err = b.Apply(time.Unix(h*3600, 0), Seen{Subject: "x", Up: true})
			require.NoError(t, err)
		}
		_, err = b.Apply(time.Unix(100*3600, 0), StockTaken{})
		require.NoError(t, err)
		require.NoError(t, b.Audit())
		spoil(b)
		require.ErrorContains(t, b.Audit(), want)
	}
}

// What a subject takes is told in docs/benchmarks.md.
func TestRecordSize(t *testing.T) {
	require.Equal(t, [2]uintptr{72, 24}, [2]uintptr{unsafe.Sizeof(record{}), unsafe.Sizeof(counts{})})
}
