package spl

import (
	"context"
	"fmt"
	"slices"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
)

// route is a line with its addresses.
type route struct {
	line     settlement.Line
	mint     solana.PublicKey
	program  solana.PublicKey // the token program of the mint
	owner    solana.PublicKey // of from
	from, to solana.PublicKey // token accounts; to is zero for a burn
	toOwner  solana.PublicKey
	direct   bool   // the recipient is named by its token account, see settle
	memo     bool   // the recipient's account takes a transfer only behind a memo
	fee      uint64 // that the mint withholds
}

func (r route) burns() bool { return r.line.Kind == settlement.Burn }

// refunds says whether the recipient may be named by a token account: money goes back where it came from.
func (r route) refunds() bool { return r.line.Kind == settlement.Refund }

// job is one batch on its way to a transaction.
type job struct {
	batch   settlement.Batch
	marker  marker
	routes  []route
	missing []int // of the routes, those whose account has to be made first
	faults  []settlement.Fault
	err     error // why the whole batch cannot be prepared now
	tx      settlement.Tx
}

// fault refuses line i.
func (j *job) fault(i int, format string, args ...any) {
	j.faults = append(j.faults, settlement.Fault{Line: i, Reason: fmt.Sprintf(format, args...)})
}

// open says whether the batch may still become a transaction.
func (j *job) open() bool { return j.err == nil && len(j.faults) == 0 }

// survey is what all batches of one Prepare need to know of the chain, as of one slot or later.
type survey struct {
	hash     blockhash
	rent     uint64 // lamports of a marker
	mints    map[solana.PublicKey]*account
	accounts map[solana.PublicKey]*account // token accounts
	wallets  map[solana.PublicKey]*account // without their data
	programs map[solana.PublicKey]uint64   // bytes that a transaction loads to run one
	left     map[solana.PublicKey]uint64   // units of each source that no batch has taken yet
	lamports uint64                        // of the payer, that no batch has taken yet
	room     int                           // accounts that may still be made
}

// resolve parses the addresses of all lines and finds the token accounts. It needs the mints, which say the program.
func (c *Chain) resolve(j *job, s *survey) {
	j.routes = make([]route, 0, len(j.batch.Lines))
	for i, l := range j.batch.Lines {
		r, err := c.route(l, s)
		if err != nil {
			j.err = err
			return
		}
		m, _ := readMint(s.mints[r.mint])
		if why := m.unfit(c.config.TransferFees); why != "" {
			j.fault(i, "mint %q cannot be paid out: it has the extension %s", l.Asset.Mint, why)
		}
		if !r.burns() {
			c.resolveRecipient(j, i, &r)
			r.fee = m.fee(s.hash.clock.epoch, l.Units)
		}
		j.routes = append(j.routes, r)
	}
}

// route finds the sender's side of a line. An error is about the whole batch.
func (c *Chain) route(l settlement.Line, s *survey) (route, error) {
	r := route{line: l}
	var err error
	if r.mint, err = parseMint(l.Asset); err != nil {
		return r, err
	}
	m, err := asMint(s.mints[r.mint], l.Asset)
	switch {
	case err != nil:
		return r, err
	case m.paused():
		return r, fmt.Errorf("spl: mint %q is paused by its authority", l.Asset.Mint)
	}
	r.program = m.program
	if r.owner, err = parseOwner(l.From); err != nil {
		return r, err
	}
	if !c.ring.Has(r.owner) {
		return r, fmt.Errorf("spl: no key for the sender %q", l.From)
	}
	r.from, err = c.address(wallet{r.owner, r.mint, r.program})
	return r, err
}

// resolveRecipient finds the recipient's token account. An address that cannot be paid is a fault of its line.
func (c *Chain) resolveRecipient(j *job, i int, r *route) {
	to, err := solana.PublicKeyFromBase58(string(r.line.To))
	switch {
	case err != nil:
		j.fault(i, "recipient %q is no Solana address", r.line.To)
		return
	case !c.payable(to) && !r.refunds(): // of a refund settle tells
		j.fault(i, noKey, r.line.To)
		return
	}
	r.toOwner = to
	if r.to, err = c.address(wallet{to, r.mint, r.program}); err != nil {
		j.err = err
		return
	}
	if r.to == r.from {
		j.fault(i, "recipient %q is the sender", r.line.To)
	}
}

const noKey = "recipient %q has no key: it is not on the curve, and not allowed for by OffCurve"

// payable says whether an address may be a wallet's.
func (c *Chain) payable(k solana.PublicKey) bool { return c.offCurve[k] || k.IsOnCurve() }

// settle finds out whether a refund's recipient is named by a token account, and says what is wrong with it. A wallet is named
// by its address alone, so that no account has two names.
func (c *Chain) settle(r *route, s *survey) (trouble string, err error) {
	h, ok := readHolding(s.accounts[r.toOwner])
	switch {
	case !ok && !c.payable(r.toOwner):
		return fmt.Sprintf(noKey, r.line.To), nil
	case !ok:
		return "", nil
	case h.owner == r.owner:
		return fmt.Sprintf("recipient %q is an account of the sender", r.line.To), nil
	}
	own, err := c.address(wallet{h.owner, h.mint, h.program})
	if err != nil {
		return "", err
	}
	if own == r.toOwner {
		return fmt.Sprintf("recipient %q is the associated token account of %q, which is to be named", r.line.To, h.owner), nil
	}
	r.to, r.direct = r.toOwner, true
	return "", nil
}

// read reads all that the jobs touch: token accounts with their data, the recipients' wallets without, and the payer.
func (c *Chain) read(ctx context.Context, jobs []*job, s *survey) error {
	var held, wallets []solana.PublicKey
	c.mu.Lock()
	for _, j := range jobs {
		for _, r := range j.routes {
			held = append(held, r.from)
			if r.burns() || r.to.IsZero() {
				continue
			}
			held = append(held, r.to)
			if r.refunds() {
				held = append(held, r.toOwner)
			}
			if !c.plain[r.toOwner] {
				wallets = append(wallets, r.toOwner)
			}
		}
	}
	c.mu.Unlock()
	held, wallets = sortedKeys(held), sortedKeys(wallets)
	slot := s.hash.clock.slot
	list, _, err := c.accounts(ctx, confirmed, held, slot, true)
	if err != nil {
		return err
	}
	s.accounts = byKey(held, list)
	wallets = append(wallets, c.payer)
	if list, _, err = c.accounts(ctx, confirmed, wallets, slot, false); err != nil {
		return err
	}
	s.wallets = byKey(wallets, list)
	if at := s.wallets[c.payer]; at != nil && at.Lamports > s.rent {
		s.lamports = at.Lamports - s.rent // the runtime lets no account fall below its own rent
	}
	s.left = map[solana.PublicKey]uint64{}
	for k, a := range s.accounts {
		if h, ok := readHolding(a); ok {
			s.left[k] = h.units
		}
	}
	return nil
}

func byKey(keys []solana.PublicKey, list []*account) map[solana.PublicKey]*account {
	out := make(map[solana.PublicKey]*account, len(keys))
	for i, k := range keys {
		out[k] = list[i]
	}
	return out
}

// judge says what stands in a batch's way: faults of recipients, an error for senders and mints, and what has to be made
// first.
func (c *Chain) judge(j *job, s *survey) {
	if j.open() {
		j.err = senders(j.routes, s)
	}
	if j.err != nil {
		return
	}
	for i := range j.routes {
		r := &j.routes[i]
		if r.burns() || slices.ContainsFunc(j.faults, func(f settlement.Fault) bool { return f.Line == i }) {
			continue
		}
		if r.refunds() {
			why, err := c.settle(r, s)
			if err != nil {
				j.err = err
				return
			}
			if why != "" {
				j.fault(i, "%s", why)
				continue
			}
		}
		owner := &r.toOwner
		if r.direct {
			owner = nil
		} else if why := c.strange(s, r.toOwner); why != "" {
			j.fault(i, "recipient %q: %s", r.line.To, why)
			continue
		}
		at := s.accounts[r.to]
		// Where a refund came from there was an account. What is gone now may not have been a wallet's.
		if at == nil && c.config.CreateMissing && !r.refunds() {
			if m, _ := readMint(s.mints[r.mint]); m.frozenAtBirth() {
				j.fault(i, "recipient %q: has no token account for mint %q, whose accounts are made frozen: DefaultAccountState", r.line.To, r.mint)
				continue
			}
			j.missing = append(j.missing, i)
			continue
		}
		if why := trouble(at, r.mint, owner); why != "" {
			j.fault(i, "recipient %q: %s", r.line.To, why)
			continue
		}
		h, _ := readHolding(at)
		r.memo = h.wantsMemo()
	}
	slices.SortFunc(j.faults, func(a, b settlement.Fault) int { return a.Line - b.Line })
}

// strange says why an address is no wallet, and nothing if it is one. A wallet that was seen to be one is not read again: who
// holds the key of an address can always move what its associated accounts hold.
func (c *Chain) strange(s *survey, k solana.PublicKey) string {
	a, asked := s.wallets[k]
	switch {
	case !asked || c.offCurve[k]:
		return ""
	case a != nil && isTokenProgram(a.Owner):
		return "is itself an account of a token program, not a wallet"
	case a != nil && a.Executable:
		return "is a program, not a wallet"
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.plain) >= maxRemembered {
		clear(c.plain)
	}
	c.plain[k] = true
	return ""
}

// senders returns what is wrong with the senders' accounts, nil if nothing is.
func senders(routes []route, s *survey) error {
	need := map[solana.PublicKey]uint64{}
	for _, r := range routes {
		h, ok := readHolding(s.accounts[r.from])
		switch {
		case !ok || h.mint != r.mint || h.owner != r.owner:
			return fmt.Errorf("%w of the sender %q for mint %q", ErrNoAccount, r.line.From, r.line.Asset.Mint)
		case h.frozen:
			return fmt.Errorf("spl: the token account of the sender %q for mint %q is frozen", r.line.From, r.line.Asset.Mint)
		case need[r.from]+r.line.Units < need[r.from] || need[r.from]+r.line.Units > s.left[r.from]:
			return fmt.Errorf("spl: the sender %q holds %d units of mint %q, and %d that no other batch takes: less than this one takes",
				r.line.From, h.units, r.line.Asset.Mint, s.left[r.from])
		}
		need[r.from] += r.line.Units
	}
	return nil
}

// spend takes a batch's units and lamports out of what is left for the others. It is an error if the payer cannot pay.
func (s *survey) spend(routes []route, lamports uint64) error {
	if lamports > s.lamports {
		return fmt.Errorf("spl: the payer holds %d lamports that no other batch takes, this one takes %d", s.lamports, lamports)
	}
	s.lamports -= lamports
	for _, r := range routes {
		s.left[r.from] -= r.line.Units
	}
	return nil
}

// trouble says why nothing can be paid into a recipient's account, and nothing if it can. The owner is compared if given.
func trouble(a *account, mint solana.PublicKey, owner *solana.PublicKey) string {
	if a == nil {
		return fmt.Sprintf("has no token account for mint %q: one must be created first", mint)
	}
	h, ok := readHolding(a)
	switch {
	case !ok || h.mint != mint:
		return fmt.Sprintf("what stands at its address for mint %q is no such token account", mint)
	case h.frozen:
		return fmt.Sprintf("its token account for mint %q is frozen", mint)
	case owner != nil && h.owner != *owner:
		return fmt.Sprintf("its token account for mint %q now belongs to %q", mint, h.owner)
	case h.closed() != "":
		return fmt.Sprintf("its token account for mint %q has the extension %s", mint, h.closed())
	}
	return ""
}
