package cpu

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/challenge"
)

// TestKernels holds every kernel to a plain sum, on entries that no seed will give: all at their ends, and mixed signs.
func TestKernels(t *testing.T) {
	for _, k := range []kernel{plainKernel(), bestKernel()} {
		for kind, ends := range map[challenge.Kind][2]int8{challenge.Int8: {-128, 127}, challenge.Fp16Ints: {-8, 7}} {
			for _, n := range []int{64, 256} {
				for pattern := range 6 {
					s := &stripe{a: make([]int8, stripeRows*n), c: make([]int32, stripeRows*n)}
					bt := make([]int8, n*n)
					at := func(i, what int) int8 {
						switch what {
						case 0:
							return ends[0]
						case 1:
							return ends[1]
						}
						return ends[(i*i/3+i/n)%2]
					}
					for i := range s.a {
						s.a[i] = at(i, pattern%3)
					}
					for i := range bt {
						bt[i] = at(i, pattern/3*2)
					}
					k.multiply(s, bt, n, kind)
					for row := range stripeRows {
						for col := range n {
							want := int32(0)
							for j := range n {
								want += int32(s.a[row*n+j]) * int32(bt[col*n+j])
							}
							require.Equal(t, want, s.c[row*n+col], "%s %v n %d row %d column %d", k.name, kind, n, row, col)
						}
					}
				}
			}
		}
	}
}
