package sbpf_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement/onchain/internal/sbpf"
)

func object(t testing.TB) []byte {
	b, err := os.ReadFile("testdata/distributor.o")
	require.NoError(t, err)
	return b
}

// section returns where a section of the object and its header are.
func section(t testing.TB, o []byte, name string) (data []byte, head []byte) {
	f, err := elf.NewFile(bytes.NewReader(o))
	require.NoError(t, err)
	table := binary.LittleEndian.Uint64(o[40:])
	for i, s := range f.Sections {
		if s.Name == name {
			return o[s.Offset : s.Offset+s.FileSize], o[table+uint64(i)*64 : table+uint64(i+1)*64]
		}
	}
	require.Fail(t, "no section "+name)
	return nil, nil
}

// The file is what SIMD-0189 wants of version 3, and system calls are called by the hash of their name.
func TestProgramsForm(t *testing.T) {
	p, err := sbpf.Link(object(t), sbpf.Distributor())
	require.NoError(t, err)
	f, err := elf.NewFile(bytes.NewReader(p))
	require.NoError(t, err)
	require.Equal(t, elf.ET_DYN, f.Type)
	require.EqualValues(t, 3, binary.LittleEndian.Uint32(p[48:]))
	require.Empty(t, f.Sections)
	require.Len(t, f.Progs, 2)
	constants, code := f.Progs[0], f.Progs[1]
	require.Equal(t, elf.ProgHeader{Type: elf.PT_LOAD, Flags: elf.PF_R, Off: 176, Filesz: constants.Filesz, Memsz: constants.Filesz, Align: 8}, constants.ProgHeader)
	require.Equal(t, elf.PF_X, code.Flags)
	require.EqualValues(t, 1<<32, code.Vaddr)
	require.Equal(t, code.Filesz, code.Memsz)
	require.Len(t, p, int(code.Off+code.Filesz))
	require.GreaterOrEqual(t, f.Entry, code.Vaddr)
	require.Less(t, f.Entry, code.Vaddr+code.Memsz)
	sha256 := []byte{0x85, 0x00, 0x00, 0x00, 0x86, 0x9d, 0xf4, 0x11} // call 0x11f49d86, as in Agave's table of system calls
	require.Equal(t, 2, bytes.Count(p, sha256))
	again, err := sbpf.Link(object(t), sbpf.Distributor())
	require.NoError(t, err)
	require.Equal(t, p, again)
}

// Each row breaks one thing of a good object.
func TestLinkRefuses(t *testing.T) {
	le := binary.LittleEndian
	config := sbpf.Distributor()
	for _, c := range []struct {
		name, want string
		change     func(t *testing.T, o []byte)
	}{
		{"machine", "want a relocatable one for 64-bit little-endian BPF", func(_ *testing.T, o []byte) { le.PutUint16(o[18:], uint16(elf.EM_X86_64)) }},
		{"type", "want a relocatable one", func(_ *testing.T, o []byte) { le.PutUint16(o[16:], uint16(elf.ET_EXEC)) }},
		{"magic", "bad magic number", func(_ *testing.T, o []byte) { o[0] = 0 }},
		{"variables", `section ".rodata" is for variables`, func(t *testing.T, o []byte) { _, h := section(t, o, ".rodata"); h[8] |= byte(elf.SHF_WRITE) }},
		{"zeros", `section ".rodata" is of type SHT_NOBITS`, func(t *testing.T, o []byte) {
			_, h := section(t, o, ".rodata")
			le.PutUint32(h[4:], uint32(elf.SHT_NOBITS))
		}},
		{"alignment", `section ".rodata" is aligned to 16 bytes, the limit is 8`, func(t *testing.T, o []byte) { _, h := section(t, o, ".rodata"); h[48] = 16 }},
		{"half an instruction", `section ".text" has`, func(t *testing.T, o []byte) { _, h := section(t, o, ".text"); h[32] ^= 4 }},
		{"constants relocated", `section ".rel.text" relocates constants`, func(t *testing.T, o []byte) { _, h := section(t, o, ".rel.text"); h[44] = 4 }},
		{"relocation of another kind", "relocation of type 3 is none of a load or a call", func(t *testing.T, o []byte) { d, _ := section(t, o, ".rel.text"); d[8] = 3 }},
		{"relocation beyond the code", "is at no instruction", func(t *testing.T, o []byte) { d, _ := section(t, o, ".rel.text"); le.PutUint64(d, 1<<40) }},
		{"relocation within an instruction", "is at no instruction", func(t *testing.T, o []byte) { d, _ := section(t, o, ".rel.text"); d[0]++ }},
		{"relocation of no symbol", "symbol 0 does not exist", func(t *testing.T, o []byte) { d, _ := section(t, o, ".rel.text"); le.PutUint32(d[12:], 0) }},
		{"relocation of a symbol too far", "symbol 9999 does not exist", func(t *testing.T, o []byte) { d, _ := section(t, o, ".rel.text"); le.PutUint32(d[12:], 9999) }},
		{"load that is none", `a load of`, func(t *testing.T, o []byte) { d, _ := section(t, o, ".rel.text"); le.PutUint64(d, 0) }},
		{"load beyond the constants", "is beyond its section's end", func(t *testing.T, o []byte) {
			d, _ := section(t, o, ".rel.text")
			code, _ := section(t, o, ".text")
			code[le.Uint64(d)+4] = 0x7f
		}},
		{"atomic", "code 0xdb is not supported", instruction(0xdb, 0, 0)},
		{"call by register", "code 0x8d is not supported", instruction(0x8d, 0, 0)},
		{"signed division", "is signed, which is not supported", instruction(0x3f, 0, 1)},
		{"swap of version 4", "code 0xd7 is not supported", instruction(0xd7, 0, 0)},
		{"long jump", "code 0x06 is not supported", instruction(0x06, 0, 0)},
		{"register 11", "has register 11, the last is 10", instruction(0xbf, 11, 0)},
		{"frame's register", "writes the frame's register", instruction(0xbf, 10, 0)},
		{"jump away", "which is no instruction", instruction(0x05, 0, 0x7fff)},
		{"call of no kind", "a call is of kind 3", instruction(0x85, 0x30, 0)},
		{"load that was not relocated", "was it relocated", func(t *testing.T, o []byte) {
			code, _ := section(t, o, ".text")
			copy(code, []byte{0x18, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
		}},
		{"half a load", "lacks its second half", func(t *testing.T, o []byte) {
			code, _ := section(t, o, ".text")
			copy(code, []byte{0x18, 0, 0, 0, 0, 0, 0, 0, 0xbf})
		}},
		{"no end", "the code runs over its end", func(t *testing.T, o []byte) {
			code, _ := section(t, o, ".text")
			copy(code[len(code)-8:], []byte{0xbf, 0, 0, 0, 0, 0, 0, 0})
		}},
	} {
		o := slices.Clone(object(t))
		c.change(t, o)
		_, err := sbpf.Link(o, config)
		require.ErrorContains(t, err, c.want, c.name)
	}
	_, err := sbpf.Link(object(t), sbpf.Config{Entry: "main", Syscalls: config.Syscalls})
	require.EqualError(t, err, `sbpf: entry "main" is missing`)
	_, err = sbpf.Link(object(t), sbpf.Config{Entry: "VAULT", Syscalls: config.Syscalls})
	require.EqualError(t, err, `sbpf: entry "VAULT" is no function of the program`)
	_, err = sbpf.Link(object(t), sbpf.Config{Entry: config.Entry, Syscalls: config.Syscalls[1:]})
	require.ErrorContains(t, err, `"sol_sha256" is called, which is neither in the object nor a system call that was listed`)
	_, err = sbpf.Link(make([]byte, sbpf.MaxObject+1), config)
	require.EqualError(t, err, "sbpf: the object has 1048577 bytes, the limit is 1048576")
}

// instruction puts one over the first of the code.
func instruction(op, registers byte, offset uint16) func(*testing.T, []byte) {
	return func(t *testing.T, o []byte) {
		code, _ := section(t, o, ".text")
		copy(code, []byte{op, registers, byte(offset), byte(offset >> 8), 0, 0, 0, 0})
	}
}

// Whatever the object, Link does not panic, and what it returns is a program of the same form.
func FuzzLink(f *testing.F) {
	f.Add(object(f), uint16(0), []byte{})
	f.Add(object(f), uint16(0x21a8), []byte{1, 0, 0, 0, 40})
	f.Fuzz(func(t *testing.T, o []byte, at uint16, patch []byte) {
		o = slices.Clone(o)
		if int(at) < len(o) {
			copy(o[at:], patch)
		}
		p, err := sbpf.Link(o, sbpf.Distributor())
		if err != nil {
			return
		}
		e, err := elf.NewFile(bytes.NewReader(p))
		require.NoError(t, err)
		code := e.Progs[len(e.Progs)-1]
		require.Equal(t, uint64(len(p)), code.Off+code.Filesz)
		require.Less(t, e.Entry-code.Vaddr, code.Filesz)
	})
}
