package staking

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// BondView is the state of a bond.
type BondView struct {
	// Owner supplies the device.
	Owner HolderID
	// MultiplierCenti is the multiplier for stake, in hundredths.
	MultiplierCenti uint32
	// GPUs is the number of processors.
	GPUs uint32
	// Required is the stake that the device needs, in base units.
	Required tokenomics.Amount
	// Counted is the stake that counts towards it: OwnerStake + CoStake, in base units.
	Counted tokenomics.Amount
	// Missing is Required - Counted, 0 if there is enough, in base units.
	Missing tokenomics.Amount
	// OwnerStake is the owner's part of Counted, in base units.
	OwnerStake tokenomics.Amount
	// CoStake is the co-stakers' part of Counted, in base units.
	CoStake tokenomics.Amount
	// Rewarded is the sum of all block rewards of the device, in base units.
	Rewarded tokenomics.Amount
	// LastEpoch is the last epoch that the bond was rewarded for, 0 if none.
	LastEpoch tokenomics.Epoch
	// Lots are the deposits and fills in the order in which they came, which is the order of division.
	Lots []LotView
}

// LotView is one deposit or fill. Balances of different lots never mix.
type LotView struct {
	// Holder is whose lot it is.
	Holder HolderID
	// Role is the holder's side.
	Role Role
	// Offer is the offer that was accepted, empty for an owner's lot.
	Offer OfferID
	// RewardShareBps is the part of the device's rewards that the lot earns, in basis points; 0 for an owner's lot, since
	// the owner takes what the co-stakers do not.
	RewardShareBps uint32
	// Balance is in base units.
	Balance tokenomics.Amount
	// BondedAt is when the lot came.
	BondedAt time.Time
	// EarnsFrom is the first epoch in which the lot counts and earns.
	EarnsFrom tokenomics.Epoch
	// Paid is what a co-staker's lot has earned, in base units; 0 for an owner's lot.
	Paid tokenomics.Amount
}

// noOffer marks an owner's lot.
const noOffer = ^uint32(0)

type bond struct {
	id         BondID
	owner      uint32
	multiplier uint32 // hundredths
	gpus       uint32
	required   tokenomics.Amount
	ownerStake tokenomics.Amount
	coStake    tokenomics.Amount
	rewarded   tokenomics.Amount
	lastEpoch  tokenomics.Epoch
	lots       []lot
	open       []uint32 // offers that were open when the last one was posted, that one included
}

type lot struct {
	holder   uint32
	offer    uint32 // noOffer for the owner's
	from     tokenomics.Epoch
	balance  tokenomics.Amount
	paid     tokenomics.Amount
	bondedAt time.Time
}

// Bond returns a bond, and false if there is none of that name.
func (p *Pool) Bond(id BondID) (BondView, bool) {
	i, ok := p.bondIndex[id]
	if !ok {
		return BondView{}, false
	}
	return p.viewBond(&p.bonds[i]), true
}

// Bonds returns all bonds in the order of their identifiers. The pool must not change meanwhile.
func (p *Pool) Bonds() iter.Seq2[BondID, BondView] {
	return func(yield func(BondID, BondView) bool) {
		for _, id := range slices.Sorted(maps.Keys(p.bondIndex)) {
			if !yield(id, p.viewBond(&p.bonds[p.bondIndex[id]])) {
				return
			}
		}
	}
}

func (p *Pool) viewBond(b *bond) BondView {
	v := BondView{
		Owner:           p.holders[b.owner].id,
		MultiplierCenti: b.multiplier,
		GPUs:            b.gpus,
		Required:        b.required,
		Counted:         b.ownerStake + b.coStake,
		OwnerStake:      b.ownerStake,
		CoStake:         b.coStake,
		Rewarded:        b.rewarded,
		LastEpoch:       b.lastEpoch,
		Lots:            make([]LotView, len(b.lots)),
	}
	if v.Counted < v.Required {
		v.Missing = v.Required - v.Counted
	}
	for i, l := range b.lots {
		v.Lots[i] = LotView{
			Holder: p.holders[l.holder].id, Role: Owner, Balance: l.balance,
			BondedAt: l.bondedAt, EarnsFrom: l.from, Paid: l.paid,
		}
		if l.offer != noOffer {
			v.Lots[i].Role = CoStaker
			v.Lots[i].Offer = p.offers[l.offer].id
			v.Lots[i].RewardShareBps = p.offers[l.offer].shareBps
		}
	}
	return v
}

// findBond returns a bond by name, or [ErrNoBond].
func (p *Pool) findBond(id BondID) (*bond, error) {
	i, ok := p.bondIndex[id]
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrNoBond, string(id))
	}
	return &p.bonds[i], nil
}

func (p *Pool) openBond(e BondOpened) error {
	if err := checkID("bond", string(e.Bond)); err != nil {
		return err
	}
	if err := checkID("owner", string(e.Owner)); err != nil {
		return err
	}
	if _, ok := p.bondIndex[e.Bond]; ok {
		return fmt.Errorf("%w: %q", ErrBondExists, string(e.Bond))
	}
	required, err := p.params.Required(e.MultiplierCenti, e.GPUs)
	if err != nil {
		return err
	}

	p.bondIndex[e.Bond] = uint32(len(p.bonds))
	p.bonds = append(p.bonds, bond{
		id: e.Bond, owner: p.join(e.Owner), multiplier: e.MultiplierCenti, gpus: e.GPUs, required: required,
	})
	return nil
}

func (p *Pool) deposit(at time.Time, e Deposited) ([]Effect, error) {
	b, err := p.findBond(e.Bond)
	if err != nil {
		return nil, err
	}
	if owner := p.holders[b.owner].id; e.Holder != owner {
		return nil, fmt.Errorf("%w: bond %q belongs to %q, not %q", ErrNotOwner, string(e.Bond), string(owner), string(e.Holder))
	}
	if e.Amount == 0 {
		return nil, fmt.Errorf("%w: deposit into bond %q is 0", ErrAmount, string(e.Bond))
	}
	from, err := p.checkLot(at, b, e.Amount)
	if err != nil {
		return nil, err
	}

	p.lock(b, lot{holder: b.owner, offer: noOffer, from: from, balance: e.Amount, bondedAt: at})
	return []Effect{Locked{Bond: e.Bond, Holder: e.Holder, Role: Owner, Amount: e.Amount}}, nil
}

// checkLot checks what every new lot must fulfil and returns the first epoch in which it counts.
func (p *Pool) checkLot(at time.Time, b *bond, n tokenomics.Amount) (tokenomics.Epoch, error) {
	if uint32(len(b.lots)) >= p.params.MaxLotsPerBond {
		return 0, fmt.Errorf("%w: bond %q has %d", ErrLots, string(b.id), len(b.lots))
	}
	if err := roomFor(p.books.Deposits, n); err != nil {
		return 0, err
	}
	return p.params.earnsFrom(at)
}

// earnsFrom returns the epoch after the one that holds the instant: stake bonded in an epoch, even at its first instant,
// counts from the next one on. Stake bonded before the calendar begins counts from epoch 1.
func (p Params) earnsFrom(at time.Time) (tokenomics.Epoch, error) {
	if at.Before(p.Calendar.Start) {
		return 1, nil
	}
	e, err := p.Calendar.At(at)
	if err != nil || e+1 == 0 {
		return 0, fmt.Errorf("%w: %s is beyond the calendar", ErrEpochOpen, stamp(at))
	}
	return e + 1, nil
}
