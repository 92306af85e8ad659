package spl_test

import (
	"fmt"
	"testing"

	"github.com/gagliardetto/solana-go/rpc"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// lamports returns what an address holds in the newest final block.
func (b *bench) lamports(name string) uint64 {
	b.Helper()
	r, err := rpc.New(b.URL()).GetBalance(b.Context(), keyOf(name), rpc.CommitmentFinalized)
	require.NoError(b, err)
	return r.Value
}

func TestReclaim(t *testing.T) {
	for _, row := range []struct {
		format spl.Format
		txs    uint64
	}{{spl.V1, 3}, {spl.V0, 10}, {spl.Legacy, 10}} {
		t.Run(row.format.String(), func(t *testing.T) {
			b := newBench(t)
			own := b.open(b.token, "boss", 1000)
			ann := b.open(b.token, "ann", 0)
			node := newLiar(t, b.URL(), nil)
			c := b.chain(spl.Config{Format: row.format, URL: node.URL})
			var batches []settlement.Batch
			var ids []settlement.MarkerID
			for i := range 70 {
				p := batch(uint32(i), b.token, own, ann)
				batches, ids = append(batches, p), append(ids, p.MarkerID())
			}
			prepared, err := c.Prepare(t.Context(), batches[:64])
			require.NoError(t, err)
			for _, p := range prepared {
				require.NoError(t, p.Err)
				send(t, c, p.Tx)
			}
			b.blocks(svmtest.BlocksToFinal)
			before := b.lamports("boss")
			node.of("")

			r, err := c.Reclaim(t.Context(), append(ids, ids[0]))
			require.NoError(t, err)
			require.Equal(t, c.Name(), r.Endpoint)
			require.GreaterOrEqual(t, r.Context, r.Slot)
			for i := range 71 {
				require.Equal(t, i >= 64 && i < 70, r.Gone[i], "%d: it is there, or never was", i)
			}
			require.Len(t, node.of("sendTransaction"), int(row.txs))
			b.blocks(1)
			_, err = c.Reclaim(t.Context(), ids)
			require.NoError(t, err)
			require.Empty(t, node.of("sendTransaction"), "they are on their way")
			b.blocks(svmtest.BlocksToFinal)
			r, err = c.Reclaim(t.Context(), ids)
			require.NoError(t, err)
			require.NotContains(t, r.Gone, false)
			require.Equal(t, before+64*650_240-5000*row.txs, b.lamports("boss"), "rent in = rent out")
		})
	}
}

// TestReclaimLost sends a reclaim again once the first one can land no more.
func TestReclaimLost(t *testing.T) {
	b := newBench(t)
	c := b.chain(spl.Config{})
	p := settlement.Batch{}
	_, res := b.pay(c, p)
	require.Equal(t, settlement.Succeeded, res.Sight)
	require.NoError(t, b.Inject(t.Context(), svmtest.Fault{Endpoint: -1, Method: "sendTransaction", Do: svmtest.AcceptedAndDropped}))
	for i, gone := range []bool{false, false, false, true} {
		r, err := c.Reclaim(t.Context(), []settlement.MarkerID{p.MarkerID()})
		require.NoError(t, err)
		require.Equal(t, gone, r.Gone[0], fmt.Sprint("round ", i))
		b.blocks(100)
	}
}
