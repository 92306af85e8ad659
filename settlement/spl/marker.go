package spl

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
)

// marker is the account that at most one attempt of a batch can create.
type marker struct {
	seed string // hexadecimal: a seed is UTF-8 of at most 32 bytes
	at   solana.PublicKey
}

// marker derives a marker. The seed is secret until it is used: anybody can send lamports to an address that they know, and
// the System program would then refuse every attempt.
func (c *Chain) marker(ctx context.Context, id settlement.MarkerID) (marker, error) {
	secret, err := c.markersSecret(ctx)
	if err != nil {
		return marker{}, err
	}
	b := binary.BigEndian.AppendUint32(nil, uint32(id.Batch.Epoch))
	b = binary.BigEndian.AppendUint32(b, id.Batch.Lane)
	b = binary.BigEndian.AppendUint32(b, id.Batch.Index)
	b = binary.BigEndian.AppendUint16(b, id.N)
	h := hmac.New(sha256.New, secret)
	h.Write(b)
	m := marker{seed: hex.EncodeToString(h.Sum(nil)[:16])}
	if m.at, err = solana.CreateWithSeed(c.payer, m.seed, solana.SystemProgramID); err != nil {
		return m, fmt.Errorf("spl: marker %s: %w", id, err)
	}
	return m, nil
}

// MarkerAddress returns where a marker is or will be. It is a secret until the marker exists: who knows it can block it.
func (c *Chain) MarkerAddress(ctx context.Context, id settlement.MarkerID) (settlement.Account, error) {
	m, err := c.marker(ctx, id)
	return text(m.at), err
}

// markersSecret asks the payer's signer once.
func (c *Chain) markersSecret(ctx context.Context) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.secret == nil {
		s, err := markerSecret(ctx, c.config.Payer)
		if err != nil {
			return nil, err
		}
		c.secret = s[:]
	}
	return c.secret, nil
}

// take is System TransferWithSeed of all that a marker holds, back to the payer.
func (m marker) take(payer solana.PublicKey, lamports uint64) Instruction {
	d := binary.LittleEndian.AppendUint32(nil, systemTransferWithSeed)
	d = binary.LittleEndian.AppendUint64(d, lamports)
	d = binary.LittleEndian.AppendUint64(d, uint64(len(m.seed)))
	d = append(d, m.seed...)
	d = append(d, solana.SystemProgramID[:]...)
	return Instruction{Program: solana.SystemProgramID, Accounts: []Meta{{m.at, false, true}, {payer, true, true}, {payer, true, true}}, Data: d}
}
