package chaos

import (
	"context"

	"github.com/idlegrid/idlegrid/settlement"
)

// denying is a chain that can be told to deny attempts: then it says of each that it is dead, as soon as it could be, whatever the
// endpoint has answered. No lie of one RPC is as large, as the leaf compares several answers; so that it stands for all that
// could ever get past the leaf. If a quorum does so the journal believes it, and signs again.
type denying struct {
	fullChain
	on *bool
}

// Look implements settlement.Chain.
func (d *denying) Look(ctx context.Context, attempts []settlement.Attempt) (settlement.Sighting, error) {
	s, err := d.fullChain.Look(ctx, attempts)
	if err != nil || !*d.on {
		return s, err
	}
	for i, a := range attempts {
		if s.Height > a.Tx.LastValid {
			s.Results[i] = settlement.Result{Sight: settlement.Dead, Context: max(s.Slot, s.Results[i].Context)}
		}
	}
	return s, nil
}
