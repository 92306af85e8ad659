package chaos

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// perform does one operation, and counts it if it had an effect. A fault of RPC counts when it happens, see count.
func (h *history) perform(ctx context.Context, words []string) error {
	name, args := words[0], words[1:]
	switch name {
	case "fault":
		return h.inject(ctx, args)
	case "endpoint":
		return h.condition(ctx, args)
	case "deny":
		return h.disown(args)
	case "crash", "sleep", "disk", "retry":
		return h.upset(ctx, name, args)
	case "freeze", "close", "reown":
		n, err := exactly(args, 1)
		if err != nil {
			return err
		}
		did, err := h.spoil(ctx, name, n[0])
		if did {
			h.out.Faults["recipient: "+name]++
		}
		return err
	case "stall", "gate", "drain", "short":
		return h.toggle(ctx, name, args)
	case "heal":
		return h.heal(ctx)
	}
	return h.chain(ctx, name, args)
}

// chain does what concerns blocks and the clock.
func (h *history) chain(ctx context.Context, name string, args []string) error {
	want := map[string]int{"fork": 2, "rent": 1, "poison": 1, "clock": 1, "blocks": 1}
	count, known := want[name]
	if !known {
		return fmt.Errorf("there is no such operation")
	}
	n, err := exactly(args, count)
	if err != nil {
		return err
	}
	kind := name
	switch name {
	case "fork":
		kind = "fork"
		if n[1] >= 0 {
			kind = "fork and in again"
		}
		_, err = h.Fork(ctx, n[0], n[1])
	case "rent":
		err = h.SetRent(ctx, uint64(n[0]))
	case "poison":
		kind = "marker funded by a stranger"
		err = h.poison(ctx, n[0])
	case "clock":
		kind = "clock forward"
		if n[0] < 0 {
			kind = "clock back"
		}
		h.offset += int64(n[0])
	case "blocks":
		return h.Advance(ctx, n[0])
	}
	if err == nil {
		h.out.Faults[kind]++
	}
	return err
}

// inject adds a fault: endpoint, method or -, skip, count, action, blocks.
func (h *history) inject(ctx context.Context, args []string) error {
	if len(args) != 6 {
		return fmt.Errorf("%d words, want 6", len(args))
	}
	n, err := numbers([]string{args[0], args[2], args[3], args[5]})
	if err != nil {
		return err
	}
	f := svmtest.Fault{Endpoint: n[0], Method: strings.TrimPrefix(args[1], "-"), Skip: n[1], Count: n[2], Blocks: n[3]}
	if err := f.Do.UnmarshalText([]byte(args[4])); err != nil {
		return err
	}
	return h.Inject(ctx, f)
}

// condition puts an endpoint into a state: position, lag, and words for its lies.
func (h *history) condition(ctx context.Context, args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("%d words, want 2 or more", len(args))
	}
	n, err := numbers(args[:2])
	if err != nil {
		return err
	}
	e := svmtest.Endpoint{Lag: n[1]}
	defer func() {
		if h.lying[n[0]] = e.SlotAsHeight || e.ForgetStatuses || e.ForgetTransactions; h.lying[n[0]] && len(h.liars()) > 1 {
			h.out.Faults["endpoints: two lie at once"]++
		}
	}()
	if e.Lag > 0 {
		h.out.Faults["endpoint: lags"]++
	}
	for _, w := range args[2:] {
		switch w {
		case "slot-as-height":
			e.SlotAsHeight = true
		case "forgets-statuses":
			e.ForgetStatuses = true
		case "forgets-transactions":
			e.ForgetTransactions = true
		case "no-min-context":
			e.RefuseMinContextSlot = true
		default:
			return fmt.Errorf("%q is no condition", w)
		}
		h.out.Faults["endpoint: "+w]++
	}
	return h.SetEndpoint(ctx, n[0], e)
}

// disown makes the two endpoints from a position on, around the corner, deny every attempt, or speak the truth again.
func (h *history) disown(args []string) error {
	if len(args) != 2 || args[1] != "on" && args[1] != "off" {
		return fmt.Errorf("%v, want an endpoint, and on or off", args)
	}
	n, err := numbers(args[:1])
	if err != nil {
		return err
	}
	if n[0] < 0 || n[0] >= endpoints {
		return fmt.Errorf("endpoint %d, want 0 to %d", n[0], endpoints-1)
	}
	on := args[1] == "on"
	h.deny[n[0]], h.deny[(n[0]+1)%endpoints] = on, on
	if on {
		h.out.Faults["endpoints: two deny every attempt"]++
	}
	return nil
}

// liars returns the endpoints that lie.
func (h *history) liars() []int {
	var out []int
	for i, lies := range h.lying {
		if lies {
			out = append(out, i)
		}
	}
	return out
}

// upset does what concerns a payer.
func (h *history) upset(ctx context.Context, name string, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("which payer?")
	}
	n, err := numbers(args[:1])
	if err != nil {
		return err
	}
	if n[0] < 0 || n[0] >= len(h.payers) {
		return fmt.Errorf("payer %d, want 0 to %d", n[0], len(h.payers)-1)
	}
	p := h.payers[n[0]]
	if name == "crash" {
		if len(args) < 3 {
			return fmt.Errorf("%d words, want 3 or more", len(args))
		}
		skip, err := numbers(args[2:3])
		if err != nil {
			return err
		}
		if !slices.Contains(Points(), args[1]) {
			return fmt.Errorf("%q is no point", args[1])
		}
		p.crashes = append(p.crashes, &crash{args[1], skip[0], args[3:]})
		return nil
	}
	more := 1
	if name == "retry" {
		more = 0
	}
	rest, err := exactly(args[1:], more)
	if err != nil {
		return err
	}
	switch name {
	case "sleep":
		p.asleep = rest[0]
		h.out.Faults["payer sleeps"]++
	case "disk":
		if p.process == nil || h.script.Mode == Naive {
			return nil
		}
		h.out.Faults["disk full"]++
		return h.order(ctx, p, command{Do: "disk", Room: rest[0]})
	case "retry":
		if p.process != nil && h.script.Mode != Naive {
			return h.order(ctx, p, command{Do: "retry"})
		}
	}
	return nil
}

// toggle turns something on or off.
func (h *history) toggle(ctx context.Context, name string, args []string) error {
	if len(args) != 1 || args[0] != "on" && args[0] != "off" {
		return fmt.Errorf("%v, want on or off", args)
	}
	on := args[0] == "on"
	kinds := map[string]string{"stall": "finality stalls", "gate": "version 1 refused", "drain": "payer without lamports", "short": "payer without tokens"}
	if on != (name == "gate") { // the gate is well when it is on
		h.out.Faults[kinds[name]]++
	}
	switch name {
	case "stall":
		return h.Stall(ctx, on)
	case "gate":
		return h.gate(ctx, on)
	case "drain":
		return h.drain(ctx, on)
	}
	return h.short(ctx, on)
}

// exactly reads so many numbers.
func exactly(args []string, count int) ([]int, error) {
	if len(args) != count {
		return nil, fmt.Errorf("%d numbers, want %d", len(args), count)
	}
	return numbers(args)
}
