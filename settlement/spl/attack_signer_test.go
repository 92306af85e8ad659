package spl_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/gagliardetto/solana-go"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
)

// TestAttackPriority: a limited signer that only knew the exact length of a price would sign away any priority fee on a runtime
// that reads an instruction of the compute budget from its beginning. The local one takes the transaction and ignores the price;
// a later version may not.
func TestAttackPriority(t *testing.T) {
	limited, err := spl.NewLimited(signer(t, "payer"), spl.LimitedConfig{
		Programs:      []settlement.Account{settlement.Account(solana.ComputeBudget.String())},
		MaxTxLamports: 20_000, MaxLamports: 1e9, Window: time.Hour, Now: func() time.Time { return time.Unix(1_800_000_000, 0) },
	})
	require.NoError(t, err)
	price := func(micro uint64, tail ...byte) []byte {
		return append(binary.LittleEndian.AppendUint64([]byte{3}, micro), tail...)
	}
	units := binary.LittleEndian.AppendUint32([]byte{2}, 1000)
	for name, row := range map[string]struct {
		data  [][]byte
		signs bool
	}{
		"15,000 lamports":   {[][]byte{units, price(15_000_000)}, true},
		"15,001 lamports":   {[][]byte{units, price(15_001_000)}, false},
		"a tail":            {[][]byte{units, price(15_001_000, 0)}, false},
		"a long tail":       {[][]byte{units, price(15_001_000, make([]byte, 200)...)}, false},
		"a tail of units":   {[][]byte{append(units[:5:5], 0), price(15_000_000)}, false},
		"a second price":    {[][]byte{units, price(15_001_000), price(0)}, false},
		"the first of two":  {[][]byte{units, price(0), price(15_001_000, 1)}, false},
		"no limit of units": {[][]byte{price(15_000_000)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var in []solana.Instruction
			for _, d := range row.data {
				in = append(in, solana.NewInstruction(solana.ComputeBudget, nil, d))
			}
			tx, err := solana.NewTransaction(in, solana.Hash(keyOf("hash")), solana.TransactionPayer(keyOf("payer")))
			require.NoError(t, err)
			message, err := tx.Message.MarshalBinary()
			require.NoError(t, err)
			_, err = limited.Sign(t.Context(), message)
			if row.signs {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, spl.ErrLimited)
		})
	}
}
