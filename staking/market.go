package staking

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// ErrQuery is wrapped by every error about a [Query]. The message names the field and its limits.
var ErrQuery = errors.New("staking: query")

// SortKey is what the offers of a market are ordered by. Offers that are equal in it follow each other by identifier.
type SortKey uint8

// The keys.
const (
	// ByYield puts the highest mean yield first, and offers without an outlook last.
	ByYield SortKey = 0
	// ByShare puts the largest part of the rewards first.
	ByShare SortKey = 1
	// ByLeft puts the largest amount that is left first.
	ByLeft SortKey = 2
	// ByExpiry puts the offer that expires first first.
	ByExpiry SortKey = 3
	// ByNewest puts the offer that was posted last first.
	ByNewest SortKey = 4
)

// Query says which open offers a holder wants to see, and how. The zero value asks for all that can be accepted, by yield.
type Query struct {
	// Bond leaves only the offers of this bond; empty is any.
	Bond BondID
	// Holder is for whom the offers are: those that this holder cannot accept are left out, or explained. Empty is nobody:
	// then only what would stop everybody counts.
	Holder HolderID
	// MinAmount leaves out offers of which less can be filled, in base units; 0 is no limit.
	MinAmount tokenomics.Amount
	// MaxAmount leaves out offers of which no less than more can be filled, in base units; 0 is no limit.
	MaxAmount tokenomics.Amount
	// MinShareBps leaves out offers that give a smaller part of the rewards for the whole amount, in basis points.
	MinShareBps uint32
	// MaxLock leaves out offers with a longer lock; 0 is no limit. One nanosecond asks for offers without a lock.
	MaxLock time.Duration
	// MinMultiplierCenti leaves out devices with a smaller multiplier for stake, in hundredths.
	MinMultiplierCenti uint32
	// MinYieldPPM leaves out offers with a smaller mean yield, and those without an outlook, in parts per million a year;
	// 0 is no limit.
	MinYieldPPM int64
	// HurdlePPM is the yield that the holder could have elsewhere, in parts per million a year: what a fair share is
	// measured by.
	HurdlePPM uint32
	// Holding is how long the holder means to stay before unstaking, at most ten years; 0 is a year of 365 days. An offer
	// with a longer lock is judged by its lock.
	Holding time.Duration
	// Sort is the order.
	Sort SortKey
	// ShowExcluded asks for the open offers too that cannot be accepted, each with the reasons.
	ShowExcluded bool
	// Offset is how many listings to pass over, from 0.
	Offset int
	// Limit is how many listings to return at most; 0 is all.
	Limit int
}

// Validate returns an error that names the first field outside its limits; it wraps [ErrQuery].
func (q Query) Validate() error {
	switch {
	case len(q.Bond) > longestID:
		return fmt.Errorf("%w: bond has %d bytes, the limit is %d", ErrQuery, len(q.Bond), longestID)
	case len(q.Holder) > longestID:
		return fmt.Errorf("%w: holder has %d bytes, the limit is %d", ErrQuery, len(q.Holder), longestID)
	case q.MaxAmount != 0 && q.MinAmount > q.MaxAmount:
		return fmt.Errorf("%w: min_amount %s is above max_amount %s", ErrQuery, q.MinAmount, q.MaxAmount)
	case q.MinShareBps > fullBps:
		return fmt.Errorf("%w: min_share_bps %d is above %d", ErrQuery, q.MinShareBps, fullBps)
	case q.MaxLock < 0:
		return fmt.Errorf("%w: max_lock %s is below 0s", ErrQuery, q.MaxLock)
	case q.Holding < 0 || q.Holding > longestSpan:
		return fmt.Errorf("%w: holding %s is not in 0s..%s", ErrQuery, q.Holding, longestSpan)
	case q.Sort > ByNewest:
		return fmt.Errorf("%w: sort %d is not in %d..%d", ErrQuery, uint8(q.Sort), uint8(ByYield), uint8(ByNewest))
	case q.Offset < 0:
		return fmt.Errorf("%w: offset %d is below 0", ErrQuery, q.Offset)
	case q.Limit < 0:
		return fmt.Errorf("%w: limit %d is below 0", ErrQuery, q.Limit)
	}
	return nil
}

// Listing is one offer as a holder sees it in a market.
type Listing struct {
	// Offer is the offer.
	Offer OfferID
	// View is its state.
	View OfferView
	// Owner is who posted it.
	Owner HolderID
	// MultiplierCenti is the device's multiplier for stake, in hundredths.
	MultiplierCenti uint32
	// GPUs is the device's number of processors.
	GPUs uint32
	// Left is what nobody has filled yet, in base units.
	Left tokenomics.Amount
	// Least is the smallest fill that would be accepted now, in base units. Where Exclusions name the amount, it is the
	// smallest that the terms allow.
	Least tokenomics.Amount
	// Most is the largest one, in base units: what is left, unless co-stakers may hold less.
	Most tokenomics.Amount
	// HasOutlook says that the device has an outlook, and with it the three fields below.
	HasOutlook bool
	// Outlook is what the device can be expected to earn and to lose. SlashLossPPM is at most Params.CoMaxLossBps.
	Outlook Outlook
	// Yield is what a fill brings in a year, for Query.Holding.
	Yield Yield
	// FairShareBps is the share at which the mean yield reaches Query.HurdlePPM, in basis points; above 10,000 if not even
	// the whole reward would do. An offer that gives less than this is a bad one.
	FairShareBps uint32
	// Exclusions are the reasons for which the holder cannot accept the offer; none if it can.
	Exclusions []Exclusion
}

// Exclusion is a reason for which an offer cannot be accepted.
type Exclusion struct {
	// Reason is the error, or wraps it, for which [Pool.Apply] would refuse to accept the offer: [ErrSelfStake], [ErrClaims],
	// [ErrCooling], [ErrLots], [ErrCoStake] or a *[ShortStakeError].
	Reason error
	// Sentence says it to the holder, with the numbers.
	Sentence string
}

// Market returns the open offers that a query asks for, as of the pool's last event, in a total order. A device's outlook
// comes from the function, which may be nil or report false; it is asked for every offer that passes the filters if yields
// decide, and otherwise for those that are returned. The error wraps [ErrQuery]; for an outlook outside its limits it
// wraps [ErrYield], and for a yield beyond all numbers it is [tokenomics.ErrOverflow].
func (p *Pool) Market(q Query, outlook func(BondID) (Outlook, bool)) ([]Listing, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	// A page that is not in the order of the yields needs no more of them than it shows.
	early := q.Sort == ByYield || q.MinYieldPPM != 0
	var all []Listing
	for i := range p.offers {
		o := &p.offers[i]
		b := &p.bonds[o.bond]
		if o.state != StateOpen || q.Bond != "" && b.id != q.Bond {
			continue
		}
		l := p.list(q, o.id, p.viewOffer(o), p.viewBond(b))
		if !q.wants(l) {
			continue
		}
		if early {
			if err := p.judge(q, &l, outlook); err != nil {
				return nil, err
			}
		}
		if q.MinYieldPPM != 0 && (!l.HasOutlook || l.Yield.MeanPPM < q.MinYieldPPM) {
			continue
		}
		all = append(all, l)
	}
	slices.SortFunc(all, q.Sort.compare)
	all = all[min(q.Offset, len(all)):]
	if q.Limit > 0 {
		all = all[:min(q.Limit, len(all))]
	}
	for i := range all {
		if !early {
			if err := p.judge(q, &all[i], outlook); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// list returns a listing without an outlook.
func (p *Pool) list(q Query, id OfferID, v OfferView, bond BondView) Listing {
	l := Listing{
		Offer: id, View: v, Owner: bond.Owner, MultiplierCenti: bond.MultiplierCenti, GPUs: bond.GPUs, Left: v.Amount - v.Filled,
	}
	if q.Holder != "" {
		l.Exclusions = p.excludeHolder(q.Holder, id, bond)
	}
	if n := len(bond.Lots); n >= int(p.params.MaxLotsPerBond) {
		l.exclude(ErrLots, "the bond has %d deposits and fills, as many as it may", n)
	}
	p.bound(&l, bond)
	return l
}

// exclude adds a reason.
func (l *Listing) exclude(reason error, format string, args ...any) {
	l.Exclusions = append(l.Exclusions, Exclusion{Reason: reason, Sentence: fmt.Sprintf(format, args...)})
}

// excludeHolder returns the reasons that lie with the holder.
func (p *Pool) excludeHolder(holder HolderID, id OfferID, bond BondView) []Exclusion {
	var l Listing
	switch {
	case holder == bond.Owner:
		l.exclude(ErrSelfStake, "the device is your own")
	case p.Linked(holder, bond.Owner):
		l.exclude(ErrSelfStake, "the device belongs to %q, a wallet of your own", string(bond.Owner))
	}
	if h, ok := p.Holder(holder); ok && h.Claims >= p.params.MaxClaims {
		l.exclude(ErrClaims, "you have %d accepted offers, and %d is the limit: one must be withdrawn first", h.Claims, p.params.MaxClaims)
	}
	var leaving tokenomics.Amount
	for _, lot := range bond.Lots {
		switch {
		case lot.Holder != holder || lot.Role != CoStaker:
		case lot.Offer == id:
			l.exclude(ErrClaims, "you have filled this offer already")
		case lot.State == LotWaiting || lot.State == LotCooling:
			leaving += lot.Balance
		}
	}
	if leaving > 0 {
		l.exclude(ErrCooling, "%s IO of yours are leaving this device: nobody bonds there again before they have cooled", leaving)
	}
	return l.Exclusions
}

// bound sets the smallest and the largest fill, or adds the reason for which there is none. A fill is at least the
// offer's minimum or the exact rest, at most what co-stakers may still hold, and enough for the requirement.
func (p *Pool) bound(l *Listing, bond BondView) {
	l.Least, l.Most = min(l.View.MinFill, l.Left), l.Left
	var held, room tokenomics.Amount
	for _, lot := range bond.Lots {
		if lot.Role == CoStaker && lot.State == LotActive {
			held += lot.Balance
		}
	}
	limit := p.params.maxCo(bond.Required)
	if limit > held {
		room = limit - held
	}
	most := min(l.Left, room)
	switch {
	case l.Least > most:
		l.exclude(ErrCoStake, "co-stakers hold %s IO and may hold %s of the %s that the device needs", held, limit, bond.Required)
	case bond.Missing > most:
		l.exclude(&ShortStakeError{Bond: l.View.Bond, Have: bond.Counted, Need: bond.Required},
			"the device lacks %s IO, and at most %s can be filled", bond.Missing, most)
	default:
		l.Least, l.Most = max(l.Least, bond.Missing), most
	}
}

// wants reports whether a listing passes all limits but that of the yield.
func (q Query) wants(l Listing) bool {
	switch {
	case len(l.Exclusions) > 0 && !q.ShowExcluded,
		l.Most < q.MinAmount,
		q.MaxAmount != 0 && l.Least > q.MaxAmount,
		l.View.RewardShareBps < q.MinShareBps,
		q.MaxLock != 0 && l.View.Lock > q.MaxLock,
		l.MultiplierCenti < q.MinMultiplierCenti:
		return false
	}
	return true
}

// judge adds the outlook, if there is one, and what follows from it.
func (p *Pool) judge(q Query, l *Listing, outlook func(BondID) (Outlook, bool)) error {
	if outlook == nil {
		return nil
	}
	o, ok := outlook(l.View.Bond)
	if !ok {
		return nil
	}
	// No slash takes more of a fill than this, however many there are.
	o.SlashLossPPM = min(o.SlashLossPPM, p.params.CoMaxLossBps*(fullPPM/fullBps))
	terms := Terms{
		Amount:         l.View.Amount,
		RewardShareBps: l.View.RewardShareBps,
		Epoch:          p.params.Calendar.Length,
		Holding:        max(cmp.Or(q.Holding, year), l.View.Lock),
		Exit:           p.params.CoWait + p.params.CoCooldown,
	}
	var err error
	if l.Yield, err = o.Yield(terms); err != nil {
		return fmt.Errorf("staking: offer %q of bond %q: %w", string(l.Offer), string(l.View.Bond), err)
	}
	if l.FairShareBps, err = o.FairShareBps(terms, q.HurdlePPM); err != nil {
		return fmt.Errorf("staking: offer %q of bond %q: %w", string(l.Offer), string(l.View.Bond), err)
	}
	l.HasOutlook, l.Outlook = true, o
	return nil
}

// compare orders two listings. Identifiers are unique, so that the order is total.
func (k SortKey) compare(a, b Listing) int {
	var by int
	switch k {
	case ByYield:
		switch {
		case a.HasOutlook != b.HasOutlook && a.HasOutlook:
			by = -1
		case a.HasOutlook != b.HasOutlook:
			by = 1
		default:
			by = cmp.Compare(b.Yield.MeanPPM, a.Yield.MeanPPM)
		}
	case ByShare:
		by = cmp.Compare(b.View.RewardShareBps, a.View.RewardShareBps)
	case ByLeft:
		by = cmp.Compare(b.Left, a.Left)
	case ByExpiry:
		by = a.View.Expires.Compare(b.View.Expires)
	case ByNewest:
		by = b.View.Posted.Compare(a.View.Posted)
	}
	return cmp.Or(by, cmp.Compare(a.Offer, b.Offer))
}
