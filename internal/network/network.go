package network

import (
	"errors"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/reputation"
	"github.com/idlegrid/idlegrid/sched"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

var (
	// ErrTimeBackwards is returned for a command that is older than the one before it.
	ErrTimeBackwards = errors.New("network: time goes backwards")
	// ErrTimeRange is returned for a command outside the years 1970 to 2105, which are those that the cores can hold.
	ErrTimeRange = errors.New("network: time is out of range")
	// ErrUnknownNode is returned for a command about a node that was never enrolled.
	ErrUnknownNode = errors.New("network: unknown node")
	// ErrKnownNode is returned when a name is enrolled a second time.
	ErrKnownNode = errors.New("network: node is enrolled already")
	// ErrInvalid is what an error about a field of a command wraps.
	ErrInvalid = errors.New("network: invalid command")
	// ErrBroken is what [Network.Audit] returns for a broken invariant.
	ErrBroken = errors.New("network: broken invariant")
)

// Network is the whole state. It is not safe for concurrent use.
type Network struct {
	p           Params
	now         time.Time
	last        tokenomics.Epoch // that emits
	multipliers *tokenomics.MultiplierTable
	registry    *gpu.Registry
	book        *reputation.Book
	pool        *staking.Pool
	fleet       *sched.Fleet
	supply      *tokenomics.Supply
	journal     *settlement.Journal

	nodes   map[string]*node
	byKey   map[Key]string
	price   tokenomics.Price
	closed  tokenomics.Epoch // the last epoch whose block is closed
	blocks  []Block
	carry   map[tokenomics.Pool]tokenomics.Amount
	held    tokenomics.Amount
	issued  tokenomics.Amount // block rewards, all epochs
	other   map[poolOf]uint64
	bills   []*Bill
	byLease map[sched.LeaseID]submitted
	waiting map[settlement.IntentID]int // intent -> bill whose next step waits for it
	burns   map[settlement.IntentID]bool
	refused map[settlement.IntentID]bool // and neither retried nor paid after all
	decided int                          // payments, all of them
	paidOut int                          // of these, how many are final on the chain
	billed  map[settlement.Asset]uint64  // base units that all bills together have moved or asked for
}

// poolOf is one pool's block.
type poolOf struct {
	epoch tokenomics.Epoch
	pool  tokenomics.Pool
}

// submitted is what a lease's bill needs to remember of its request.
type submitted struct {
	wallet   string
	currency tokenomics.Currency
}

// New returns an empty network.
func New(p Params) (*Network, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	n := &Network{
		p: p, price: p.Reference, closed: p.First - 1,
		nodes: map[string]*node{}, byKey: map[Key]string{}, carry: map[tokenomics.Pool]tokenomics.Amount{},
		other: map[poolOf]uint64{}, byLease: map[sched.LeaseID]submitted{},
		waiting: map[settlement.IntentID]int{}, burns: map[settlement.IntentID]bool{}, refused: map[settlement.IntentID]bool{},
		billed: map[settlement.Asset]uint64{},
	}
	var errs [7]error
	n.supply, errs[0] = tokenomics.NewSupply(p.Tokenomics, p.First)
	n.multipliers, errs[1] = tokenomics.NewMultiplierTable(p.Tokenomics.Multipliers)
	n.registry, errs[2] = gpu.NewRegistry(p.GPU)
	n.book, errs[3] = reputation.NewBook(p.Reputation)
	n.pool, errs[4] = staking.NewPool(p.Staking)
	n.fleet, errs[5] = sched.NewFleet(p.Sched)
	n.journal, errs[6] = settlement.NewJournal(p.Settlement)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	n.last, _ = n.supply.Timeline().Last() // Validate has seen to it that there is one
	if p.First > n.last+1 {
		return nil, fmt.Errorf("network: first: epoch %d lies after the last one that emits, %d", p.First, n.last)
	}
	return n, nil
}

// Apply takes one command and returns what followed from it. An error means that the command changed nothing; blocks
// whose time had come are closed all the same, and their facts returned with the error.
func (n *Network) Apply(at time.Time, c Command) ([]Fact, error) {
	at = at.UTC().Round(0)
	if y := at.Year(); y < 1970 || y > 2105 {
		return nil, fmt.Errorf("%w: %s", ErrTimeRange, at.Format(time.RFC3339Nano))
	}
	if at.Before(n.now) {
		return nil, fmt.Errorf("%w: %s after %s", ErrTimeBackwards, at.Format(time.RFC3339Nano), n.now.Format(time.RFC3339Nano))
	}
	facts := n.advance(at)
	n.now = at
	more, err := n.apply(at, c)
	return append(facts, more...), err
}

func (n *Network) apply(at time.Time, c Command) ([]Fact, error) {
	switch c := c.(type) {
	case Enrol:
		return nil, n.enrol(at, c)
	case Challenge:
		_, err := n.registry.Apply(at, gpu.Challenged{Key: c.Key, Nonce: c.Nonce})
		return nil, err
	case Report:
		return n.report(at, c)
	case List:
		return n.list(at, c)
	case Link:
		_, err := n.fleet.Apply(at, sched.LinkMeasured{A: sched.SiteID(c.A), B: sched.SiteID(c.B), DelayMicros: c.DelayMicros, Mbps: c.Mbps})
		return nil, err
	case Heartbeats:
		return n.heartbeats(at, c)
	case Attest:
		return n.attest(at, c)
	case Prove:
		return n.prove(at, c)
	case AttestChip:
		return n.attestChip(at, c)
	case RotateKey:
		return nil, n.rotate(at, c)
	case RevokeKey:
		return n.revoke(at, c)
	case Stake:
		return n.stake(at, c.Node, staking.Deposited{Bond: staking.BondID(c.Node), Holder: n.holderOf(c.Node), Amount: c.Amount})
	case PostOffer:
		return n.stake(at, c.Node, staking.OfferPosted{
			Offer: staking.OfferID(c.Offer), Bond: staking.BondID(c.Node), Holder: n.holderOf(c.Node), Amount: c.Amount, RewardShareBps: c.ShareBps,
			Expires: c.Expires,
		})
	case AcceptOffer:
		return n.accept(at, c)
	case SetPrice:
		return nil, n.setPrice(at, c)
	case Submit:
		return n.submit(at, c)
	case Finish:
		effects, err := n.fleet.Apply(at, sched.Finished{Lease: sched.LeaseID(c.Lease)})
		return n.fromFleet(at, effects), err
	case Retry:
		return nil, n.retry(at, c)
	case OtherScores:
		return nil, n.otherScores(c)
	case Settle:
		return n.settle(at, c.Event)
	case Tick:
		return nil, nil
	}
	panic(fmt.Sprintf("network: Apply: %T", c))
}

// advance lets time pass: leases end at their booked end, and each epoch that is over is closed at its end.
func (n *Network) advance(at time.Time) []Fact {
	var facts []Fact
	for {
		end := n.calendar().StartOf(n.closed + 2)
		if end.After(at) || n.closed >= n.last {
			break
		}
		facts = append(facts, n.tick(end)...)
		facts = append(facts, n.close(end)...)
	}
	return append(facts, n.tick(at)...)
}

func (n *Network) tick(at time.Time) []Fact {
	_, err := n.pool.Apply(at, staking.Ticked{}) // offers expire; nothing else has a deadline here
	must(err)
	effects, err := n.fleet.Apply(at, sched.Ticked{})
	must(err)
	return n.fromFleet(at, effects)
}

func (n *Network) calendar() tokenomics.Calendar { return n.p.Tokenomics.Calendar }

// must is for an event that the core cannot refuse, since what it checks was checked before. A failure is a defect of
// this package, and going on would tear the cores apart.
func must(err error) {
	if err != nil {
		panic(fmt.Sprintf("network: a core refused what it was asked before: %v", err))
	}
}
