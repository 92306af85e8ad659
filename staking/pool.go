package staking

import (
	"errors"
	"iter"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// ErrAudit is wrapped by what [Pool.Audit] returns.
var ErrAudit = errors.New("staking: audit")

// ErrSnapshot is wrapped by every error of [Restore] about the bytes.
var ErrSnapshot = errors.New("staking: snapshot")

// Pool is the state machine of all bonds of a network. It is not safe for concurrent use. What its queries return is the
// caller's.
type Pool struct {
	params Params
}

// NewPool returns a pool without bonds. The parameters must be valid.
func NewPool(p Params) (*Pool, error) { return &Pool{p}, p.Validate() }

// Params returns the parameters that the pool was made with.
func (p *Pool) Params() Params { return p.params }

func (p *Pool) Apply(at time.Time, e Event) ([]Effect, error)         { panic("stub") }
func (p *Pool) Next() (time.Time, bool)                               { panic("stub") }
func (p *Pool) Now() time.Time                                        { panic("stub") }
func (p *Pool) Bond(id BondID) (BondView, bool)                       { panic("stub") }
func (p *Pool) Bonds() iter.Seq2[BondID, BondView]                    { panic("stub") }
func (p *Pool) Offer(id OfferID) (OfferView, bool)                    { panic("stub") }
func (p *Pool) Offers() iter.Seq2[OfferID, OfferView]                 { panic("stub") }
func (p *Pool) Case(id EvidenceID) (CaseView, bool)                   { panic("stub") }
func (p *Pool) Cases() iter.Seq2[EvidenceID, CaseView]                { panic("stub") }
func (p *Pool) Holder(id HolderID) (HolderView, bool)                 { panic("stub") }
func (p *Pool) Linked(a, b HolderID) bool                             { panic("stub") }
func (p *Pool) Claimable(bond BondID, holder HolderID) (n tokenomics.Amount) { panic("stub") }
func (p *Pool) Eligible(id BondID, e tokenomics.Epoch) error          { panic("stub") }
func (p *Pool) Books() Books                                          { panic("stub") }
func (p *Pool) Audit() error                                          { panic("stub") }
func (p *Pool) Digest() [32]byte                                      { panic("stub") }
func (p *Pool) Snapshot() []byte                                      { panic("stub") }
func Restore(p Params, b []byte) (*Pool, error)                       { panic("stub") }
func stamp(t time.Time) string                                        { return t.UTC().Format(time.RFC3339Nano) }
