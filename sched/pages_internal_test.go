package sched

import (
	"math/rand"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPagesViews keeps copies beside views and reads the views while the writer goes on: run it with -race.
func TestPagesViews(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	var p pages[int]
	p.grow(1)
	want := make([]int, p.len())
	var wg sync.WaitGroup
	for range 50 {
		for range 300 {
			if r.Intn(100) == 0 {
				p.grow(p.len() + 1)
				want = slices.Grow(want, pageLen)[:p.len()]
			}
			i := r.Intn(len(want))
			if r.Intn(3) > 0 {
				i = r.Intn(pageLen) // some pages stay as they are
			}
			v := r.Int()
			*p.edit(int32(i)), want[i] = v, v
		}
		require.Equal(t, want, all(&p))
		v, copied := p.view(), slices.Clone(want)
		wg.Go(func() { require.Equal(t, copied, all(&v)) })
	}
	wg.Wait()
	require.Equal(t, want, all(&p))
}

func all(p *pages[int]) []int {
	out := make([]int, p.len())
	for i := range out {
		out[i] = p.at(int32(i))
	}
	return out
}

func TestPagesAreLazy(t *testing.T) {
	var p pages[uint64]
	require.Zero(t, p.len())
	p.grow(3 * pageLen)
	require.EqualValues(t, 3*pageLen, p.len())
	p.grow(3*pageLen - 1)
	require.EqualValues(t, 3*pageLen, p.len())
	*p.edit(pageLen) = 1
	require.Nil(t, p.table[0])
	require.Nil(t, p.table[2])
	require.Zero(t, p.at(0))
	require.EqualValues(t, 1, p.at(pageLen))
	v := p.view()
	before := p.table[1]
	*p.edit(pageLen) = 2
	require.NotSame(t, before, p.table[1])
	require.EqualValues(t, 1, v.at(pageLen))
	again := p.table[1]
	*p.edit(pageLen + 1) = 3
	require.Same(t, again, p.table[1], "a page is copied once")
}
