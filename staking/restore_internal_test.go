package staking

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Damage that the snapshot carries is refused when it is restored, with the place named.
func TestRestoreNotices(t *testing.T) {
	long := strings.Repeat("x", 129)
	for name, damage := range map[string]func(*Pool){
		"the totals say":               func(p *Pool) { p.books.Rewards++ },
		"holder has 129 bytes":         func(p *Pool) { p.holders[1].id = HolderID(long) },
		"bond is empty":                func(p *Pool) { p.bonds[1].id = "" },
		"offer is empty":               func(p *Pool) { p.offers[1].id = "" },
		"holder \"sam\" is not":        func(p *Pool) { p.holders[1].id = "sam" },
		"bond \"b\" is not indexed":    func(p *Pool) { p.bonds[0].id = "b" },
		"offer \"o1\" is not indexed":  func(p *Pool) { p.offers[2].id = "o1" },
		"holder \"eve\" holds nothing": func(p *Pool) { p.bonds[1].owner = 0 },
		"bond \"b\": owner 3":          func(p *Pool) { p.bonds[1].owner = 3 },
		"at least one processor":       func(p *Pool) { p.bonds[1].gpus = 0 },
		"bond 2, holder 0, open":       func(p *Pool) { p.offers[2].bond = 2 },
		"bond 0, holder 1, open":       func(p *Pool) { p.offers[2].holder = 1 },
		"holder 0, state(0)":           func(p *Pool) { p.offers[2].state = 0 },
		"holder 0, expired":            func(p *Pool) { p.offers[2].state = StateExpired },
		"lot of holder 3":              func(p *Pool) { p.bonds[0].lots[0].holder = 3 },
		"offer 3, paid":                func(p *Pool) { p.bonds[0].lots[2].offer = 3 },
		"paid 0.00001002":              func(p *Pool) { p.bonds[0].lots[2].paid = 1_002 },
		"on top of 600":                func(p *Pool) { p.bonds[0].lots[1].balance = 1<<64 - 1 },
		"on top of 0.00001001":         func(p *Pool) { p.bonds[1].rewarded, p.bonds[1].lastEpoch = 1<<64-1, 101 },
	} {
		t.Run(name, func(t *testing.T) {
			p := audited(t)
			damage(p)
			_, err := Restore(p.params, p.Snapshot())
			require.ErrorIs(t, err, ErrSnapshot)
			require.ErrorContains(t, err, name)
		})
	}
}
