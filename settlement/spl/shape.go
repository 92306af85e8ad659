package spl

// Shape is what the size of a payout depends on, besides its lines.
type Shape struct {
	Format       Format
	Owner        bool // the source's owner is somebody else than the payer
	Members      int  // how many sign for an owner that is a multisig, 0 to 11
	PayerMember  bool // the payer is one of them
	Marker       bool
	Memo         int  // bytes
	Nonce        bool // a nonce whose authority is the payer
	Checked      bool // TransferChecked instead of Transfer
	Batch        bool // all lines in one instruction
	ComputeUnits bool // a limit of compute units is set: always in version 1
	Loaded       bool // a limit of loaded bytes is set: always in version 1
	Priority     bool // a priority fee is set
	Table        bool // the recipients are in a lookup table of version 0
	TableSource  bool // and so are the source and, if Checked, the mint
}

// MaxLines returns how many lines to different recipients a payout has at most: what bounds it is the bytes, the 64 addresses
// or the 64 instructions of a transaction, or the 255 accounts of a batch instruction. It is 0 if not even one line fits.
func (s Shape) MaxLines() int {
	for n := maxAddresses; n > 0; n-- {
		if s.fits(n) {
			return n
		}
	}
	return 0
}

// Bytes returns the size of a payout of n lines to different recipients.
func (s Shape) Bytes(n int) int {
	keys, inTable := s.addresses(n)
	inMessage := keys - inTable
	calls := s.calls(n)
	if s.Format == V1 {
		size := 1 + 3 + 4 + 32 + 1 + 1 + 32*inMessage + 4 + 4 + calls.size + calls.count*4 + 64*s.signers()
		if s.Priority {
			size += 8
		}
		return size
	}
	size := 1 + 64*s.signers() + 3 + 1 + 32*inMessage + 32 + 1 + calls.size + calls.count + calls.lengths
	if s.Format == V0 {
		size += 1 + 1 // the version, and the number of tables
		if inTable > 0 {
			size += 32 + 1 + 1 + inTable
		}
	}
	return size
}

func (s Shape) fits(n int) bool {
	keys, _ := s.addresses(n)
	calls := s.calls(n)
	return s.Bytes(n) <= s.Format.MaxBytes() && keys <= maxAddresses && calls.count <= maxInstructions &&
		(!s.Batch || n*s.named() <= 255) && s.signers() <= maxSigners
}

func (s Shape) signers() int {
	if s.Owner && s.Members == 0 {
		return 2
	}
	return 1 + s.members()
}

// members is how many sign besides the payer.
func (s Shape) members() int {
	if s.PayerMember && s.Members > 0 {
		return s.Members - 1
	}
	return s.Members
}

// named is how many accounts one line names: source, recipient and owner, and what else there is.
func (s Shape) named() int {
	if s.Checked {
		return 4 + s.Members
	}
	return 3 + s.Members
}

// addresses returns how many addresses n lines need, and how many of them are read from a table.
func (s Shape) addresses(n int) (all, inTable int) {
	all = 1 + 1 + 1 + n + s.members() // payer, source, token program
	for _, more := range []bool{s.Owner || s.Members > 0, s.Marker, s.Marker || s.Nonce, s.Nonce, s.Nonce, s.Memo > 0, s.Checked, s.budgets() > 0} {
		if more { // owner, marker, System program, nonce, its sysvar, memo program, mint, compute budget program
			all++
		}
	}
	if s.Format == V0 && s.Table {
		inTable = n
		if s.TableSource {
			inTable++
			if s.Checked {
				inTable++
			}
		}
	}
	return all, inTable
}

// budgets is how many instructions ask for a budget.
func (s Shape) budgets() int {
	n := 0
	for _, set := range []bool{s.ComputeUnits, s.Loaded, s.Priority} {
		if set && s.Format != V1 {
			n++
		}
	}
	return n
}

// calls is what instructions take: their number, accounts and data, and in the older formats their two lengths.
type calls struct{ count, size, lengths int }

func (c *calls) add(times, accounts, data int) {
	c.count += times
	c.size += times * (accounts + data)
	c.lengths += times * (compactSize(accounts) + compactSize(data))
}

func (s Shape) calls(n int) calls {
	var c calls
	if s.Nonce {
		c.add(1, 3, 4)
	}
	if s.Marker {
		c.add(1, 2, 4+32+8+maxSeed+8+8+32)
	}
	if s.Memo > 0 {
		c.add(1, 0, s.Memo)
	}
	size := 9
	if s.Checked {
		size = 10
	}
	if s.Batch {
		c.add(1, n*s.named(), 1+n*(2+size))
	} else {
		c.add(n, s.named(), size)
	}
	if s.Format != V1 {
		if s.ComputeUnits {
			c.add(1, 0, 5)
		}
		if s.Priority {
			c.add(1, 0, 9)
		}
		if s.Loaded {
			c.add(1, 0, 5)
		}
	}
	return c
}

func compactSize(n int) int {
	size := 1
	for ; n > 127; n >>= 7 {
		size++
	}
	return size
}

// traceOfCreation is how many of the 64 entries of the instruction trace the creation of a token account takes: itself and
// the four calls that the Associated Token Account program makes.
const traceOfCreation = 5

// Mixed returns how many lines to accounts that exist fit beside the creation of new ones, and lines to these, into a payout of
// version 1 with a marker from the payer's own account, and -1 if so many creations do not fit at all. Without creations 59
// fit. With c of them each takes two addresses, the account and its owner; the program of token accounts and the mint take
// one each. Each takes 5 entries of the instruction trace besides its line; with batch the lines take one together.
func Mixed(creations int, batch bool) int {
	const fixed = 5 // payer, source, marker, token program, System program
	if creations < 0 {
		return -1
	}
	room := maxAddresses - fixed
	if creations > 0 {
		room = maxAddresses - fixed - 2 - 2*creations
	}
	trace := maxInstructions - 1 - traceOfCreation*creations
	if batch {
		trace--
		if trace < 0 || room < 0 {
			return -1
		}
		return min(room, 255/3-creations)
	}
	trace -= creations
	if trace < 0 || room < 0 {
		return -1
	}
	return min(room, trace)
}
