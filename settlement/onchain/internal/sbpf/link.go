package sbpf

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
)

const (
	// MaxObject is the largest object that Link reads, in bytes.
	MaxObject = 1 << 20

	codeBase  = uint64(1) << 32
	slotSize  = 8 // bytes of an instruction; a load of 64 bits takes two
	version3  = 3
	headSize  = 64
	entrySize = 56 // bytes of a program header

	relocate64   = 1  // R_BPF_64_64: a load of 64 bits
	relocateCall = 10 // R_BPF_64_32: a call
)

// Config says what a program is made of besides the object.
type Config struct {
	Entry    string   // function that the machine calls
	Syscalls []string // that may be called
}

// Distributor returns how the distributor of package onchain is linked.
func Distributor() Config {
	return Config{
		Entry:    "entrypoint",
		Syscalls: []string{"sol_sha256", "sol_get_clock_sysvar", "sol_create_program_address", "sol_invoke_signed_c"},
	}
}

// image is a program that is being made.
type image struct {
	config    Config
	code      []byte
	constants []byte
	place     map[elf.SectionIndex]uint64 // address of a section that was laid out
	sections  []*elf.Section
	symbols   []elf.Symbol
}

// Link makes a program out of an object.
func Link(object []byte, c Config) ([]byte, error) {
	if len(object) > MaxObject {
		return nil, fmt.Errorf("sbpf: the object has %d bytes, the limit is %d", len(object), MaxObject)
	}
	f, err := elf.NewFile(bytes.NewReader(object))
	if err != nil {
		return nil, fmt.Errorf("sbpf: read the object: %w", err)
	}
	if f.Class != elf.ELFCLASS64 || f.Data != elf.ELFDATA2LSB || f.Type != elf.ET_REL || f.Machine != elf.EM_BPF {
		return nil, fmt.Errorf("sbpf: the object is %s %s %s %s, want a relocatable one for 64-bit little-endian BPF", f.Class, f.Data, f.Type, f.Machine)
	}
	m := &image{config: c, place: map[elf.SectionIndex]uint64{}, sections: f.Sections}
	if m.symbols, err = f.Symbols(); err != nil && !errors.Is(err, elf.ErrNoSymbols) {
		return nil, fmt.Errorf("sbpf: read the symbols: %w", err)
	}
	for _, step := range []func() error{m.lay, m.relocate, func() error { return check(m.code) }} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("sbpf: %w", err)
		}
	}
	entry, err := m.entry()
	if err != nil {
		return nil, fmt.Errorf("sbpf: %w", err)
	}
	return m.program(entry), nil
}

// lay gives every section that a program needs its place.
func (m *image) lay() error {
	for i, s := range m.sections {
		if s.Flags&elf.SHF_ALLOC == 0 || s.Size == 0 {
			continue
		}
		switch {
		case s.Flags&elf.SHF_WRITE != 0:
			return fmt.Errorf("section %q is for variables: a program has none", s.Name)
		case s.Type != elf.SHT_PROGBITS:
			return fmt.Errorf("section %q is of type %s: it has no place in a program", s.Name, s.Type)
		case s.Flags&elf.SHF_COMPRESSED != 0:
			return fmt.Errorf("section %q is compressed", s.Name)
		case s.Addralign > slotSize:
			return fmt.Errorf("section %q is aligned to %d bytes, the limit is %d", s.Name, s.Addralign, slotSize)
		}
		if s.Size > MaxObject {
			return fmt.Errorf("section %q has %d bytes", s.Name, s.Size)
		}
		data, err := s.Data()
		if err != nil {
			return fmt.Errorf("section %q: %w", s.Name, err)
		}
		index := elf.SectionIndex(i)
		if s.Flags&elf.SHF_EXECINSTR == 0 {
			m.constants = pad(m.constants)
			m.place[index] = uint64(len(m.constants))
			m.constants = append(m.constants, data...)
			continue
		}
		if len(data)%slotSize != 0 {
			return fmt.Errorf("section %q has %d bytes, which are no whole instructions", s.Name, len(data))
		}
		m.place[index] = codeBase + uint64(len(m.code))
		m.code = append(m.code, data...)
	}
	m.constants = pad(m.constants)
	return nil
}

// relocate writes the addresses into the code.
func (m *image) relocate() error {
	for _, s := range m.sections {
		addends := s.Type == elf.SHT_RELA //nolint:misspell // ELF's name for it
		if s.Type != elf.SHT_REL && !addends || s.Size == 0 {
			continue
		}
		target := elf.SectionIndex(s.Info)
		base, ok := m.place[target]
		if !ok {
			continue // of what is not in the program, such as debug information
		}
		if base < codeBase {
			return fmt.Errorf("section %q relocates constants: pointers in constants have no place in a program", s.Name)
		}
		if addends || s.Flags&elf.SHF_COMPRESSED != 0 || s.Size > MaxObject {
			return fmt.Errorf("section %q holds relocations of a kind that BPF does not have", s.Name)
		}
		data, err := s.Data()
		if err != nil {
			return fmt.Errorf("section %q: %w", s.Name, err)
		}
		if len(data)%16 != 0 {
			return fmt.Errorf("section %q has %d bytes, which are no whole relocations", s.Name, len(data))
		}
		size := m.sections[target].Size
		for ; len(data) > 0; data = data[16:] {
			at, info := binary.LittleEndian.Uint64(data), binary.LittleEndian.Uint64(data[8:])
			if at%slotSize != 0 || at >= size {
				return fmt.Errorf("section %q: a relocation at %#x is at no instruction", s.Name, at)
			}
			if err := m.apply(base-codeBase+at, info); err != nil {
				return fmt.Errorf("section %q: at %#x: %w", s.Name, at, err)
			}
		}
	}
	return nil
}

// apply writes one address.
func (m *image) apply(at, info uint64) error {
	n := info >> 32
	if n == 0 || n > uint64(len(m.symbols)) {
		return fmt.Errorf("symbol %d does not exist", n)
	}
	symbol := m.symbols[n-1]
	slot := m.code[at:]
	switch kind := uint32(info); kind {
	case relocate64:
		return m.load(slot, symbol)
	case relocateCall:
		return m.call(slot, at, symbol)
	default:
		return fmt.Errorf("relocation of type %d is none of a load or a call", kind)
	}
}

func (m *image) load(slot []byte, symbol elf.Symbol) error {
	if slot[0] != opLoad64 || len(slot) < 2*slotSize {
		return fmt.Errorf("a load of %q is at an instruction %#02x", symbol.Name, slot[0])
	}
	base, ok := m.place[symbol.Section]
	if !ok {
		return fmt.Errorf("symbol %q is not in the program", symbol.Name)
	}
	if base >= codeBase {
		return fmt.Errorf("the address of code is taken, by symbol %q: calls by address are not supported", symbol.Name)
	}
	addend := uint64(binary.LittleEndian.Uint32(slot[4:])) | uint64(binary.LittleEndian.Uint32(slot[12:]))<<32
	size := m.sections[symbol.Section].Size
	if symbol.Value > size || addend > size-symbol.Value {
		return fmt.Errorf("symbol %q and %d is beyond its section's end", symbol.Name, addend)
	}
	address := base + symbol.Value + addend
	binary.LittleEndian.PutUint32(slot[4:], uint32(address))
	binary.LittleEndian.PutUint32(slot[12:], uint32(address>>32))
	slot[1] &= 0x0f
	return nil
}

func (m *image) call(slot []byte, at uint64, symbol elf.Symbol) error {
	if slot[0] != opCall {
		return fmt.Errorf("a call of %q is at an instruction %#02x", symbol.Name, slot[0])
	}
	if symbol.Section == elf.SHN_UNDEF {
		if !slices.Contains(m.config.Syscalls, symbol.Name) {
			return fmt.Errorf("%q is called, which is neither in the object nor a system call that was listed (%s)",
				symbol.Name, strings.Join(m.config.Syscalls, ", "))
		}
		slot[1] &= 0x0f // source 0: a system call
		binary.LittleEndian.PutUint32(slot[4:], murmur3([]byte(symbol.Name)))
		return nil
	}
	base, ok := m.place[symbol.Section]
	if !ok || base < codeBase {
		return fmt.Errorf("%q is called, which is no code of the program", symbol.Name)
	}
	size := m.sections[symbol.Section].Size
	target := int64(symbol.Value)
	if symbol.Value >= size {
		return fmt.Errorf("%q is called, which is beyond its section's end", symbol.Name)
	}
	if elf.ST_TYPE(symbol.Info) == elf.STT_SECTION { // then the immediate says where in it, in instructions less one
		target += (int64(int32(binary.LittleEndian.Uint32(slot[4:]))) + 1) * slotSize
	}
	if target < 0 || target >= int64(size) || target%slotSize != 0 {
		return fmt.Errorf("%q is called at %d, which is no instruction", symbol.Name, target)
	}
	slot[1] = slot[1]&0x0f | 0x10 // source 1: relative to the next instruction
	distance := (int64(base-codeBase)+target-int64(at))/slotSize - 1
	binary.LittleEndian.PutUint32(slot[4:], uint32(int32(distance)))
	return nil
}

// entry returns the address of the function that the machine calls.
func (m *image) entry() (uint64, error) {
	for _, s := range m.symbols {
		if s.Name != m.config.Entry || s.Section == elf.SHN_UNDEF {
			continue
		}
		base, ok := m.place[s.Section]
		if !ok || base < codeBase || s.Value%slotSize != 0 || s.Value >= m.sections[s.Section].Size {
			return 0, fmt.Errorf("entry %q is no function of the program", s.Name)
		}
		return base + s.Value, nil
	}
	return 0, fmt.Errorf("entry %q is missing", m.config.Entry)
}

// program writes the file.
func (m *image) program(entry uint64) []byte {
	segments := uint16(1)
	if len(m.constants) > 0 {
		segments = 2
	}
	le := binary.LittleEndian
	out := append([]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)}, make([]byte, 9)...)
	out = le.AppendUint16(out, uint16(elf.ET_DYN))
	out = le.AppendUint16(out, uint16(elf.EM_BPF))
	out = le.AppendUint32(out, uint32(elf.EV_CURRENT))
	out = le.AppendUint64(out, entry)
	out = le.AppendUint64(out, headSize) // where the program headers are
	out = le.AppendUint64(out, 0)        // no section headers
	out = le.AppendUint32(out, version3)
	for _, v := range []uint16{headSize, entrySize, segments, 64, 0, 0} {
		out = le.AppendUint16(out, v)
	}
	at := headSize + entrySize*uint64(segments)
	segment := func(flags elf.ProgFlag, address uint64, size int) {
		out = le.AppendUint32(out, uint32(elf.PT_LOAD))
		out = le.AppendUint32(out, uint32(flags))
		for _, v := range []uint64{at, address, address, uint64(size), uint64(size), slotSize} {
			out = le.AppendUint64(out, v)
		}
		at += uint64(size)
	}
	if len(m.constants) > 0 {
		segment(elf.PF_R, 0, len(m.constants))
	}
	segment(elf.PF_X, codeBase, len(m.code))
	return append(append(out, m.constants...), m.code...)
}

func pad(b []byte) []byte {
	for len(b)%slotSize != 0 {
		b = append(b, 0)
	}
	return b
}

// murmur3 is the 32-bit hash of that name with seed 0, by which system calls are known.
func murmur3(b []byte) uint32 {
	mix := func(k uint32) uint32 {
		k *= 0xcc9e2d51
		return (k<<15 | k>>17) * 0x1b873593
	}
	h, size := uint32(0), uint32(len(b))
	for ; len(b) >= 4; b = b[4:] {
		h ^= mix(binary.LittleEndian.Uint32(b))
		h = (h<<13|h>>19)*5 + 0xe6546b64
	}
	if len(b) > 0 {
		var rest [4]byte
		copy(rest[:], b)
		h ^= mix(binary.LittleEndian.Uint32(rest[:]))
	}
	h ^= size
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}
