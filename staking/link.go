package staking

import (
	"fmt"
	"slices"
)

// Linked reports whether two wallets belong to one person, as far as the pool was told. A wallet is linked with itself.
func (p *Pool) Linked(a, b HolderID) bool {
	if a == b {
		return true
	}
	i, known := p.holderIndex[a]
	k, ok := p.holderIndex[b]
	return known && ok && p.holders[i].leader == p.holders[k].leader
}

func (p *Pool) link(at instant, e WalletsLinked) ([]Effect, error) {
	if err := checkID("a", string(e.A)); err != nil {
		return nil, err
	}
	if err := checkID("b", string(e.B)); err != nil {
		return nil, err
	}
	if p.Linked(e.A, e.B) {
		return nil, fmt.Errorf("%w: %q and %q", ErrLinked, string(e.A), string(e.B))
	}
	epoch, err := p.params.epochAt(at.after(p.params.CoWait))
	if err != nil {
		return nil, err
	}

	first, second := p.holders[p.join(e.A)].leader, p.holders[p.join(e.B)].leader
	if first > second {
		first, second = second, first
	}
	p.merge(first, second)
	var bonds []uint32
	for i := first; ; {
		bonds = append(bonds, p.holders[i].owned...)
		if i = p.holders[i].next; i == first {
			break
		}
	}
	slices.Sort(bonds)
	var effects []Effect
	for _, i := range bonds {
		b := &p.bonds[i]
		left := false
		for k := range b.lots {
			l := &b.lots[k]
			if l.offer != noOffer && l.state == LotActive && p.holders[l.holder].leader == first {
				effects = append(effects, p.leave(at, b, l, epoch, true))
				left = true
			}
		}
		if left {
			effects = append(effects, p.warn(at, b)...)
		}
	}
	return effects, nil
}

// merge puts the ring of the second leader into that of the first, which leads both from now on.
func (p *Pool) merge(first, second uint32) {
	for i := second; ; i = p.holders[i].next {
		p.holders[i].leader = first
		if p.holders[i].next == second {
			break
		}
	}
	p.holders[first].next, p.holders[second].next = p.holders[second].next, p.holders[first].next
	p.holders[first].all += p.holders[second].all
	p.holders[second].all = 0
}
