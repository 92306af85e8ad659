package simulate

import (
	"math"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// row is where the figures of one run and month go: series s at s*block + run.
type row struct {
	cells []int32
	run   int
}

// put records v, bounded to what fits.
func (o *row) put(s Series, v int64) {
	o.cells[int(s)*block+o.run] = int32(max(math.MinInt32, min(math.MaxInt32, v)))
}

func (o *row) putU(s Series, v uint64) { o.put(s, int64(min(v, math.MaxInt32))) }

func (o *row) putIO(s Series, a tokenomics.Amount) { o.putU(s, uint64(a/tokenomics.UnitsPerToken)) }

// perMillion returns a/b in parts per million, 0 where b is 0.
func perMillion(a, b uint64) uint64 {
	if b == 0 {
		return 0
	}
	return mulDiv(a, million, b)
}

// record writes down the month. Whatever is not a whole number of its unit rounds down.
func (w *world) record(r *run, n *now, out *row) {
	b, s := &r.book, &r.state
	supply := s.Total()
	out.putU(PriceMicro, n.micro)
	out.putIO(SupplyIO, supply)
	out.putIO(CirculatingIO, b.circulating())
	out.putIO(LiquidIO, b.liquid)
	out.putIO(OwnStakeIO, b.own)
	out.putIO(CoStakeIO, b.co)
	out.putIO(LockedIO, b.locked)
	out.putIO(FeeVaultIO, b.fees+b.bought)
	out.putIO(VaultIO, s.Room())
	out.putIO(BurnedIO, s.Burned-s.Reminted)
	out.putIO(EmissionIO, n.emission)
	out.putIO(BurnIO, n.burn)
	emission, burn := perMillion(uint64(n.emission)*12, uint64(supply)), perMillion(uint64(n.burn)*12, uint64(supply))
	out.putU(GenesisInflationPPM, perMillion(uint64(n.emission)*12, uint64(s.Genesis)))
	out.putU(SupplyInflationPPM, emission)
	out.put(NetInflationPPM, int64(emission)-int64(burn))
	out.putU(StakerPPM, n.stakeAPR)
	out.putU(CoStakerPPM, n.coAPR)
	out.putU(StakedPPM, perMillion(uint64(b.own+b.co), uint64(b.circulating())))
	worth := usd(n.rewards, n.micro)
	out.putU(RatioPPM, min(mostRatio, mulDiv(n.fees, million, worth)))
	out.putU(BreakEvenMicro, mulDiv(n.burnUSD, tokenomics.UnitsPerToken, max(1, uint64(n.emission))))
	out.putU(RevenueUSD, n.gross/million)
	paid := worth + n.gross - n.fees
	if n.rule == BurnMint {
		paid = worth + usd(n.settled, n.micro)
	}
	out.putU(PaidUSD, paid/million)
	out.putU(UnfundedUSD, n.unfundedUSD/million)
	out.putU(UsedPPM, perMillion(n.hired, n.all))
	out.putU(Machines, n.all>>machineBits)
	for c := range w.classes {
		w.recordClass(n, out, c)
	}
}

func (w *world) recordClass(n *now, out *row, c int) {
	cl, classes := &w.classes[c], len(w.classes)
	income := int64(min(n.income[c], 1<<40))
	over := int64(part(uint64(income), cl.part)) - million
	out.putU(active(c), n.machines[c]>>machineBits)
	out.put(margin(classes, c), over)
	// What a machine ties up: its price at the time, and the stake of its owner alone.
	capital := part(uint64(cl.Hardware), n.cheap) + usd(uint64(cl.stake), n.micro)
	net := mulQ(income-int64(cl.CostMicro), int64(n.cheap)) * hoursInYear
	if net < 0 {
		out.put(apr(classes, c), -int64(min(perMillion(uint64(-net), capital), math.MaxInt32)))
		return
	}
	out.putU(apr(classes, c), perMillion(uint64(net), capital))
}

// mostRatio is the sustainability ratio where next to nothing was paid: 1,000 in parts per million.
const mostRatio = 1000 * million

// hoursInYear is 365.25 days.
const hoursInYear = 8_766
