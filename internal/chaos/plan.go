package chaos

import (
	"fmt"
	"strconv"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

const (
	epoch     = 1
	endpoints = 3
	quorum    = 2
	keyName   = "chaos payer"
	// reclaimAfter is longer than any clock of a script jumps forward in a mode in which attempts exist that a journal has not
	// heard of; see Generate.
	reclaimAfter = 3 * 3600
	halfDay      = 12 * 3600
)

// params is the policy of every journal of the campaign.
func params(a settlement.Asset, lines int) settlement.Params {
	return settlement.Params{
		Version: "chaos/1", MaxLines: uint16(lines), Quorum: quorum, ReclaimAfterSeconds: reclaimAfter, Assets: []settlement.Asset{a},
	}
}

// recipient is the name of the wallet of a line.
func recipient(i int) string { return "recipient " + strconv.Itoa(i) }

// units is what line i is owed: no two lines are alike, so that money that went to the wrong one is seen.
func units(i int) uint64 { return uint64(1_000_000 + i) }

// wallets returns the addresses of all recipients.
func wallets(w World) []settlement.Account {
	out := make([]settlement.Account, w.Batches*w.Lines)
	for i := range out {
		out[i] = svmtest.Address(svmtest.Key(recipient(i)))
	}
	return out
}

// decided is what every payer of a world is told to pay by one wave: one batch.
func decided(a settlement.Asset, w World, wave int) settlement.Decided {
	from := svmtest.Address(svmtest.Key(keyName))
	out := settlement.Decided{Epoch: epoch}
	for i := wave * w.Lines; i < (wave+1)*w.Lines; i++ {
		out.Intents = append(out.Intents, settlement.Intent{
			ID: settlement.NewIntentID(settlement.Pay, fmt.Sprintf("chaos %d", i)), Kind: settlement.Pay, Asset: a, From: from,
			To: svmtest.Address(svmtest.Key(recipient(i))), Units: units(i),
		})
	}
	return out
}

// waves is how many batches are decided at a tick: the first at once, the last when three quarters of the ticks are over.
func waves(w World, tick int) int { return min(w.Batches, 1+4*tick*w.Batches/(3*w.Ticks)) }
