package spl

import (
	"context"
	"errors"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
)

const (
	reclaimsV1  = 31 // of one transaction: 3,991 bytes
	reclaimsOld = 7  // of 1,232 bytes
)

// Reclaim implements settlement.Reclaimer. Markers whose reclaim is on its way are not taken twice.
func (c *Chain) Reclaim(ctx context.Context, markers []settlement.MarkerID) (settlement.Reclaims, error) {
	now, err := c.rpc.clock(ctx, finalized)
	if err != nil {
		return settlement.Reclaims{}, err
	}
	out := settlement.Reclaims{Endpoint: c.rpc.name, Height: now.height, Slot: now.slot, Gone: make([]bool, len(markers))}
	all := make([]marker, len(markers))
	keys := make([]solana.PublicKey, len(markers))
	for i, id := range markers {
		if all[i], err = c.marker(ctx, id); err != nil {
			return out, err
		}
		keys[i] = all[i].at
	}
	list, slot, err := c.accounts(ctx, finalized, keys, now.slot, false)
	if err != nil {
		return out, err
	}
	out.Context = slot
	var due []marker
	var lamports []uint64
	still := c.underway(c.taking, now.height)
	seen := map[solana.PublicKey]bool{}
	for i, a := range list {
		out.Gone[i] = a == nil
		if a != nil && !still(keys[i]) && !seen[keys[i]] {
			seen[keys[i]] = true
			due, lamports = append(due, all[i]), append(lamports, a.Lamports)
		}
	}
	return out, c.take(ctx, due, lamports)
}

// take sends what takes the markers' lamports back. It tries all, and says what went wrong.
func (c *Chain) take(ctx context.Context, due []marker, lamports []uint64) error {
	if len(due) == 0 {
		return nil
	}
	hash, err := c.rpc.blockhash(ctx, confirmed)
	if err != nil {
		return err
	}
	many := reclaimsV1
	if c.config.Format != V1 {
		many = reclaimsOld
	}
	var e Encoder
	var all []error
	for start := 0; start < len(due); start += many {
		part := due[start:min(start+many, len(due))]
		in := make([]Instruction, len(part))
		keys := make([]solana.PublicKey, len(part))
		for i, m := range part {
			in[i], keys[i] = m.take(c.payer, lamports[start+i]), m.at
		}
		units := tenthMore(unitsMarker * uint64(len(part)+budgetInstructions))
		tx, err := c.message(ctx, &e, in, hash, units, pages(accountOverhead*uint64(len(part)+4)))
		if err != nil {
			return errors.Join(append(all, err)...)
		}
		if err := c.send(ctx, tx); err != nil {
			all = append(all, err)
			continue
		}
		c.remember(c.taking, keys, tx.LastValid)
	}
	return errors.Join(all...)
}
