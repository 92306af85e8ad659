package idlegrid_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// The reward that io.net published for an A100 80GB in the block of 2024-06-20T00:00. The README shows these lines.
func Example() {
	// README begins
	p := tokenomics.IONet()
	hour := time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC)
	epoch, err := p.Calendar.At(hour)
	schedule, err2 := tokenomics.NewSchedule(p.Emission)
	pools, err3 := p.Pools.Divide(schedule.Emission(epoch), hour)
	score, err4 := tokenomics.BaseScore(tokenomics.ScoreInput{
		Version: tokenomics.ScoreV2, Connectivity: 4, Multiplier: 500, Quantity: 1, // hundredths
	})
	block, err5 := tokenomics.Distribute(pools[0].Amount, 415_972_440, []tokenomics.Share{{ID: "a100", Score: score}})
	fmt.Println(schedule.Emission(epoch), score, block.Rewards[0].Amount, errors.Join(err, err2, err3, err4, err5))
	// Output: 4559.62004271 100200 0.87866191 <nil>
}
