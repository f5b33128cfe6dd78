package main

import (
	"encoding/binary"
	"errors"
	"fmt"
)

var arm64 = arch{
	name:      "arm64",
	alignment: 4,
	decode:    decodeARM64,
	entry:     enterARM64,
	hostCall:  callHostARM64,
	trap:      "\tbrk\t#1\n",
	kept:      "x30",
	saved: []string{
		"x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "d8", "d9", "d10", "d11", "d12", "d13", "d14", "d15",
	},
}

// atomics reports whether the processor has the atomic instructions of ARMv8.1, once a runtime has looked. None does, so
// the code does what every processor can: what is read of it is 0.
const atomics = "runtime.arm64HasATOMICS"

func decodeARM64(code []byte, address uint64, in *image) (instruction, error) {
	if len(code) < 4 {
		return instruction{}, errors.New("ends in the middle of an instruction")
	}
	word := binary.LittleEndian.Uint32(code)
	result := instruction{bytes: code[:4]}
	if isPageAddress(word) {
		return decodeData(code, address, in)
	}
	if err := result.flowARM64(word, address); err != nil {
		return result, err
	}
	for _, register := range registersARM64(word) {
		if register == "x28" {
			return result, errNeedsG
		}
		result.registers = append(result.registers, register)
	}
	return result, result.stackARM64(word)
}

func isPageAddress(word uint32) bool { return word&0x1f000000 == 0x10000000 }

// decodeData takes both instructions that read a byte of data: there is one whose value is known.
func decodeData(code []byte, address uint64, in *image) (instruction, error) {
	word := binary.LittleEndian.Uint32(code)
	page := int64(int32(word<<8)>>13)<<2 | int64(word>>29&3)
	target := address + uint64(page)
	if word>>31 == 1 {
		target = address&^0xfff + uint64(page<<12)
	}
	if len(code) >= 8 {
		next := binary.LittleEndian.Uint32(code[4:])
		target += offsetInPage(next, word&31)
		isByte := next&0xffc00000 == 0x39400000 // LDRB
		if isByte && next>>5&31 == word&31 && in.nameOf(target) == atomics {
			return instruction{bytes: code[:8], written: fmt.Sprintf("\tmov\tw%d, #0\n\tnop\n", next&31)}, nil
		}
	}
	return instruction{}, fmt.Errorf("needs data: %s", in.nameOf(target))
}

// offsetInPage returns what an instruction adds to the address of a page in a register, by a sum, a load or a store.
func offsetInPage(word, register uint32) uint64 {
	offset := uint64(word >> 10 & 0xfff)
	switch {
	case word>>5&31 != register:
		return 0
	case word&0xffc00000 == 0x91000000:
		return offset
	case word&0x3b000000 == 0x39000000:
		return offset << (word >> 30)
	}
	return 0
}

// flowARM64 looks at where it goes.
func (in *instruction) flowARM64(word uint32, address uint64) error {
	relative := func(field uint32, bits int) uint64 {
		return address + uint64(int64(int32(field<<(32-bits)))>>(32-bits)<<2)
	}
	switch {
	case word&0x7c000000 == 0x14000000: // B, BL
		in.target, in.calls = relative(word&0x3ffffff, 26), true
		in.written, in.jumps = "\tbl\t%s\n", word>>31 == 0
		if in.jumps {
			in.written = "\tb\t%s\n"
		}
	case word&0xff000000 == 0x54000000, word&0x7e000000 == 0x34000000: // B.cond, CBZ, CBNZ
		in.target = relative(word>>5&0x7ffff, 19)
	case word&0x7e000000 == 0x36000000: // TBZ, TBNZ
		in.target = relative(word>>5&0x3fff, 14)
	case word == 0xd65f03c0: // RET
		in.returns = true
	case word&0xfe000000 == 0xd6000000:
		return errors.New("calls through a register")
	case word&0xffe00000 == 0xd4200000, word == 0xbea71700: // BRK; what Go puts behind a call that does not return
		in.traps = true
	case word&0xff000000 == 0xd4000000:
		return errors.New("calls the kernel")
	case word&0xfffff000 == 0xd5033000, word == 0xd503201f: // barriers, NOP
	case word&0xffc00000 == 0xd5000000:
		return errors.New("needs a register of the system: thread-local storage, perhaps")
	case word&0x3b000000 == 0x18000000:
		return errors.New("needs data that lies beside it")
	}
	return nil
}

// registersARM64 returns the registers that C has to find as they were, and Go's g, of those in an instruction.
func registersARM64(word uint32) (saved []string) {
	d, n, second, m := word&31, word>>5&31, word>>10&31, word>>16&31
	general := func(numbers ...uint32) {
		for _, number := range numbers {
			if number >= 19 && number <= 28 {
				saved = append(saved, fmt.Sprintf("x%d", number))
			}
		}
	}
	vector := func(numbers ...uint32) {
		for _, number := range numbers {
			if number >= 8 && number <= 15 {
				saved = append(saved, fmt.Sprintf("d%d", number))
			}
		}
	}
	isVector := word>>26&1 == 1
	switch word >> 25 & 15 {
	case 8, 9: // with a constant
		general(d)
		if kind := word >> 23 & 7; kind != 5 {
			general(n)
			if kind == 7 {
				general(m)
			}
		}
	case 10, 11: // branches
		if word&0x7c000000 == 0x34000000 { // that look at a register
			general(d)
		}
	case 4, 6, 12, 14: // loads and stores
		general(n)
		list := general
		if isVector {
			list = vector
		}
		list(d)
		switch word >> 27 & 7 {
		case 1: // exclusive
			general(m)
			if second != 31 {
				general(second)
			}
		case 5: // pairs
			list(second)
		case 7:
			if word>>24&1 == 0 && word>>21&1 == 1 { // with an offset in a register; atomic
				general(m)
			}
		}
	case 5, 13: // of registers
		general(d, n)
		switch {
		case word&0x5fe00000 == 0x5ac00000 && word>>30&1 == 1: // of one
		case word&0x1fe00800 == 0x1a400800: // a comparison with a constant
		default:
			general(m)
		}
		if word>>24&31 == 27 {
			general(second)
		}
	default: // of vectors, and between them and the others
		vector(d, n, m)
		general(d, n)
	}
	return saved
}

// stackARM64 follows the stack pointer.
func (in *instruction) stackARM64(word uint32) error {
	const sp = 31
	d, n := word&31, word>>5&31
	signed := int(int32(word<<11) >> 23) // 9 bits
	pair := int(int32(word<<10)>>25) * 8
	switch {
	case n == sp && word&0xffe00c00 == 0xf8000c00: // STR, before which SP changes
		in.push, in.keeps = -signed, d == 30
	case n == sp && word&0xffe00c00 == 0xf8400400: // LDR, after which it does
		in.push = -signed
	case n == sp && word&0xffc00000 == 0xa9800000: // STP
		in.push = -pair
	case n == sp && word&0xffc00000 == 0xa8c00000: // LDP
		in.push = -pair
	case n == sp && isWriteback(word):
		return errors.New("moves the stack pointer in a way that is not known")
	case word&0xff800000 == 0x91000000 && d == sp && n == sp:
		in.push = -constant(word)
	case word&0xff800000 == 0xd1000000 && d == sp && n == sp:
		in.push = constant(word)
	case word&0xff800000 == 0xd1000000 && n == sp && d == 20: // SUB $n, RSP, R20, before all is stored below R20
		in.reserve = constant(word)
	case word == 0x9100029f: // MOVD R20, RSP
		in.commits, in.keeps = true, true
	case d == sp && writesSP(word):
		return errors.New("moves the stack pointer by what is not known")
	}
	return nil
}

func constant(word uint32) int {
	return int(word>>10&0xfff) << (12 * (word >> 22 & 1))
}

func isWriteback(word uint32) bool {
	isSingle := word&0x3b200400 == 0x38000400
	isPair := word&0x3a000000 == 0x28000000 && word>>23&1 == 1
	return isSingle || isPair
}

// writesSP reports whether the destination 31 is SP in an instruction, and not the register that is zero.
func writesSP(word uint32) bool {
	isSum := word&0x1f800000 == 0x11000000 && word>>29&1 == 0
	isExtended := word&0x1fe00000 == 0x0b200000 && word>>29&1 == 0
	isLogical := word&0x1f800000 == 0x12000000 && word>>29&3 != 3
	return isSum || isExtended || isLogical
}

// enterARM64 writes an entry: arguments are in R0 to R5 in C and in Go. Above the stack pointer, where Go keeps the
// return address of what it calls, it wants room for them.
func enterARM64(w *writer, function string, saved []string) {
	const below = 64
	size := below + 16 + (8*len(saved)+15)&^15
	w.line("sub\tsp, sp, #%d", size).line(".cfi_def_cfa_offset %d", size)
	w.line("stp\tx29, x30, [sp, #%d]", below)
	w.line(".cfi_offset x29, -%d", size-below).line(".cfi_offset x30, -%d", size-below-8)
	w.line("add\tx29, sp, #%d", below)
	for i, register := range saved {
		at := below + 16 + 8*i
		w.line("str\t%s, [sp, #%d]", register, at)
		w.line(".cfi_offset %s, -%d", register, size-at)
	}
	w.line("bl\t%s", function)
	for i, register := range saved {
		w.line("ldr\t%s, [sp, #%d]", register, below+16+8*i)
	}
	w.line("ldp\tx29, x30, [sp, #%d]", below)
	w.line("add\tsp, sp, #%d", size).line(".cfi_def_cfa_offset 0").line("ret")
}

// callHostARM64 writes a call of C: the host is in R0. Go keeps a frame pointer below its stack pointer.
func callHostARM64(w *writer, offset uintptr) {
	w.line("sub\tsp, sp, #32").line(".cfi_def_cfa_offset 32")
	w.line("stp\tx29, x30, [sp]").line(".cfi_offset x29, -32").line(".cfi_offset x30, -24")
	w.line("mov\tx29, sp")
	w.line("ldr\tx9, [x0, #%d]", offset).line("mov\tx0, x1").line("mov\tx1, x2").line("blr\tx9")
	w.line("ldp\tx29, x30, [sp]")
	w.line("add\tsp, sp, #32").line(".cfi_def_cfa_offset 0").line("ret")
}
