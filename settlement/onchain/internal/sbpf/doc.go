// Package sbpf makes programs for Solana's virtual machine out of C, with a stock clang and no toolchain of Solana's.
//
// # Model
//
// An object is what clang compiles for the target bpf, one file. A program is an ELF file of SBPF version 3: a segment of
// constants at address 0, a segment of instructions at address 1<<32, and nothing else. [Link] turns the one into the other;
// [Compile] runs clang first.
//
// # Rules
//
// Sections that hold code are laid one after the other, those that hold constants likewise, each at its alignment. An instruction
// that loads an address gets the address; a call of a function of the object becomes relative; a call of anything else must be of
// a listed system call and becomes the murmur3 hash of its name. What has no place in a program is refused by name: variables,
// pointers in constants, calls of unknown functions, the address of a function, instructions that the machine does not have, jumps
// that leave the code. The same object gives the same bytes.
//
// # Example
//
// sol_sha256 is called by its hash 0x11f49d86. An object of 747 instructions and 7 bytes of constants becomes 64 + 2*56 + 8 +
// 747*8 = 6,160 bytes.
//
// # Rounding and errors
//
// No arithmetic but addresses. Errors name the section, the symbol or the instruction's place and what is the matter with it.
//
// # What it does not do
//
// It links one object, knows no archives and no debug information, and does not verify that a program ends: the machine does
// when it is deployed.
//
// # Sources
//
// SIMD-0178 (static system calls), SIMD-0189 (stricter ELF headers), SIMD-0377 (version 3) in
// github.com/solana-foundation/solana-improvement-documents; the kernel's Documentation/bpf/standardization/instruction-set.rst
// and llvm/docs of the BPF relocations.
package sbpf
