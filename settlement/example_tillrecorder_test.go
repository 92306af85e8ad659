package settlement_test

import (
	"fmt"

	"github.com/idlegrid/idlegrid/settlement"
)

func ExampleNewTillRecorder() {
	store := &notes{}
	r, err := settlement.NewTillRecorder(tillParams(), store)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _ = r.Apply(noon, settlement.BillOpened{Bill: bill("a")})
	again, err := settlement.NewTillRecorder(tillParams(), store) // after a restart
	fmt.Println(err)
	b, known := again.Till().Bill("a")
	fmt.Println(b.Bill.Units, known)
	// Output:
	// <nil>
	// 25 true
}

// The process dies after the payment was recorded and before the bookmark was: the feed tells of it again, and it counts once.
func ExampleTillRecorder() {
	store := &notes{}
	for range 2 {
		r, err := settlement.NewTillRecorder(tillParams(), store)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("the feed goes on from %q\n", r.Bookmark())
		_, _ = r.Apply(noon, settlement.BillOpened{Bill: bill("a")})
		effects, err := r.Apply(noon, settlement.InflowSeen{Inflow: inflow("s1", 25, "a")})
		fmt.Println(effectLines(effects), err, r.Till().Totals(dollars).In)
	}
	// Output:
	// the feed goes on from ""
	// [credited a with 25 of s1, lacks 0] <nil> 25
	// the feed goes on from ""
	// [] <nil> 25
}

// A feed writes down how far it is, after what it has told.
func ExampleTillRecorder_SetBookmark() {
	store := &notes{}
	r, err := settlement.NewTillRecorder(tillParams(), store)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = r.Apply(noon, settlement.InflowSeen{Inflow: inflow("s1", 25)})
	fmt.Println(err, r.SetBookmark([]byte("after s1")))
	again, err := settlement.NewTillRecorder(tillParams(), store)
	fmt.Printf("%v %s\n", err, again.Bookmark())
	// Output:
	// <nil> <nil>
	// <nil> after s1
}
