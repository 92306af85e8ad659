package spl

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
)

// ErrLimited is returned for a message that a limited signer will not sign.
var ErrLimited = errors.New("spl: beyond the signer's limits")

// Cap bounds what leaves token accounts of one mint.
type Cap struct {
	Mint    settlement.Account   // for messages only: it names the sum in errors
	Sources []settlement.Account // the token accounts; no other may be a source
	MaxTx   uint64               // base units that leave them in one transaction
	Max     uint64               // base units that leave them in one window
}

// LimitedConfig says what a limited signer signs.
type LimitedConfig struct {
	// Programs may be called; a message that calls another is refused. What a program other than System, SPL Token and
	// Token-2022 does with the signature is not looked at: list none that is not trusted with the whole account.
	Programs []settlement.Account
	// Caps bound the units that the key lets go, at most one cap for each source.
	Caps []Cap
	// MaxTxLamports bounds the lamports that the key lets go in one transaction: fees, priority and transfers, markers included.
	// Rent of token accounts is not seen.
	MaxTxLamports uint64
	// MaxLamports bounds the same in one window.
	MaxLamports uint64
	// Window is how far back sums go, more than 0. It is kept in memory: a restart begins a new one.
	Window time.Duration
	// Now is the clock, for example time.Now.
	Now func() time.Time
}

// Limited is a Signer that reads what it is to sign, as a second line of defence behind the planner's limits: one that holds
// against a planner that is wrong. It is safe for concurrent use.
type Limited struct {
	signer   Signer
	key      solana.PublicKey
	c        LimitedConfig
	programs map[solana.PublicKey]bool
	caps     map[solana.PublicKey]int // by source
	mu       sync.Mutex
	past     []spending // of the window, oldest first
}

// spending is what one message lets go.
type spending struct {
	at       time.Time
	message  [32]byte
	lamports uint64
	units    []uint64 // by cap
}

// NewLimited wraps a signer. It is an error if an address is none, a source stands twice, or Window or Now is missing.
func NewLimited(s Signer, c LimitedConfig) (*Limited, error) {
	key, err := solana.PublicKeyFromBase58(string(s.PublicKey()))
	if err != nil {
		return nil, fmt.Errorf("spl: address %q: %w", s.PublicKey(), err)
	}
	if c.Window <= 0 || c.Now == nil {
		return nil, fmt.Errorf("spl: LimitedConfig.Window is %s, want more than 0, and Now must be given", c.Window)
	}
	l := &Limited{signer: s, key: key, c: c, programs: map[solana.PublicKey]bool{}, caps: map[solana.PublicKey]int{}}
	for i, p := range c.Programs {
		k, err := solana.PublicKeyFromBase58(string(p))
		if err != nil {
			return nil, fmt.Errorf("spl: LimitedConfig.Programs[%d] is %q, want an address", i, p)
		}
		l.programs[k] = true
	}
	for i, limit := range c.Caps {
		for j, a := range limit.Sources {
			k, err := solana.PublicKeyFromBase58(string(a))
			if err != nil {
				return nil, fmt.Errorf("spl: LimitedConfig.Caps[%d].Sources[%d] is %q, want an address", i, j, a)
			}
			if _, twice := l.caps[k]; twice {
				return nil, fmt.Errorf("spl: LimitedConfig.Caps[%d].Sources[%d]: %q stands twice", i, j, a)
			}
			l.caps[k] = i
		}
	}
	return l, nil
}

// PublicKey implements Signer.
func (l *Limited) PublicKey() settlement.Account { return l.signer.PublicKey() }

// Format implements fmt.Formatter: every verb prints the address.
func (l *Limited) Format(s fmt.State, _ rune) { _, _ = fmt.Fprintf(s, "spl.Limited(%s)", l.key) }

// Sign implements Signer. It returns ErrLimited, with what is too much, for a message that it will not sign. A message that it has
// signed within the window counts once, and one that it was asked for counts whether or not the signer behind it did its work.
func (l *Limited) Sign(ctx context.Context, message []byte) ([64]byte, error) {
	if string(message) == markerText { // signed once to derive a secret; it is no transaction
		return l.signer.Sign(ctx, message)
	}
	s := spending{at: l.c.Now(), message: sha256.Sum256(message), units: make([]uint64, len(l.c.Caps))}
	if err := l.read(message, &s); err != nil {
		return [64]byte{}, err
	}
	if err := l.count(s); err != nil {
		return [64]byte{}, err
	}
	return l.signer.Sign(ctx, message)
}

// count adds a message to the window, unless that is too much.
func (l *Limited) count(s spending) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.past = slices.DeleteFunc(l.past, func(p spending) bool { return !p.at.After(s.at.Add(-l.c.Window)) })
	if slices.ContainsFunc(l.past, func(p spending) bool { return p.message == s.message }) {
		return nil
	}
	lamports, units := s.lamports, slices.Clone(s.units)
	for _, p := range l.past {
		lamports = plus(lamports, p.lamports)
		for i := range units {
			units[i] = plus(units[i], p.units[i])
		}
	}
	if s.lamports > l.c.MaxTxLamports || lamports > l.c.MaxLamports {
		return fmt.Errorf("%w: %d lamports, %d in the window, want at most %d and %d",
			ErrLimited, s.lamports, lamports, l.c.MaxTxLamports, l.c.MaxLamports)
	}
	for i, limit := range l.c.Caps {
		if s.units[i] > limit.MaxTx || units[i] > limit.Max {
			return fmt.Errorf("%w: %d units of mint %q, %d in the window, want at most %d and %d",
				ErrLimited, s.units[i], limit.Mint, units[i], limit.MaxTx, limit.Max)
		}
	}
	l.past = append(l.past, s)
	return nil
}

// read sums what a message lets go.
func (l *Limited) read(message []byte, s *spending) error {
	m, err := readMessage(message)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrLimited, err)
	}
	if m.AccountKeys[0] == l.key {
		s.lamports = plus(uint64(m.Header.NumRequiredSignatures)*feePerSignature, messagePriority(m))
	}
	for i, in := range m.Instructions {
		program := m.AccountKeys[in.ProgramIDIndex]
		if !l.programs[program] {
			return fmt.Errorf("%w: instruction %d calls program %q, which is not listed", ErrLimited, i, program)
		}
		accounts := make([]solana.PublicKey, len(in.Accounts)) // what is in a lookup table stays zero: it cannot be our key
		ours := false
		for j, a := range in.Accounts {
			if int(a) < len(m.AccountKeys) {
				accounts[j] = m.AccountKeys[a]
				ours = ours || accounts[j] == l.key
			}
		}
		if !ours {
			continue // a program gets no other signatures than those of the accounts that it is given
		}
		switch program {
		case solana.SystemProgramID:
			err = l.readSystem(accounts, in.Data, s)
		case solana.TokenProgramID, solana.Token2022ProgramID:
			err = l.readToken(accounts, in.Data, s)
		}
		if err != nil {
			return fmt.Errorf("%w: instruction %d: %w", ErrLimited, i, err)
		}
	}
	return nil
}

// readMessage reads a message of any format. It has to be the bytes that the message is written as, so that what was read is what is
// signed, and one that a cluster would look at.
func readMessage(message []byte) (*solana.Message, error) {
	bad := fmt.Errorf("%d bytes that are no message", len(message))
	at := 0 // where the number of signatures is
	if len(message) > 1 && message[0]&0x80 != 0 {
		at = 1
	}
	if len(message) <= at || message[at] == 0 || message[at] > maxSigners {
		return nil, bad
	}
	signatures := zeros[:int(message[at])*solana.SignatureLength]
	var raw []byte
	if message[0] == 0x81 {
		raw = append(append(raw, message...), signatures...)
	} else {
		raw = append(append(append(raw, message[at]), signatures...), message...)
	}
	tx, err := solana.TransactionFromBytes(raw)
	if err != nil || tx.Message.Sanitize() != nil {
		return nil, bad
	}
	again, err := tx.Message.MarshalBinary()
	if err != nil || !bytes.Equal(again, message) {
		return nil, bad
	}
	return &tx.Message, nil
}

// readSystem reads an instruction of the System program: what creates, transfers and advances is known, all else refused.
func (l *Limited) readSystem(accounts []solana.PublicKey, data []byte, s *spending) error {
	if len(data) < 4 {
		return errors.New("no instruction of the System program")
	}
	tag, args := binary.LittleEndian.Uint32(data), data[4:]
	lamports := func(at int) (uint64, error) {
		if len(args) < at+8 {
			return 0, errors.New("no instruction of the System program")
		}
		return binary.LittleEndian.Uint64(args[at:]), nil
	}
	var n uint64
	var err error
	switch tag {
	case 0, 2: // CreateAccount, Transfer
		n, err = lamports(0)
	case systemCreateWithSeed:
		if len(args) < 40 || binary.LittleEndian.Uint64(args[32:]) > maxSeed {
			return errors.New("no instruction of the System program")
		}
		n, err = lamports(40 + int(binary.LittleEndian.Uint64(args[32:])))
	case systemAdvanceNonce, 6: // 6: InitializeNonceAccount
	case systemTransferWithSeed:
		if len(accounts) < 3 {
			return errors.New("no instruction of the System program")
		}
		if accounts[2] != l.key {
			n, err = lamports(0)
		}
	default:
		return fmt.Errorf("instruction %d of the System program is not known to be harmless", tag)
	}
	s.lamports = plus(s.lamports, n)
	return err
}

// readToken reads an instruction of a token program: transfers and burns from known accounts, all else refused.
func (l *Limited) readToken(accounts []solana.PublicKey, data []byte, s *spending) error {
	if len(data) > 0 && data[0] == tokenBatch {
		for rest := data[1:]; len(rest) > 0; {
			if len(rest) < 2 || len(rest)-2 < int(rest[1]) || len(accounts) < int(rest[0]) {
				return errors.New("a batch that does not fit its accounts")
			}
			n, end := int(rest[0]), 2+int(rest[1])
			if len(rest[2:end]) > 0 && rest[2] == tokenBatch {
				return errors.New("a batch in a batch")
			}
			if err := l.readToken(accounts[:n], rest[2:end], s); err != nil {
				return err
			}
			accounts, rest = accounts[n:], rest[end:]
		}
		return nil
	}
	var args []byte
	switch {
	case len(data) >= 9 && slices.Contains([]byte{tokenTransfer, tokenBurn, tokenTransferChecked, tokenBurnChecked}, data[0]):
		args = data[1:]
	case len(data) >= 10 && data[0] == tokenFee && data[1] == tokenFeeChecked:
		args = data[2:]
	case len(data) == 0:
		return errors.New("no instruction of a token program")
	default:
		return fmt.Errorf("instruction %d of a token program is not known to be harmless", data[0])
	}
	if len(accounts) == 0 {
		return errors.New("a transfer without a source")
	}
	i, ok := l.caps[accounts[0]]
	if !ok {
		return fmt.Errorf("the source %q is not listed", accounts[0])
	}
	s.units[i] = plus(s.units[i], binary.LittleEndian.Uint64(args))
	return nil
}

// messagePriority returns the priority fee that a message promises, in lamports. Without a limit of units it is that of the most
// that a transaction can use. A price counts whatever stands behind it: what a runtime makes of a tail is its own affair.
func messagePriority(m *solana.Message) uint64 {
	if m.GetVersion() == solana.MessageVersionV1 {
		if m.TransactionConfig.PriorityFee != nil {
			return *m.TransactionConfig.PriorityFee
		}
		return 0
	}
	units, price := uint32(maxUnits), uint64(0)
	for _, in := range m.Instructions {
		if m.AccountKeys[in.ProgramIDIndex] != solana.ComputeBudget {
			continue
		}
		switch {
		case len(in.Data) == 5 && in.Data[0] == budgetUnits:
			units = min(maxUnits, binary.LittleEndian.Uint32(in.Data[1:]))
		case len(in.Data) >= 9 && in.Data[0] == budgetPrice:
			price = max(price, binary.LittleEndian.Uint64(in.Data[1:]))
		}
	}
	return PriorityFee(price, units, math.MaxUint64)
}

// plus adds and stays at the largest number: what is too much for 64 bits is beyond every cap.
func plus(a, b uint64) uint64 {
	if a+b < a {
		return math.MaxUint64
	}
	return a + b
}
