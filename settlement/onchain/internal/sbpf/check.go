package sbpf

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Instruction codes that the linker itself has to know.
const (
	opLoad64 = 0x18
	opCall   = 0x85
	opExit   = 0x95
)

// Classes, the lowest three bits of an instruction's code.
const (
	classLoad = iota
	classLoadRegister
	classStore
	classStoreRegister
	class32
	classJump
	classJump32
	class64
)

// check wants instructions of the base set that clang calls version 3 only, each with registers that exist, and jumps that lead
// to an instruction. It is stricter than the machine where the two sets differ: atomics, byte swaps without a width, signed
// division, loads that extend the sign and calls by register are not in both.
func check(code []byte) error {
	if len(code) == 0 {
		return errors.New("there is no code")
	}
	starts := make([]bool, len(code)/slotSize)
	for at := 0; at < len(starts); at++ {
		slot := code[at*slotSize:]
		starts[at] = true
		if err := checkOne(slot); err != nil {
			return fmt.Errorf("instruction %d: %w", at, err)
		}
		if slot[0] == opLoad64 {
			if at++; at == len(starts) || slot[8] != 0 || slot[9] != 0 || slot[10] != 0 || slot[11] != 0 {
				return fmt.Errorf("instruction %d: a load of 64 bits lacks its second half", at-1)
			}
		}
	}
	for at, start := range starts {
		if !start {
			continue
		}
		slot := code[at*slotSize:]
		to, jumps := target(slot)
		if !jumps {
			continue
		}
		if to += int64(at) + 1; to < 0 || to >= int64(len(starts)) || !starts[to] {
			return fmt.Errorf("instruction %d: it leads to %d, which is no instruction", at, to)
		}
	}
	if last := code[len(code)-slotSize]; last != opExit && last != 0x05 {
		return fmt.Errorf("the last instruction is %#02x: the code runs over its end", last)
	}
	return nil
}

// target returns how many instructions further than the next one a jump or a call of the program's own leads.
func target(slot []byte) (int64, bool) {
	op := slot[0]
	switch {
	case op == opCall:
		return int64(int32(binary.LittleEndian.Uint32(slot[4:]))), slot[1]>>4 == 1
	case op == opExit:
		return 0, false
	case op&7 == classJump || op&7 == classJump32:
		return int64(int16(binary.LittleEndian.Uint16(slot[2:]))), true
	default:
		return 0, false
	}
}

func checkOne(slot []byte) error {
	op, to, from := slot[0], slot[1]&15, slot[1]>>4
	offset := binary.LittleEndian.Uint16(slot[2:])
	if !known(op) {
		return fmt.Errorf("code %#02x is not supported", op)
	}
	if to > 10 || from > 10 {
		return fmt.Errorf("code %#02x has register %d, the last is 10", op, max(to, from))
	}
	class := op & 7
	writes := class == classLoadRegister || class == class32 || class == class64 || op == opLoad64
	switch {
	case writes && to == 10:
		return fmt.Errorf("code %#02x writes the frame's register", op)
	case (class == class32 || class == class64) && offset != 0:
		return fmt.Errorf("code %#02x with offset %d is signed, which is not supported", op, offset)
	case op == opLoad64 && from != 0:
		return fmt.Errorf("a load of 64 bits is of kind %d: was it relocated?", from)
	case op == opCall && from > 1:
		return fmt.Errorf("a call is of kind %d", from)
	}
	return nil
}

// known says whether code op is in the set.
func known(op byte) bool {
	high := op >> 4
	switch op & 7 {
	case classLoad:
		return op == opLoad64
	case classLoadRegister, classStore, classStoreRegister:
		return op&0xe0 == 0x60 // an ordinary access of 1, 2, 4 or 8 bytes
	case class32, class64:
		switch high {
		case 0x8: // negation has no second operand
			return op&8 == 0
		case 0xd: // to little or big endian
			return op&7 == class32
		case 0xe, 0xf:
			return false
		}
		return true
	case classJump:
		switch high {
		case 0x0, 0x8, 0x9: // always, call, exit
			return op&8 == 0
		case 0xe, 0xf:
			return false
		}
		return true
	default: // classJump32 has conditions only
		return high != 0x0 && high != 0x8 && high != 0x9 && high < 0xe
	}
}
