package chaos

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// generator makes a script.
type generator struct {
	*rand.Rand
	mode Mode
	size World
	ops  []Op
	liar int  // the endpoint that may say what is false
	two  bool // another one forgets with it, so that what a quorum says is false, too
	hung bool
}

// Generate makes the script of a mode and a seed: always the same.
func Generate(m Mode, seed uint64, w World) Script {
	h := fnv.New64a()
	_, _ = h.Write([]byte(m))
	g := &generator{Rand: rand.New(rand.NewPCG(seed, h.Sum64())), mode: m, size: w} //nolint:gosec // a history, no secret
	g.liar = g.IntN(endpoints)
	g.begin()
	g.rare()
	for tick := range w.Ticks {
		g.network(tick)
		for payer := range m.payers() {
			g.process(tick, payer)
		}
		g.money(tick)
		g.blocks(tick)
	}
	slices.SortStableFunc(g.ops, func(a, b Op) int { return a.Tick - b.Tick })
	return Script{m, w, g.once(4), g.ops}
}

// add adds an operation, unless it would come after the last tick.
func (g *generator) add(tick int, words ...string) {
	if tick < g.size.Ticks {
		g.ops = append(g.ops, Op{tick, words})
	}
}

// once in says yes once in n times.
func (g *generator) once(n int) bool { return g.IntN(n) == 0 }

// between returns a number from low to high, as text.
func (g *generator) between(low, high int) string { return strconv.Itoa(low + g.IntN(high-low+1)) }

// begin is what happens before anything else.
func (g *generator) begin() {
	if g.mode == EarlyReclaim {
		// The second payer signs a block later, and sleeps until the first has taken the rent back, while what it has signed is valid.
		g.add(0, "sleep", "1", "1")
		g.add(1, "crash", "1", "append.after.Signed", "0")
		g.add(2, "sleep", "1", strconv.Itoa(8*12/g.size.Blocks))
	}
	if g.mode == NoMarker {
		g.add(g.size.Ticks/2, "crash", "0", "step", "0", "lost")
	}
	if g.once(2) {
		g.add(0, "poison", g.between(0, g.size.Batches-1))
	}
	if g.mode == ProtocolLying {
		g.lies()
	}
	if g.mode == ProtocolRace && g.once(2) {
		g.sleeper()
	}
}

// sleeper lets a payer sleep for half a day, in which the other pays and takes the rent of the markers back. All that was signed
// before is dead by then, as it is after any three hours.
func (g *generator) sleeper() {
	tick := 1 + g.IntN(1+g.size.Ticks/2)
	who := g.IntN(2)
	g.add(tick, "sleep", strconv.Itoa(who), g.between(10, 16))
	if g.once(2) { // with an attempt that it has signed, and not sent
		g.crash(tick-1, who, "append.after.Signed", 0)
	}
	g.add(tick+3+g.IntN(5), "blocks", "200")
	g.add(g.ops[len(g.ops)-1].Tick, "clock", strconv.Itoa(halfDay))
}

// lies makes one endpoint a liar for the whole history, and in every second one another for a while. Both together are a quorum:
// they can make a journal believe that an attempt is dead which is not, so that nothing but the marker stands against paying twice.
func (g *generator) lies() {
	lies := []string{"slot-as-height", "forgets-statuses", "forgets-transactions"}
	g.Shuffle(len(lies), func(i, j int) { lies[i], lies[j] = lies[j], lies[i] })
	if g.two = g.once(2); !g.two {
		words := append([]string{"endpoint", strconv.Itoa(g.liar), g.between(0, 40)}, lies[:1+g.IntN(3)]...)
		g.add(g.IntN(4), words...)
		return
	}
	if g.once(3) {
		lies = lies[:1+g.IntN(3)]
	}
	begin, length := g.IntN(1+g.size.Ticks/4), 1+200/g.size.Blocks+g.IntN(1+g.size.Ticks/4)
	for _, who := range []int{g.liar, (g.liar + 1) % endpoints} {
		g.add(begin, append([]string{"endpoint", strconv.Itoa(who), "0"}, lies...)...)
		g.add(begin+length, "endpoint", strconv.Itoa(who), "0")
	}
	if g.once(3) {
		return
	}
	// Or they deny what is paid, and the third does not answer meanwhile, which could contradict them.
	g.add(begin, "deny", strconv.Itoa(g.liar), "on")
	g.add(begin+length, "deny", strconv.Itoa(g.liar), "off")
	honest := strconv.Itoa((g.liar + 2) % endpoints)
	for tick := begin; tick < begin+length; tick++ {
		g.add(tick, "fault", honest, "-", "0", "12", svmtest.Unavailable.String(), "0")
	}
}

// rare makes payers wait for their death at points to which few histories come, and brings some of them there.
func (g *generator) rare() {
	points := []string{"retry", "resume", "find.before", "find.after", "reclaim.before", "reclaim.after"}
	events := []string{"Rejected", "Failed", "Expired", "Found", "Poisoned", "Retried", "Resumed", "Reclaimed"}
	if g.lossy() {
		events = append(events, "Recovering", "Absent")
	}
	for _, event := range events {
		points = append(points, "append.before."+event, "append.after."+event)
	}
	for payer := range g.mode.payers() {
		if g.mode == EarlyReclaim && payer == 1 {
			continue
		}
		for _, i := range g.Perm(len(points))[:8] {
			g.crash(0, payer, points[i], g.IntN(2))
		}
	}
	// Nobody is left to send what is signed until it is dead.
	for range 1 + g.IntN(2) {
		tick := g.IntN(g.size.Ticks)
		for tick > 0 && waves(g.size, tick) == waves(g.size, tick-1) {
			tick--
		}
		g.crash(tick, 0, "append.after.Signed", 0)
		g.add(tick+1, "blocks", g.between(170, 260))
	}
}

// lossy says whether journals are lost.
func (g *generator) lossy() bool { return g.mode == ProtocolLost || g.mode == NoMarker }

// crash adds a crash, and what it does to the journal.
func (g *generator) crash(tick, payer int, point string, skip int) {
	words := []string{"crash", strconv.Itoa(payer), point, strconv.Itoa(skip)}
	switch {
	case g.lossy() && g.once(2):
		words = append(words, "lost")
	case strings.HasPrefix(point, "append.after.") && g.once(2):
		words = append(words, "torn", g.between(1, 40))
	}
	g.add(tick, words...)
}

// lie says whether an action makes an answer false, instead of late, broken or missing.
func lie(a svmtest.Action) bool {
	return a >= svmtest.NullStatus || a == svmtest.NullResult || a == svmtest.RepeatedReply || a == svmtest.AheadContext
}

// hang says whether an action makes the client wait for its own clock.
func hang(a svmtest.Action) bool { return a == svmtest.HangBefore || a == svmtest.HangAfter }

// network adds faults of RPC.
func (g *generator) network(tick int) {
	all := slices.Collect(svmtest.Actions())
	for range g.IntN(3) {
		a := all[g.IntN(len(all))]
		endpoint := g.between(-1, endpoints-1)
		if lie(a) {
			endpoint = strconv.Itoa(g.liar)
		}
		count := g.between(1, 3)
		if hang(a) { // which takes the client's time, and so is rare
			if g.hung {
				continue
			}
			g.hung, count = true, "1"
		}
		method := "-"
		if g.once(3) {
			method = "sendTransaction"
		}
		blocks := "0"
		switch a { //nolint:exhaustive // the others have no blocks
		case svmtest.LandLate:
			blocks = g.between(1, 149)
		case svmtest.DeliveredTwice:
			blocks = g.between(0, 149)
		case svmtest.Stale:
			blocks = g.between(1, 100)
		case svmtest.AheadContext:
			blocks = g.between(1, 500)
		}
		g.add(tick, "fault", endpoint, method, g.between(0, 12), count, a.String(), blocks)
	}
	if g.once(12) {
		who := g.IntN(endpoints)
		words := []string{"endpoint", strconv.Itoa(who), g.between(1, 60)}
		if g.once(2) {
			words = append(words, "no-min-context")
		}
		if g.mode != ProtocolLying || who != g.liar && !g.two {
			g.add(tick, words...)
			g.add(tick+1+g.IntN(6), "endpoint", strconv.Itoa(who), "0")
		}
	}
}

// process adds what happens to a payer.
func (g *generator) process(tick, payer int) {
	who := strconv.Itoa(payer)
	if g.mode == EarlyReclaim && payer == 1 {
		return
	}
	if g.once(4) {
		points := Points()
		if !g.once(3) { // where every batch comes
			points = []string{
				"prepare.after", "sign.after", "send.before", "send.after", "look.after", "append.before.Signed", "append.after.Signed",
				"append.before.Landed",
			}
		}
		g.crash(tick, payer, points[g.IntN(len(points))], g.IntN(4))
	}
	if g.once(25) {
		g.add(tick, "sleep", who, g.between(1, 12))
	}
	if g.once(40) {
		g.add(tick, "disk", who, g.between(0, 600))
	}
	if g.once(10) {
		g.add(tick, "retry", who)
	}
}

// money adds what happens to accounts.
func (g *generator) money(tick int) {
	if g.once(8) {
		how := []string{"freeze", "close", "reown"}[g.IntN(3)]
		g.add(tick, how, g.between(0, g.size.Batches*g.size.Lines-1))
	}
	if g.once(20) {
		g.add(tick, "heal")
	}
	for _, what := range []string{"drain", "short"} {
		if g.once(50) {
			g.add(tick, what, "on")
			g.add(tick+1+g.IntN(5), what, "off")
		}
	}
}

// blocks adds what happens to the chain and the clock.
func (g *generator) blocks(tick int) {
	if g.once(9) {
		replay := "-1"
		if g.once(2) {
			replay = g.between(0, 100)
		}
		g.add(tick, "fork", g.between(1, 30), replay)
	}
	if g.once(30) {
		g.add(tick, "stall", "on")
		g.add(tick+1+g.IntN(6), "stall", "off")
	}
	if g.once(25) {
		g.add(tick, "rent", []string{"6960", "5080", "2575", "696"}[g.IntN(4)])
	}
	if g.once(40) {
		g.add(tick, "gate", "off")
		g.add(tick+1+g.IntN(5), "gate", "on")
	}
	if g.once(30) {
		// A journal that hears of every attempt, and is told the truth, may trust the clock as it likes; others may not, see
		// reclaimAfter.
		forward := 300
		if g.mode == Protocol || g.mode == ProtocolLying && !g.two {
			forward = 24 * 3600
		}
		back := -3600
		if g.mode == ProtocolRace { // so that a payer who slept does not wake before it fell asleep
			back = -300
		}
		g.add(tick, "clock", g.between(back, forward))
	}
	if g.once(20) {
		g.add(tick, "blocks", g.between(1, 160))
	}
}
