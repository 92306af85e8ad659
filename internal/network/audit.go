package network

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/idlegrid/idlegrid/internal/canon"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// Audit returns the first invariant that is broken, of a core or of the composition, and nil if none is.
func (n *Network) Audit() error {
	for _, core := range []struct {
		name  string
		audit func() error
	}{
		{"gpu", n.registry.Audit},
		{"reputation", n.book.Audit},
		{"staking", n.pool.Audit},
		{"sched", n.fleet.Audit},
		{"tokenomics", n.supply.Audit},
		{"settlement", n.journal.Audit},
	} {
		if err := core.audit(); err != nil {
			return fmt.Errorf("network: %s: %w", core.name, err)
		}
	}
	return n.auditMoney()
}

// auditMoney compares what was emitted, rewarded, decided and burned across the cores.
func (n *Network) auditMoney() error {
	var emitted, issued, carried, burned tokenomics.Amount
	for _, b := range n.blocks {
		emitted += b.Emission
		issued += b.Paid()
	}
	for _, pool := range slices.Sorted(maps.Keys(n.carry)) {
		carried += n.carry[pool]
	}
	if emitted != issued+carried+n.held {
		return fmt.Errorf("%w: emitted %s, paid %s + carried %s + held %s", ErrBroken, emitted, issued, carried, n.held)
	}
	if got := n.pool.Books().Rewards; got != issued {
		return fmt.Errorf("%w: blocks paid %s, the staking pool was given %s", ErrBroken, issued, got)
	}
	var decided, received tokenomics.Amount
	var all, paid int
	for p := range n.journal.Payments() {
		if p.Intent.From == n.p.Accounts.Rewards {
			decided += tokenomics.Amount(p.Intent.Units)
		}
		all++
		if p.State == settlement.StatePaid {
			paid++
			if p.Intent.From == n.p.Accounts.Rewards {
				received += tokenomics.Amount(p.Intent.Units)
			}
		}
		if p.Intent.Kind == settlement.Burn && p.State == settlement.StatePaid {
			burned += tokenomics.Amount(p.Intent.Units)
		}
	}
	if decided != issued {
		return fmt.Errorf("%w: blocks paid %s, %s were decided from the reward vault", ErrBroken, issued, decided)
	}
	books := n.supply.Books()
	if books.BurnedTotal != burned {
		return fmt.Errorf("%w: the chain burned %s, the supply says %s", ErrBroken, burned, books.BurnedTotal)
	}
	if books.Rewards != emitted-received {
		return fmt.Errorf("%w: of %s emitted %s were received, the supply holds %s as rewards", ErrBroken, emitted, received, books.Rewards)
	}
	if all != n.decided || paid != n.paidOut {
		return fmt.Errorf("%w: %d payments, %d paid; counted were %d, %d", ErrBroken, all, paid, n.decided, n.paidOut)
	}
	for _, id := range slices.SortedFunc(maps.Keys(n.refused), compareIDs) {
		if p, ok := n.journal.Payment(id); !ok || p.State != settlement.StateRefused {
			return fmt.Errorf("%w: payment %s counts as refused and is %s", ErrBroken, id, p.State)
		}
	}
	return n.auditBills()
}

func (n *Network) auditBills() error {
	pending, refusals := make([]int, len(n.bills)), make([]int, len(n.bills))
	for _, id := range slices.SortedFunc(maps.Keys(n.waiting), compareIDs) {
		pending[n.waiting[id]]++
		if n.refused[id] {
			refusals[n.waiting[id]]++
		}
	}
	for i, b := range n.bills {
		if b.pending != pending[i] || b.refusals != refusals[i] {
			return fmt.Errorf("%w: bill of lease %q waits for %d intents, %d of them refused; open are %d, %d", ErrBroken, b.Lease, b.pending, b.refusals, pending[i], refusals[i])
		}
		var net, gets tokenomics.USD
		var parts tokenomics.Amount
		for _, p := range b.Suppliers {
			net, gets, parts = net+p.Net, gets+p.Gets, parts+p.Amount
		}
		if net != b.Net || gets+b.Revenue != b.Pays {
			return fmt.Errorf("%w: bill of lease %q: parts %s of net %s; %s + %s of %s", ErrBroken, b.Lease, net, b.Net, gets, b.Revenue, b.Pays)
		}
		if b.Stage >= StageSharing && b.Stage <= StageDone && parts+b.Burn+b.Treasury != b.Paid {
			return fmt.Errorf("%w: bill of lease %q: %s + %s + %s shared of %s", ErrBroken, b.Lease, parts, b.Burn, b.Treasury, b.Paid)
		}
	}
	return nil
}

// Digest returns the SHA-256 over the digests of all cores and what the composition knows beside them.
func (n *Network) Digest() [32]byte {
	w := canon.NewWriter("idlegrid/network/v1")
	w.Time(n.now)
	for _, d := range [][32]byte{
		n.registry.Digest(), n.book.Digest(), n.pool.Digest(), n.fleet.Digest(), n.supply.Digest(), n.journal.Digest(),
	} {
		w.Raw(d[:])
	}
	encodePrice(w, n.price)
	w.Uint32(uint32(n.closed))
	w.Uint64(uint64(n.held))
	w.Uint64(uint64(n.issued))
	for _, pool := range slices.Sorted(maps.Keys(n.carry)) {
		w.Uint8(uint8(pool))
		w.Uint64(uint64(n.carry[pool]))
	}
	for _, at := range slices.SortedFunc(maps.Keys(n.other), poolOf.compare) {
		w.Uint32(uint32(at.epoch))
		w.Uint8(uint8(at.pool))
		w.Uint64(n.other[at])
	}
	for _, name := range n.sortedNodes() {
		w.String(name)
		n.nodes[name].encode(w)
	}
	for _, id := range slices.Sorted(maps.Keys(n.byLease)) {
		w.String(string(id))
		w.String(n.byLease[id].wallet)
		w.Uint8(uint8(n.byLease[id].currency))
	}
	w.Len(len(n.bills)) // what is refused follows from the journal; which intent each waits for follows from its stage and the journal
	for _, b := range n.bills {
		b.encode(w)
	}
	return w.Sum()
}

func (p poolOf) compare(q poolOf) int {
	return cmp.Or(cmp.Compare(p.epoch, q.epoch), cmp.Compare(p.pool, q.pool))
}

func encodePrice(w *canon.Writer, p tokenomics.Price) {
	w.Uint64(p.MicroPerToken)
	w.Time(p.At)
	w.String(p.Source)
}

func (x *node) encode(w *canon.Writer) {
	w.Raw(x.key[:])
	w.String(x.supplier)
	hardware := x.inventory.Digest()
	w.Raw(hardware[:])
	w.Time(x.admitted)
	w.Uint8(uint8(x.assurance))
	w.Uint8(uint8(x.health))
	w.Bool(x.draining)
	w.String(x.unfit)
	w.Bool(x.listing != nil)
	if l := x.listing; l != nil {
		w.String(l.Site)
		w.String(l.Country)
		w.Uint8(l.Connectivity)
		w.Uint64(l.CPUMilli)
		w.Uint64(l.RAMMiB)
		w.Uint64(l.HourMicro)
	}
	w.Len(len(x.attestations))
	for _, a := range x.attestations {
		w.String(string(a.Criterion))
		w.String(a.Issuer)
		w.Time(a.IssuedAt)
		w.Time(a.ExpiresAt)
	}
	w.Bool(x.up)
	w.Time(x.upSince)
	w.Bool(x.rated)
	grade, err := json.Marshal(x.grade)
	must(err)
	w.Bytes(grade)
	w.Uint32(x.score.Standing)
	w.Uint32(x.score.UpPPM)
}

func (b *Bill) encode(w *canon.Writer) {
	w.String(string(b.Lease))
	w.String(string(b.Job))
	w.String(b.Wallet)
	w.Uint8(uint8(b.Currency))
	w.Uint32(uint32(b.Epoch))
	w.Uint64(uint64(b.Net))
	w.Uint64(uint64(b.Pays))
	w.Uint64(uint64(b.Revenue))
	encodePrice(w, b.Price)
	w.Uint64(uint64(b.Paid))
	w.Uint64(uint64(b.Unspent))
	w.Len(len(b.Suppliers))
	for _, p := range b.Suppliers {
		w.String(p.Wallet)
		w.Uint64(uint64(p.Net))
		w.Uint64(uint64(p.Gets))
		w.Uint64(uint64(p.Amount))
	}
	w.Uint64(uint64(b.Burn))
	w.Uint64(uint64(b.Treasury))
	w.Uint8(uint8(b.Stage))
	w.Int64(int64(b.pending))
	w.Int64(int64(b.refusals))
	w.Uint8(uint8(b.stopped))
}

func compareIDs(a, b settlement.IntentID) int { return slices.Compare(a[:], b[:]) }
