package sched

import (
	"fmt"
	"math/rand"
	"os"
	"sort"
	"testing"
	"time"
)

func dev() int {
	if os.Getenv("DEV") != "" {
		return 100_000
	}
	return 1_000_000
}

func TestZZ(t *testing.T) {
	nodes := benchNodes(1_000_000, false)
	x := newIndex(benchBands())
	cnt := map[[2]int32]int32{}
	for i := range nodes {
		cnt[[2]int32{nodes[i].facts.kind, nodes[i].facts.country}]++
	}
	if os.Getenv("RES") != "" {
		for k := range int32(32) {
			for c := range int32(130) {
				x.reserve(k, c, cnt[[2]int32{k, c}])
			}
		}
	}
	for i := range nodes {
		x.setUp(x.add(nodes[i].facts), true)
	}
	fmt.Println("end", x.nodes.end)
	var used, size [20]int
	var num [20]int
	for p := range x.partCount {
		t := &x.part(p).nodes
		b := bucket(t.used)
		used[b] += int(t.used)
		size[b] += int(t.size)
		num[b]++
	}
	for b := range used {
		if num[b] > 0 {
			fmt.Println(1<<b, "n", num[b], "used", used[b], "size", size[b], "waste", size[b]-used[b])
		}
	}
	if os.Getenv("W") != "" {
		return
	}
	fillTo(x, rand.New(rand.NewSource(2)), 50)
	var c cursor
	qs := benchQueries(4096, false)
	var hot, cold []float64
	for round := range 3 {
		cold = cold[:0]
		_ = round
		for i := range qs {
			q := &qs[i]
			a := time.Now()
			best(x, q, &c)
			d := time.Since(a)
			cold = append(cold, float64(d.Nanoseconds()))
		}
	}
	for i := range 400 {
		q := &qs[i]
		a := time.Now()
		for range 50 {
			best(x, q, &c)
		}
		d := time.Since(a)
		hot = append(hot, float64(d.Nanoseconds())/50)
	}
	a := time.Now()
	for range 1000 {
		x.start(&qs[0], &c)
	}
	fmt.Println("start", time.Since(a)/1000)
	a = time.Now()
	for range 1000 {
		time.Now()
	}
	fmt.Println("now", time.Since(a)/1000)
	sort.Float64s(hot)
	sort.Float64s(cold)
	for _, p := range []int{10, 50, 90, 99} {
		fmt.Println(p, "hot", hot[len(hot)*p/100], "cold", cold[len(cold)*p/100])
	}
}
