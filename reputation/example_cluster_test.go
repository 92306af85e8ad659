package reputation_test

import (
	"fmt"

	"github.com/idlegrid/idlegrid/reputation"
)

// Eight cards of 99 % and one spare, in a network whose days differ as those of Tor's relays did.
func ExampleClusterModel() {
	c := must(reputation.NewClusterModel(reputation.DefaultFrailty()))
	var cards []reputation.Member
	for i := range 9 {
		cards = append(cards, reputation.Member{UpPPM: 990_000, Site: fmt.Sprint("site-", i/3), Owner: fmt.Sprint("owner-", i/3)})
	}
	fmt.Println("all of eight:", c.AllUp(cards[:8]))
	fmt.Println("eight of nine:", c.AtLeast(cards, 8))
	fmt.Println("worth of each:", c.Marginals(cards, 8)[0])
	elsewhere := reputation.Member{UpPPM: 985_000, Site: "site-9", Owner: "owner-9"}
	same := reputation.Member{UpPPM: 988_000, Site: "site-0", Owner: "owner-0"}
	fmt.Println("a tenth at the same site, elsewhere:", c.Gains(cards, []reputation.Member{same, elsewhere}, 8))
	n, ok := c.Fill(append(cards, same, elsewhere), 8, 990_000)
	fmt.Println("taken in this order:", n, ok)
	who, ok := c.Spares(append(cards, same, elsewhere), 8, 988_500)
	fmt.Println("chosen for 98.85 %:", who, ok)
	fmt.Println("sites have in common:", c.Frailty().SitePPM)
	// Output:
	// all of eight: 936453
	// eight of nine: 988482
	// worth of each: 52029
	// a tenth at the same site, elsewhere: [3885 3811]
	// taken in this order: 10 true
	// chosen for 98.85 %: [0 1 2 3 4 5 6 7 8 9] true
	// sites have in common: 190000
}

// How many spares 99 % takes.
func ExampleNewClusterModel() {
	c := must(reputation.NewClusterModel(reputation.Frailty{VariancePPM: 1_400_000}))
	spares, ok := c.SparesFor(64, 990_000, 990_000)
	fmt.Println(spares, ok)
	for _, row := range c.SparesTable([]uint32{970_000, 980_000, 990_000}, []int{8, 16, 32, 64, 128}, 990_000) {
		fmt.Println(row)
	}
	// Output:
	// 5 true
	// [3 4 7 13 25]
	// [2 3 5 9 17]
	// [1 2 3 5 9]
}

func ExampleDefaultFrailty() {
	f := reputation.DefaultFrailty()
	fmt.Println(f.VariancePPM, f.SitePPM, f.OwnerPPM)
	// Output: 1430000 190000 50000
}

func ExampleFrailty() {
	fmt.Println(reputation.Frailty{SitePPM: 600_000, OwnerPPM: 500_000}.Validate())
	// Output: reputation: invalid: site_ppm 600000 and owner_ppm 500000 are together above 10^6
}
