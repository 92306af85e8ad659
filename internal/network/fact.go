package network

import (
	"time"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/reputation"
	"github.com/idlegrid/idlegrid/sched"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// Fact is what followed from a command. The types in this file are all there are.
//
//sumtype:decl
type Fact interface{ fact() }

type (
	// Admitted says that a report was taken for true as far as anybody can tell.
	Admitted struct {
		Node      string
		Inventory gpu.Inventory
		Findings  []gpu.Finding
		Assurance gpu.Assurance
	}

	// Proved says how a device answered a challenge, and what that changed.
	Proved struct {
		Found   Prove
		Changes []gpu.AssuranceChanged
	}

	// ChipAttested says that a vendor vouches for a device, and what that changed.
	ChipAttested struct {
		Found   AttestChip
		Changes []gpu.AssuranceChanged
	}

	// Health says that a node's agent reports other health of its worst device than before.
	Health struct {
		Node     string
		From, To gpu.Health
		Device   gpu.DeviceID // the worst; empty if all are healthy
	}

	// Listed says that a node is part of the fleet from now on, or has new terms.
	Listed struct{ Node string }

	// Locked says that stake was bonded.
	Locked struct {
		Node   string
		Holder string
		Role   staking.Role
		Amount tokenomics.Amount
		Bond   staking.BondView
	}

	// Rated says that a node's tier or standing changed.
	Rated struct {
		Node       string
		Score      reputation.Score
		Grade      staking.Grade // the tier, and since when
		Assessment staking.Assessment
	}

	// Placed says that a job was placed.
	Placed struct {
		Lease     sched.Lease
		Placement sched.Placement
	}

	// Ended says that a lease is over and what was metered.
	Ended struct {
		Lease sched.Lease
		Cause sched.Cause
		Usage []sched.Usage
	}

	// Billed says what a renter owes, and every fee.
	Billed struct {
		Bill  Bill
		Quote tokenomics.Quote
	}

	// Converted says that a bill's dollars were turned into IO on the chain.
	Converted struct{ Bill Bill }

	// Shared says that a bill's IO was divided: among suppliers, the burn and the treasury.
	Shared struct{ Bill Bill }

	// Closed says that the block of an epoch is done.
	Closed struct{ Block Block }

	// Retired says that a burn is final and the supply has fallen.
	Retired struct {
		Amount tokenomics.Amount
		Proof  string
		Total  tokenomics.Amount // supply after it
	}

	// Paid says that a batch is final on the chain.
	Paid struct {
		Batch settlement.BatchID
		Tx    string
		Slot  uint64
		Lines []settlement.Line
	}

	// Unpaid says that a line will not be paid, and why. What was owed stays owed: it is in the journal as refused.
	Unpaid struct {
		Batch  settlement.BatchID
		To     settlement.Account
		Reason string
	}

	// Unclear says that a marker exists which no attempt of the journal is known to have made. Who did is being found out.
	Unclear struct{ Marker settlement.MarkerID }

	// Stuck says that an operator has to look at a batch.
	Stuck struct {
		Batch  settlement.BatchID
		Reason string
	}
)

func (Admitted) fact()     {}
func (Proved) fact()       {}
func (ChipAttested) fact() {}
func (Health) fact()       {}
func (Listed) fact()       {}
func (Locked) fact()       {}
func (Rated) fact()        {}
func (Placed) fact()       {}
func (Ended) fact()        {}
func (Billed) fact()       {}
func (Converted) fact()    {}
func (Shared) fact()       {}
func (Closed) fact()       {}
func (Retired) fact()      {}
func (Paid) fact()         {}
func (Unpaid) fact()       {}
func (Unclear) fact()      {}
func (Stuck) fact()        {}

// Block is what an epoch paid.
type Block struct {
	Epoch    tokenomics.Epoch
	Start    time.Time
	Emission tokenomics.Amount
	Pools    []PoolResult
	Entries  []Entry     // the nodes that were paid, by name
	Excluded []Exclusion // the nodes that were not, by name
}

// Paid is the sum of the block's rewards.
func (b Block) Paid() (sum tokenomics.Amount) {
	for _, p := range b.Pools {
		sum += p.Paid
	}
	return sum
}

// PoolResult is what became of one pool's part of the emission: Budget + Brought = Paid + Carried + Held.
type PoolResult struct {
	Pool    tokenomics.Pool
	Points  uint64
	Budget  tokenomics.Amount
	Brought tokenomics.Amount // dust of earlier blocks
	Total   uint64            // base scores of the whole pool
	Paid    tokenomics.Amount
	Carried tokenomics.Amount // dust for the next block
	Held    tokenomics.Amount // belongs to devices that this network does not hold, or to nobody
}

// Entry is one node's part of a block.
type Entry struct {
	Node         string
	Model        string
	GPUs         uint32
	Connectivity uint8
	Multiplier   tokenomics.Multiplier
	Hired        bool
	Pool         tokenomics.Pool
	Score        uint64
	Reward       tokenomics.Amount
	Parts        []staking.Paid
}

// Exclusion says why a node was not nominated.
type Exclusion struct {
	Node string
	Rule string // what it fails: "stake", "uptime", ...
	Why  string // what it has and what is needed
}

// Stage is how far a bill has come.
type Stage uint8

const (
	// StageDue means that the renter's payment is on its way.
	StageDue Stage = iota + 1
	// StageConverting means that the payment has come and is being turned into IO.
	StageConverting
	// StageSharing means that the parts are on their way.
	StageSharing
	// StageDone means that everything is final on the chain.
	StageDone
	// StageUnpaid means that a step was refused; its payments say why. If there are none, all bills together have come to
	// more than the journal can count.
	StageUnpaid
)

// String returns the stage in lower case.
func (s Stage) String() string {
	switch s {
	case StageDue:
		return "due"
	case StageConverting:
		return "converting"
	case StageSharing:
		return "sharing"
	case StageDone:
		return "done"
	case StageUnpaid:
		return "unpaid"
	}
	return "none"
}

// Bill is what a lease costs and where the money is.
type Bill struct {
	Lease     sched.LeaseID
	Job       sched.JobID
	Wallet    string
	Currency  tokenomics.Currency
	Epoch     tokenomics.Epoch // in which the lease ended
	Net       tokenomics.USD
	Pays      tokenomics.USD // net and the renter's fees
	Revenue   tokenomics.USD // all fees
	Price     tokenomics.Price
	Paid      tokenomics.Amount // IO: what was paid, or what the dollars were converted into
	Unspent   tokenomics.USD    // dollars that no whole base unit could be bought for; they stay in the escrow
	Suppliers []Part
	Burn      tokenomics.Amount
	Treasury  tokenomics.Amount
	Stage     Stage

	pending  int   // intents of the present step that are not paid
	refusals int   // of these, how many were refused
	stopped  Stage // where the bill stood when the first of them was
}

// Part is what one supplier gets of a bill.
type Part struct {
	Wallet string
	Nodes  []string
	Net    tokenomics.USD
	Gets   tokenomics.USD // net less the supplier's fees
	Amount tokenomics.Amount
}
