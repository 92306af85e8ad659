package sched

import (
	"fmt"
	"math/rand"
	"testing"
)

func TestZZ(t *testing.T) {
	x := benchIndex(benchNodes(1_000_000, false))
	fillTo(x, rand.New(rand.NewSource(2)), 50)
	fmt.Println("end", x.nodes.end, "parts", x.partCount, "runs end", x.runSpace.end, "nodes", x.total.nodes)
	pg := func(n int, f func(i int) bool) (c int) {
		for i := range n {
			if f(i) {
				c++
			}
		}
		return
	}
	fmt.Println("record pages", pg(len(x.records.table), func(i int) bool { return x.records.table[i] != nil }), "of", len(x.records.table))
	fmt.Println("run pages", pg(len(x.runs.table), func(i int) bool { return x.runs.table[i] != nil }), "of", len(x.runs.table))
	bp := 0
	for m := range x.buckets {
		bp += pg(len(x.buckets[m].table), func(i int) bool { return x.buckets[m].table[i] != nil })
	}
	fmt.Println("bucket pages", bp)
	big := 0
	for p := range x.partCount {
		if x.part(p).nodes.used > 1000 {
			big++
		}
	}
	fmt.Println("big", big)
	var c cursor
	hits := 0
	qs := benchQueries(4096, false)
	for i := range qs {
		q := &qs[i]
		for x.start(q, &c); ; {
			j := x.next(q, &c)
			if j < 0 {
				break
			}
			hits++
			if hits%16 == 0 {
				break
			}
		}
		hits = 0
	}
}
