package spl

import (
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

// marker derives the marker of a batch. The seed is secret until it is used: anybody can send lamports to an address that
// they know, and the System program would then refuse every attempt.
func (c *Chain) marker(id settlement.MarkerID) (marker, error) {
	b := binary.BigEndian.AppendUint32(nil, uint32(id.Batch.Epoch))
	b = binary.BigEndian.AppendUint32(b, id.Batch.Lane)
	b = binary.BigEndian.AppendUint32(b, id.Batch.Index)
	b = binary.BigEndian.AppendUint16(b, id.N)
	h := hmac.New(sha256.New, c.secret)
	h.Write(b)
	m := marker{seed: hex.EncodeToString(h.Sum(nil)[:16])}
	var err error
	if m.at, err = solana.CreateWithSeed(c.payer, m.seed, solana.SystemProgramID); err != nil {
		return m, fmt.Errorf("spl: marker of batch %s: %w", id, err)
	}
	return m, nil
}

// create is System CreateAccountWithSeed without data. It fails with Custom(0) when the account exists.
func (m marker) create(payer solana.PublicKey, lamports uint64) solana.Instruction {
	const createAccountWithSeed = 3
	d := binary.LittleEndian.AppendUint32(nil, createAccountWithSeed)
	d = append(d, payer[:]...)
	d = binary.LittleEndian.AppendUint64(d, uint64(len(m.seed)))
	d = append(d, m.seed...)
	d = binary.LittleEndian.AppendUint64(d, lamports)
	d = binary.LittleEndian.AppendUint64(d, 0)
	d = append(d, solana.SystemProgramID[:]...)
	return solana.NewInstruction(solana.SystemProgramID, solana.AccountMetaSlice{
		solana.Meta(payer).WRITE().SIGNER(), solana.Meta(m.at).WRITE(),
	}, d)
}
