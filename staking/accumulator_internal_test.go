package staking

import (
	"encoding/binary"
	"math/big"
	"slices"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/canon"
	"github.com/idlegrid/idlegrid/tokenomics"
)

func TestPositionIsSmall(t *testing.T) {
	require.EqualValues(t, 40, unsafe.Sizeof(Position{}))
}

func TestAccumulatorCodec(t *testing.T) {
	a := Accumulator{total: 1, accHi: 2, accLo: 3, carry: 4, in: 5, out: 6}
	p := Position{shares: 7, accHi: 8, accLo: 9, frac: 10, pending: 11}
	var w canon.Writer
	w.String("here")
	a.write(&w)
	require.Len(t, w.Data(), 8+accumulatorSize)
	p.write(&w)
	require.Len(t, w.Data(), 8+accumulatorSize+positionSize)
	r := canon.NewReader(w.Data(), "here")
	require.Equal(t, a, readAccumulator(r))
	require.Equal(t, p, readPosition(r))
	require.NoError(t, r.Close())
}

func TestAccumulatorTakeAndGive(t *testing.T) {
	var (
		a Accumulator
		p Position
	)
	require.NoError(t, a.Set(&p, 9))
	require.NoError(t, a.Distribute(100))
	a.take(&p, 30)
	require.NoError(t, a.Audit(slices.Values([]Position{p})))
	require.Equal(t, tokenomics.Amount(70), a.Held())
	require.Panics(t, func() { a.take(&p, 71) })
	a.give(&p, 30)
	require.NoError(t, a.Audit(slices.Values([]Position{p})))
	require.Panics(t, func() { a.give(&p, 1) })
	require.Equal(t, tokenomics.Amount(100), a.Claim(&p))
}

// Every field that is off by one is found.
func TestAccumulatorAuditFinds(t *testing.T) {
	var base Accumulator
	held := make([]Position, 2)
	require.NoError(t, base.Set(&held[0], 3))
	require.NoError(t, base.Set(&held[1], 4))
	require.NoError(t, base.Distribute(100))
	base.Claim(&held[0])
	require.NoError(t, base.Distribute(50))
	require.NoError(t, base.Audit(slices.Values(held)))
	for _, c := range []struct {
		name string
		f    func(a *Accumulator, ps []Position)
	}{
		{"stake", func(a *Accumulator, _ []Position) { a.total++ }},
		{"a position's stake", func(_ *Accumulator, ps []Position) { ps[1].shares-- }},
		{"reward per stake, low", func(a *Accumulator, _ []Position) { a.accLo++ }},
		{"reward per stake, high", func(a *Accumulator, _ []Position) { a.accHi++ }},
		{"a position ahead", func(a *Accumulator, ps []Position) { ps[0].accHi = a.accHi + 1 }},
		{"carry", func(a *Accumulator, _ []Position) { a.carry ^= 1 }},
		{"carry above the stake", func(a *Accumulator, ps []Position) { a.carry += 7; ps[0].frac -= 7 }},
		{"in", func(a *Accumulator, _ []Position) { a.in++ }},
		{"out", func(a *Accumulator, _ []Position) { a.out++ }},
		{"more out than in", func(a *Accumulator, _ []Position) { a.in, a.out = 0, 1 }},
		{"fraction", func(_ *Accumulator, ps []Position) { ps[0].frac++ }},
		{"pending", func(_ *Accumulator, ps []Position) { ps[1].pending++ }},
		{"pending that wraps", func(_ *Accumulator, ps []Position) { ps[1].pending = 1<<64 - 1 }},
		{"stakes that wrap", func(_ *Accumulator, ps []Position) {
			ps[0].accHi, ps[0].accLo, ps[0].shares = base.accHi, base.accLo, 1<<63
			ps[1].accHi, ps[1].accLo, ps[1].shares = base.accHi, base.accLo, 1<<63+7
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, ps := base, slices.Clone(held)
			c.f(&a, ps)
			require.ErrorIs(t, a.Audit(slices.Values(ps)), ErrAudit)
		})
	}
	require.ErrorIs(t, base.Audit(slices.Values(held[:1])), ErrAudit, "a position is missing")
}

// slowAccumulator is the rule of Accumulator in unbounded integers, in units of 2^-64.
type slowAccumulator struct{ total, acc, carry big.Int }

// slowPosition has beside it what the position is worth by a division without any rounding, since the beginning.
type slowPosition struct {
	shares, at, owed, received big.Int
	fair                       big.Rat
}

var unit = new(big.Int).Lsh(big.NewInt(1), 64)

func number(n uint64) *big.Int { return new(big.Int).SetUint64(n) }

func (a *slowAccumulator) settle(p *slowPosition) {
	gain := new(big.Int).Sub(&a.acc, &p.at)
	p.owed.Add(&p.owed, gain.Mul(gain, &p.shares))
	p.at.Set(&a.acc)
	if p.shares.Sign() > 0 && p.shares.Cmp(&a.total) == 0 {
		p.owed.Add(&p.owed, &a.carry)
		a.carry.SetUint64(0)
	}
}

func (a *slowAccumulator) spread() {
	if a.total.Sign() == 0 {
		return
	}
	each, rest := new(big.Int).QuoRem(&a.carry, &a.total, new(big.Int))
	a.acc.Add(&a.acc, each)
	a.carry.Set(rest)
}

func (a *slowAccumulator) distribute(reward uint64, ps []slowPosition) {
	a.carry.Add(&a.carry, new(big.Int).Mul(number(reward), unit))
	a.spread()
	for i := range ps {
		part := new(big.Rat).SetFrac(&ps[i].shares, &a.total)
		ps[i].fair.Add(&ps[i].fair, part.Mul(part, new(big.Rat).SetInt(number(reward))))
	}
}

func (a *slowAccumulator) set(p *slowPosition, stake uint64) {
	a.settle(p)
	a.total.Sub(&a.total, &p.shares)
	p.shares.SetUint64(stake)
	a.total.Add(&a.total, &p.shares)
	a.spread()
}

// whole takes the whole units out of n and returns them.
func whole(n *big.Int) uint64 {
	units := new(big.Int).Rsh(n, 64)
	n.Sub(n, new(big.Int).Lsh(units, 64))
	return units.Uint64()
}

func (a *slowAccumulator) claim(p *slowPosition) uint64 {
	a.settle(p)
	n := whole(&p.owed)
	p.received.Add(&p.received, new(big.Int).Lsh(number(n), 64))
	return n
}

func (a *slowAccumulator) close(p *slowPosition) (paid, dust uint64) {
	paid = a.claim(p)
	a.total.Sub(&a.total, &p.shares)
	a.carry.Add(&a.carry, &p.owed)
	p.received.Add(&p.received, &p.owed)
	p.owed.SetUint64(0)
	p.shares.SetUint64(0)
	dust = whole(&a.carry)
	a.spread()
	return paid, dust
}

// accumulators are the fast and the slow one, side by side.
type accumulators struct {
	t      *testing.T
	fast   Accumulator
	slow   slowAccumulator
	ps     [5]Position
	qs     [5]slowPosition
	escrow [5]uint64
	slack  big.Int // how far an exact division may be away, in 2^-64 base units
}

// step carries out one operation on both and compares all that they say.
func (m *accumulators) step(op, who byte, n uint64) {
	t, i := m.t, int(who)%len(m.ps)
	p, q := &m.ps[i], &m.qs[i]
	// What an operation can add to or take from a position beside its exact part is at most the carry or the stake.
	m.slack.Add(&m.slack, &m.slow.carry)
	m.slack.Add(&m.slack, &m.slow.total)
	switch op % 8 {
	case 0, 1:
		if m.fast.Set(p, tokenomics.Amount(n)) == nil {
			m.slow.set(q, n)
		}
	case 2, 3, 4:
		if m.fast.Distribute(tokenomics.Amount(n)) == nil {
			m.slow.distribute(n, m.qs[:])
		}
	case 5:
		require.EqualValues(t, m.slow.claim(q), m.fast.Claim(p))
	case 6:
		m.slack.Add(&m.slack, unit)
		paid, dust := m.fast.Close(p)
		wantPaid, wantDust := m.slow.close(q)
		require.EqualValues(t, wantPaid, paid)
		require.EqualValues(t, wantDust, dust)
	case 7:
		m.escrowed(i, n)
	}
	for i := range m.ps {
		m.compare(i)
	}
	require.EqualValues(t, m.slow.total.Uint64(), m.fast.Stake())
	require.Equal(t, m.slow.carry.Uint64(), m.fast.carry)
	require.True(t, m.fast.total == 0 || m.fast.carry < m.fast.total)
	require.NoError(t, m.fast.Audit(slices.Values(m.ps[:])))
}

// escrowed takes units of a position, or gives back what was taken.
func (m *accumulators) escrowed(i int, n uint64) {
	p, q := &m.ps[i], &m.qs[i]
	m.slow.settle(q)
	moved := new(big.Int)
	if m.escrow[i] > 0 {
		m.fast.Settle(p)
		m.fast.give(p, tokenomics.Amount(m.escrow[i]))
		moved.Lsh(number(m.escrow[i]), 64)
		m.escrow[i] = 0
	} else {
		m.escrow[i] = min(n, uint64(p.Earned(&m.fast)))
		m.fast.take(p, tokenomics.Amount(m.escrow[i]))
		moved.Neg(moved.Lsh(number(m.escrow[i]), 64))
	}
	q.owed.Add(&q.owed, moved)
	q.received.Sub(&q.received, moved)
}

// compare holds a position against the slow one, to 2^-64, and against an exact division.
func (m *accumulators) compare(i int) {
	p, q, a := m.ps[i], &m.qs[i], m.fast
	a.Settle(&p)
	b, r := m.slow, new(slowPosition)
	b.carry = *new(big.Int).Set(&m.slow.carry)
	r.shares.Set(&q.shares)
	r.at.Set(&q.at)
	r.owed.Set(&q.owed)
	b.settle(r)
	have := new(big.Int).Lsh(number(p.pending), 64)
	require.Equal(m.t, r.owed.String(), have.Add(have, number(p.frac)).String(), "position %d", i)
	got := new(big.Rat).SetFrac(new(big.Int).Add(&r.owed, &q.received), unit)
	off := got.Sub(got, &q.fair)
	require.LessOrEqual(m.t, off.Abs(off).Cmp(new(big.Rat).SetFrac(&m.slack, unit)), 0,
		"position %d is %s base units away from an exact division", i, off.FloatString(20))
}

func FuzzAccumulator(f *testing.F) {
	step := func(op, who byte, n uint64) []byte { return binary.BigEndian.AppendUint64([]byte{op, who}, n) }
	f.Add(slices.Concat(step(0, 0, 1), step(0, 1, 2), step(2, 0, 1), step(0, 0, 0), step(6, 1, 0), step(6, 0, 0), step(0, 2, 1), step(2, 0, 1)))
	f.Add(slices.Concat(step(0, 0, 8e16), step(0, 1, 8e16), step(2, 0, 8e16), step(7, 0, 1e16), step(5, 0, 0), step(7, 0, 0), step(6, 1, 0)))
	f.Add(slices.Concat(step(0, 0, 1<<64-2), step(0, 1, 1), step(2, 0, 1<<63), step(2, 0, 1<<63-1), step(0, 0, 1), step(6, 1, 0), step(6, 0, 0)))
	f.Add(slices.Concat(step(0, 0, 3), step(0, 1, 4), step(2, 0, 100), step(0, 0, 0), step(0, 1, 0), step(0, 2, 5), step(6, 0, 0), step(6, 1, 0)))
	f.Fuzz(func(t *testing.T, b []byte) {
		m := accumulators{t: t}
		for len(b) >= 10 {
			// The top bits scale the number, so that small ones are as likely as large ones.
			n := binary.BigEndian.Uint64(b[2:])
			m.step(b[0], b[1], n>>(b[0]>>3<<1))
			b = b[10:]
		}
		for i := range m.ps {
			m.step(6, byte(i), 0)
		}
		require.Zero(t, m.fast.carry, "all positions are closed")
		require.Zero(t, m.fast.Held())
	})
}
