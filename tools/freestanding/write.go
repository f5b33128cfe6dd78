package main

import (
	"bytes"
	"fmt"
	"strings"
)

// writer writes assembler that GNU's and clang's assembler take.
type writer struct{ bytes.Buffer }

func (w *writer) line(format string, arguments ...any) *writer {
	fmt.Fprintf(w, "\t"+format+"\n", arguments...)
	return w
}

// write writes all that was taken, as one file.
func write(t *taken) []byte {
	w := &writer{}
	fmt.Fprintf(w, "/* Made by tools/freestanding of %s code of %s. */\n\t.text\n", t.arch.name, t.toolchain)
	for _, entry := range t.entries {
		w.entry(t, entry)
	}
	for _, f := range t.functions {
		w.function(t, f)
	}
	w.line(".section .note.GNU-stack,\"\",%%progbits")
	return w.Bytes()
}

func (w *writer) begin(t *taken, label string) {
	w.line(".p2align %d", t.arch.alignment).line(".type %s, %%function", label)
	fmt.Fprintf(w, "%s:\n", label)
	w.line(".cfi_startproc")
}

func (w *writer) end(label string) {
	w.line(".cfi_endproc").line(".size %s, . - %s", label, label)
}

// entry writes what C calls: it takes C's arguments to Go's registers, and keeps for C what it must find again.
func (w *writer) entry(t *taken, f *function) {
	name := t.prefix + nameInC(strings.TrimPrefix(f.name, t.from+"."))
	var saved []string
	for _, register := range t.arch.saved {
		if f.registers[register] {
			saved = append(saved, register)
		}
	}
	w.line(".globl %s", name).line(".hidden %s", name)
	w.begin(t, name)
	t.arch.entry(w, f.label, saved)
	w.end(name)
}

func (w *writer) function(t *taken, f *function) {
	w.begin(t, f.label)
	switch {
	case f.isHostCall:
		t.arch.hostCall(w, f.offset)
	case f.isTrap:
		w.WriteString(t.arch.trap)
	default:
		w.instructions(t, f)
	}
	w.end(f.label)
}

// instructions writes the bytes of a function, and for the unwinder where its frame is.
func (w *writer) instructions(t *taken, f *function) {
	leaving := false
	for i := range f.instructions {
		in := &f.instructions[i]
		if in.push < 0 && !leaving {
			w.line(".cfi_remember_state")
			leaving = true
		}
		switch {
		case in.calls:
			fmt.Fprintf(w, in.written, t.known[in.target].label)
		case in.target == 0 && in.written != "":
			w.WriteString(in.written)
		default:
			w.bytes(in.bytes)
		}
		if in.push != 0 {
			w.line(".cfi_adjust_cfa_offset %d", in.push)
		}
		if in.keeps {
			w.line(".cfi_rel_offset %s, 0", t.arch.kept)
		}
		if in.ends() && leaving && i < len(f.instructions)-1 {
			w.line(".cfi_restore_state")
			leaving = false
		}
	}
}

func (w *writer) bytes(code []byte) {
	text := make([]string, len(code))
	for i, b := range code {
		text[i] = fmt.Sprintf("%#02x", b)
	}
	w.line(".byte %s", strings.Join(text, ","))
}
