package settlement

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"github.com/idlegrid/idlegrid/tokenomics"
)

var (
	// ErrLot is returned for a lot that cannot be converted, and for a swap that is not the lot's.
	ErrLot = errors.New("settlement: invalid lot")
	// ErrBooks is returned by audits of books that do not add up.
	ErrBooks = errors.New("settlement: books do not add up")
)

// LotParams says between which assets and accounts lots are converted.
type LotParams struct {
	// In is what the bills were paid in, for example USDC.
	In Asset `json:"in"`
	// Into is what they are converted into, for example IO.
	Into Asset `json:"into"`
	// Wallet is the swap wallet, which holds the lot and nothing else: it bounds what a bad swap can cost.
	Wallet Account `json:"wallet"`
	// Treasury gets the proceeds, out of which the bills are served.
	Treasury Account `json:"treasury"`
	// Moves is the account that gains and loses what the price moved between a bill's quote and its lot. Nobody else does.
	Moves Account `json:"moves"`
}

// Validate returns [ErrLot] with the first field that is wrong, nil if none is.
func (p LotParams) Validate() error {
	switch {
	case p.In.Mint == "":
		return fmt.Errorf("%w: In has no mint", ErrLot)
	case p.Into.Mint == "" || p.Into.Mint == p.In.Mint:
		return fmt.Errorf("%w: Into is mint %q, want another one than In", ErrLot, p.Into.Mint)
	case p.Wallet == "" || p.Treasury == "" || p.Moves == "":
		return fmt.Errorf("%w: Wallet is %q, Treasury %q and Moves %q: none may be empty", ErrLot, p.Wallet, p.Treasury, p.Moves)
	case p.Wallet == p.Treasury || p.Wallet == p.Moves || p.Treasury == p.Moves:
		return fmt.Errorf("%w: Wallet, Treasury and Moves have to differ", ErrLot)
	}
	return nil
}

// LotBill is what one bill brings into a lot.
type LotBill struct {
	Bill  string // names the bill, once in a lot
	Units uint64 // base units of In that were paid, more than 0
	Owed  uint64 // base units of Into that its customer was promised, by the price of the bill
}

// Lot is the bills of one hour, converted in one swap. It does not change.
type Lot struct {
	params LotParams
	name   string
	least  uint64
	units  uint64
	owed   uint64
	bills  []LotBill // by name
}

// NewLot collects bills under a name that no other lot has, such as the hour's. least is the fewest units of Into that the
// whole lot may be given for, by [SwapPolicy.Least]. Bills in any order make the same lot. It fails with [ErrLot] for no
// bills, a bill that is named twice or brings nothing, and sums beyond 64 bits.
func NewLot(p LotParams, name string, least uint64, bills []LotBill) (Lot, error) {
	if err := p.Validate(); err != nil {
		return Lot{}, err
	}
	switch {
	case name == "":
		return Lot{}, fmt.Errorf("%w: its name is empty", ErrLot)
	case least == 0:
		return Lot{}, fmt.Errorf("%w: least is 0", ErrLot)
	case len(bills) == 0:
		return Lot{}, fmt.Errorf("%w: it has no bills", ErrLot)
	}
	l := Lot{params: p, name: name, least: least, bills: slices.Clone(bills)}
	slices.SortFunc(l.bills, func(a, b LotBill) int { return cmp.Compare(a.Bill, b.Bill) })
	for i, b := range l.bills {
		switch {
		case b.Bill == "":
			return Lot{}, fmt.Errorf("%w: a bill has no name", ErrLot)
		case b.Units == 0:
			return Lot{}, fmt.Errorf("%w: bill %q: Units is 0", ErrLot, b.Bill)
		case i > 0 && b.Bill == l.bills[i-1].Bill:
			return Lot{}, fmt.Errorf("%w: bill %q stands twice", ErrLot, b.Bill)
		}
		var more, over uint64
		if l.units, more = bits.Add64(l.units, b.Units, 0); more != 0 {
			return Lot{}, fmt.Errorf("%w: bill %q takes Units beyond 64 bits", ErrLot, b.Bill)
		}
		if l.owed, over = bits.Add64(l.owed, b.Owed, 0); over != 0 {
			return Lot{}, fmt.Errorf("%w: bill %q takes Owed beyond 64 bits", ErrLot, b.Bill)
		}
	}
	return l, nil
}

// Name returns the lot's name.
func (l Lot) Name() string { return l.name }

// Units returns the sum of what the bills paid, in base units of In.
func (l Lot) Units() uint64 { return l.units }

// Bills returns a copy of the bills, sorted by name.
func (l Lot) Bills() []LotBill { return slices.Clone(l.bills) }

// Swap returns the intent that converts the lot: the same one each time.
func (l Lot) Swap() Intent {
	return Intent{
		ID:    NewIntentID(Swap, "lot", l.name),
		Kind:  Swap,
		Asset: l.params.In,
		From:  l.params.Wallet,
		To:    l.params.Treasury,
		Units: l.units,
		Into:  l.params.Into,
		Least: l.least,
		Cause: fmt.Sprintf("lot %s: %d bills", l.name, len(l.bills)),
	}
}

// LotShare is what one bill had of a lot.
type LotShare struct {
	Bill  string
	Units uint64 // base units of In that it brought
	Owed  uint64 // base units of Into that its customer was promised and is credited, whatever the swap got
	Share uint64 // base units of Into that its part of the lot got
}

// LotBooks tells what became of a lot: Got + Loss = sum of Owed + Gain.
type LotBooks struct {
	Lot    string
	Tx     string // the swap
	Slot   uint64 // where it landed
	Units  uint64 // base units of In that were given
	Least  uint64 // base units of Into that came to the treasury in the same transaction
	Got    uint64 // base units of Into that the swap got, at least Least
	Shares []LotShare
	Gain   uint64 // what shares exceed what is owed by, all bills
	Loss   uint64 // what shares fall short of what is owed by, all bills
}

// Settle makes the books of a lot whose swap is paid. What it got is split over the bills by what they paid, with
// [tokenomics.Split], so that the shares add up to it exactly; what a share differs from what is owed goes to the account
// Moves, and never to a customer. It fails with [ErrLot] for an effect that is not about this lot alone, or that got less
// than least.
func (l Lot) Settle(p Paid) (LotBooks, error) {
	switch want := l.Swap().ID; {
	case len(p.Intents) != 1 || p.Intents[0] != want:
		return LotBooks{}, fmt.Errorf("%w: lot %q is intent %s, which batch %s does not carry alone", ErrLot, l.name, want, p.Batch)
	case p.Got < l.least:
		return LotBooks{}, fmt.Errorf("%w: lot %q got %d, less than the least %d", ErrLot, l.name, p.Got, l.least)
	case p.Tx == "":
		return LotBooks{}, fmt.Errorf("%w: lot %q: Tx is empty", ErrLot, l.name)
	}
	weights := make([]uint64, len(l.bills))
	for i, b := range l.bills {
		weights[i] = b.Units
	}
	shares, err := tokenomics.Split(tokenomics.Amount(p.Got), weights)
	if err != nil {
		return LotBooks{}, fmt.Errorf("split lot %q: %w", l.name, err)
	}
	out := LotBooks{Lot: l.name, Tx: p.Tx, Slot: p.Slot, Units: l.units, Least: l.least, Got: p.Got, Shares: make([]LotShare, len(shares))}
	for i, b := range l.bills {
		s := LotShare{Bill: b.Bill, Units: b.Units, Owed: b.Owed, Share: uint64(shares[i])}
		out.Shares[i] = s
		if s.Share > s.Owed {
			out.Gain += s.Share - s.Owed // at most Got
		} else {
			out.Loss += s.Owed - s.Share // at most the sum of Owed
		}
	}
	return out, nil
}

// Audit returns [ErrBooks] and the first sum that is wrong, nil if none is.
func (b LotBooks) Audit() error {
	var units, share, owed wide
	var gain, loss wide
	for i, s := range b.Shares {
		if i > 0 && s.Bill <= b.Shares[i-1].Bill {
			return fmt.Errorf("%w: lot %q: bill %q does not come after %q", ErrBooks, b.Lot, s.Bill, b.Shares[i-1].Bill)
		}
		units.add(s.Units)
		share.add(s.Share)
		owed.add(s.Owed)
		gain.add(s.Share - min(s.Share, s.Owed))
		loss.add(s.Owed - min(s.Share, s.Owed))
	}
	switch {
	case units != wide{lo: b.Units}:
		return fmt.Errorf("%w: lot %q: its bills brought %s, Units is %d", ErrBooks, b.Lot, units, b.Units)
	case share != wide{lo: b.Got}:
		return fmt.Errorf("%w: lot %q: the shares are %s, Got is %d", ErrBooks, b.Lot, share, b.Got)
	case gain != wide{lo: b.Gain} || loss != wide{lo: b.Loss}:
		return fmt.Errorf("%w: lot %q: gain and loss are %s and %s, Gain is %d and Loss %d", ErrBooks, b.Lot, gain, loss, b.Gain, b.Loss)
	case b.Got < b.Least:
		return fmt.Errorf("%w: lot %q: Got is %d, less than Least, %d", ErrBooks, b.Lot, b.Got, b.Least)
	}
	share.add(b.Loss)
	owed.add(b.Gain)
	if share != owed {
		return fmt.Errorf("%w: lot %q: Got and Loss are %s, what is owed and Gain %s", ErrBooks, b.Lot, share, owed)
	}
	return nil
}

// After returns the intents that follow from a lot's books: what the swap got beyond Least is moved from the wallet to the
// treasury, and the net of the price's moves between the treasury and the account Moves. Both are derived from the lot, so
// that asking twice gives the same intents. It fails with [ErrLot] for the books of another lot, and with [ErrBooks].
func (l Lot) After(b LotBooks) ([]Intent, error) {
	if b.Lot != l.name || b.Units != l.units || b.Least != l.least {
		return nil, fmt.Errorf("%w: the books of lot %q are not those of lot %q", ErrLot, b.Lot, l.name)
	}
	if err := b.Audit(); err != nil {
		return nil, err
	}
	move := func(what string, from, to Account, units uint64) Intent {
		return Intent{
			ID:    NewIntentID(Move, "lot", l.name, what),
			Kind:  Move,
			Asset: l.params.Into,
			From:  from,
			To:    to,
			Units: units,
			Cause: fmt.Sprintf("lot %s: %s", l.name, what),
		}
	}
	var out []Intent
	if more := b.Got - b.Least; more > 0 {
		out = append(out, move("surplus", l.params.Wallet, l.params.Treasury, more))
	}
	switch {
	case b.Gain > b.Loss:
		out = append(out, move("price", l.params.Treasury, l.params.Moves, b.Gain-b.Loss))
	case b.Loss > b.Gain:
		out = append(out, move("price", l.params.Moves, l.params.Treasury, b.Loss-b.Gain))
	}
	return out, nil
}

// wide is a sum of 128 bits.
type wide struct{ hi, lo uint64 }

func (w *wide) add(n uint64) {
	var carry uint64
	w.lo, carry = bits.Add64(w.lo, n, 0)
	w.hi += carry
}

// String shows what fits into 64 bits as a number, and the rest in hexadecimal.
func (w wide) String() string {
	if w.hi == 0 {
		return fmt.Sprint(w.lo)
	}
	return fmt.Sprintf("0x%x%016x", w.hi, w.lo)
}
