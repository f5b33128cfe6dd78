package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/arch/x86/x86asm"
)

var amd64 = arch{
	name:      "amd64",
	alignment: 5,
	decode:    decodeAMD64,
	entry:     enterAMD64,
	hostCall:  callHostAMD64,
	trap:      "\tud2\n",
	kept:      "%rbp",
	saved:     []string{"rbx", "r12", "r13", "r15"},
}

// refusedAMD64 are instructions that ask the kernel, or go where nobody can follow.
var refusedAMD64 = map[x86asm.Op]bool{
	x86asm.SYSCALL: true, x86asm.SYSENTER: true, x86asm.INT: true, x86asm.HLT: true, x86asm.CPUID: true,
	x86asm.IRET: true, x86asm.LCALL: true, x86asm.LJMP: true, x86asm.LRET: true, x86asm.CLD: true, x86asm.STD: true,
}

func decodeAMD64(code []byte, address uint64, in *image) (instruction, error) {
	decoded, err := x86asm.Decode(code, 64)
	if err != nil {
		return instruction{}, fmt.Errorf("has an instruction that is not known: % x", code[:min(len(code), 8)])
	}
	result := instruction{bytes: code[:decoded.Len], returns: decoded.Op == x86asm.RET, traps: decoded.Op == x86asm.UD2}
	if refusedAMD64[decoded.Op] {
		return result, fmt.Errorf("has the instruction %s", decoded.Op)
	}
	next := address + uint64(decoded.Len)
	for _, argument := range decoded.Args {
		switch argument := argument.(type) {
		case x86asm.Reg:
			err = result.useAMD64(argument)
		case x86asm.Mem:
			err = errors.Join(result.useAMD64(argument.Base), result.useAMD64(argument.Index), checkMemory(argument, next, in))
		case x86asm.Rel:
			result.target = next + uint64(int64(argument))
		}
		if err != nil {
			return result, err
		}
	}
	if err := result.flowAMD64(decoded); err != nil {
		return result, err
	}
	return result, result.stackAMD64(decoded)
}

// useAMD64 notes a register. R14 has Go's g, and nothing else.
func (in *instruction) useAMD64(register x86asm.Reg) error {
	switch name := strings.ToLower(register.String()); {
	case register == 0:
	case strings.HasPrefix(name, "r14"):
		return errNeedsG
	case name == "rbx" || name == "ebx" || name == "bx" || name == "bl" || name == "bh":
		in.registers = append(in.registers, "rbx")
	case len(name) >= 3 && (name[:3] == "r12" || name[:3] == "r13" || name[:3] == "r15"):
		in.registers = append(in.registers, name[:3])
	}
	return nil
}

// checkMemory refuses what is in no array that the code was given.
func checkMemory(memory x86asm.Mem, next uint64, in *image) error {
	switch {
	case memory.Segment == x86asm.FS || memory.Segment == x86asm.GS:
		return errors.New("needs thread-local storage")
	case memory.Base == x86asm.RIP:
		return fmt.Errorf("needs data: %s", in.nameOf(next+uint64(memory.Disp)))
	case memory.Base == 0 && memory.Index == 0:
		return fmt.Errorf("needs data: %s", in.nameOf(uint64(memory.Disp)))
	}
	return nil
}

// flowAMD64 looks at where it goes.
func (in *instruction) flowAMD64(decoded x86asm.Inst) error {
	switch decoded.Op {
	case x86asm.CALL, x86asm.JMP:
		if in.target == 0 {
			return errors.New("calls through a register")
		}
		in.calls, in.jumps = true, decoded.Op == x86asm.JMP
		in.written = "\t" + strings.ToLower(decoded.Op.String()) + "\t%s\n"
	}
	return nil
}

// stackAMD64 follows the stack pointer.
func (in *instruction) stackAMD64(decoded x86asm.Inst) error {
	first, _ := decoded.Args[0].(x86asm.Reg)
	switch decoded.Op {
	case x86asm.PUSH:
		in.push, in.keeps = 8, first == x86asm.RBP
	case x86asm.POP:
		in.push = -8
	case x86asm.SUB, x86asm.ADD:
		by, isNumber := decoded.Args[1].(x86asm.Imm)
		if first != x86asm.RSP {
			return nil
		}
		if !isNumber {
			return errors.New("moves the stack pointer by what is not known")
		}
		if in.push = int(by); decoded.Op == x86asm.ADD {
			in.push = -in.push
		}
	case x86asm.CMP, x86asm.TEST, x86asm.CALL, x86asm.RET, x86asm.JMP:
	default:
		if first == x86asm.RSP || first == x86asm.ESP {
			return errors.New("moves the stack pointer by what is not known")
		}
	}
	return nil
}

// enterAMD64 writes an entry: C's arguments are in DI, SI, DX, CX, R8 and R9, Go's in AX, BX, CX, DI, SI and R8; above the
// return address Go wants room for them. X15 is always 0 in Go, and free in C.
func enterAMD64(w *writer, function string, saved []string) {
	if !slices.Contains(saved, "rbx") {
		saved = append(saved, "rbx")
	}
	w.line("push\t%%rbp").line(".cfi_def_cfa_offset 16").line(".cfi_offset %%rbp, -16")
	w.line("mov\t%%rsp, %%rbp").line(".cfi_def_cfa_register %%rbp")
	for i, register := range saved {
		w.line("push\t%%%s", register).line(".cfi_offset %%%s, -%d", register, 24+8*i)
	}
	w.line("sub\t$%d, %%rsp", 48+8*(len(saved)%2))
	w.line("mov\t%%rdi, %%rax").line("mov\t%%rsi, %%rbx").line("mov\t%%rcx, %%rdi").line("mov\t%%rdx, %%rcx")
	w.line("mov\t%%r8, %%rsi").line("mov\t%%r9, %%r8").line("xorps\t%%xmm15, %%xmm15")
	w.line("call\t%s", function)
	w.line("add\t$%d, %%rsp", 48+8*(len(saved)%2))
	for i := range saved {
		w.line("pop\t%%%s", saved[len(saved)-1-i])
	}
	w.line("pop\t%%rbp").line(".cfi_def_cfa %%rsp, 8").line("ret")
}

// callHostAMD64 writes a call of C: the host is in AX.
func callHostAMD64(w *writer, offset uintptr) {
	w.line("push\t%%rbp").line(".cfi_def_cfa_offset 16").line(".cfi_offset %%rbp, -16")
	w.line("mov\t%%rsp, %%rbp").line(".cfi_def_cfa_register %%rbp")
	w.line("and\t$-16, %%rsp")
	w.line("mov\t%%rbx, %%rdi").line("mov\t%%rcx, %%rsi").line("call\t*%d(%%rax)", offset)
	w.line("xorps\t%%xmm15, %%xmm15")
	w.line("mov\t%%rbp, %%rsp").line("pop\t%%rbp").line(".cfi_def_cfa %%rsp, 8").line("ret")
}
