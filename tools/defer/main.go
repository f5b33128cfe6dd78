// Command defer takes the relocations of Go's data in a library out of the hands of the dynamic linker.
//
//	defer LIBRARY
//
// They are nearly all that the library has, and touch some forty pages, each of which a process that only
// loads the library would pay for. They go to the end of their table, the dynamic section ends the table
// before them, and cshim/process/generation.c, which is told where they stand, does them when the runtime starts.
package main

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
)

// told is the variable of cshim/process/generation.c: two words, the address of the first and how many.
const told = "deferred_relocations"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "defer:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) != 1 {
		return errors.New("usage: defer LIBRARY")
	}
	file, err := os.OpenFile(arguments[0], os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	library, err := read(file)
	if err != nil {
		return fmt.Errorf("%s: %w", arguments[0], err)
	}
	return errors.Join(library.deferRelocations(), file.Close())
}

// library is an ELF file of 64 bits that is changed in place.
type library struct {
	*elf.File
	file    *os.File
	symbols map[string]elf.Symbol
}

func read(file *os.File) (*library, error) {
	parsed, err := elf.NewFile(file)
	if err != nil {
		return nil, err
	}
	if parsed.Class != elf.ELFCLASS64 || parsed.Type != elf.ET_DYN {
		return nil, errors.New("not a shared object of 64 bits")
	}
	symbols, err := parsed.Symbols()
	if err != nil {
		return nil, err
	}
	l := &library{File: parsed, file: file, symbols: map[string]elf.Symbol{}}
	for _, symbol := range symbols {
		l.symbols[symbol.Name] = symbol
	}
	return l, nil
}

// span is a range of addresses.
type span struct{ start, end uint64 }

func (s span) has(address uint64) bool { return s.start <= address && address < s.end }

// goData are the ranges that only the Go runtime and what it runs read.
func (l *library) goData() ([]span, error) {
	var spans []span
	for _, bounds := range [][2]string{
		{"runtime.types", "runtime.etypes"},
		{"runtime.data", "runtime.enoptrdata"},
	} {
		start, hasStart := l.symbols[bounds[0]]
		end, hasEnd := l.symbols[bounds[1]]
		if !hasStart || !hasEnd {
			return nil, fmt.Errorf("no symbols %s and %s", bounds[0], bounds[1])
		}
		spans = append(spans, span{start.Value, end.Value})
	}
	return spans, nil
}

// section gives a section of the library and what is in it.
func (l *library) section(name string) (*elf.Section, []byte, error) {
	section := l.Section(name)
	if section == nil {
		return nil, nil, fmt.Errorf("no section %s", name)
	}
	content, err := section.Data()
	return section, content, err
}

// deferRelocations does what the command is for.
func (l *library) deferRelocations() error {
	spans, err := l.goData()
	if err != nil {
		return err
	}
	section, table, err := l.section(".rela.dyn")
	if err != nil {
		return err
	}
	kept, deferred := l.split(table, spans)
	if err := l.tell(section.Addr+uint64(len(kept)), uint64(len(deferred)/relocationSize)); err != nil {
		return err
	}
	if err := l.shorten(uint64(len(deferred))); err != nil {
		return err
	}
	_, err = l.file.WriteAt(append(kept, deferred...), int64(section.Offset))
	return err
}

const relocationSize = 24 // of an Elf64_Rela: offset, info, addend

// split divides the table, and keeps the order of both parts: those relative to the library's address come first.
func (l *library) split(table []byte, spans []span) (kept, deferred []byte) {
	for ; len(table) >= relocationSize; table = table[relocationSize:] {
		relocation := table[:relocationSize]
		if l.isRelative(relocation) && anyHas(spans, l.ByteOrder.Uint64(relocation)) {
			deferred = append(deferred, relocation...)
		} else {
			kept = append(kept, relocation...)
		}
	}
	return kept, deferred
}

func (l *library) isRelative(relocation []byte) bool {
	kind := elf.R_TYPE64(l.ByteOrder.Uint64(relocation[8:]))
	switch l.Machine {
	case elf.EM_X86_64:
		return kind == uint32(elf.R_X86_64_RELATIVE)
	case elf.EM_AARCH64:
		return kind == uint32(elf.R_AARCH64_RELATIVE)
	}
	return false
}

func anyHas(spans []span, address uint64) bool {
	for _, span := range spans {
		if span.has(address) {
			return true
		}
	}
	return false
}

// shorten takes so many bytes off the table as the dynamic linker sees it.
func (l *library) shorten(size uint64) error {
	section, entries, err := l.section(".dynamic")
	if err != nil {
		return err
	}
	const entrySize = 16
	less := map[elf.DynTag]uint64{elf.DT_RELASZ: size, elf.DT_RELACOUNT: size / relocationSize}
	for at := 0; at+entrySize <= len(entries); at += entrySize {
		by, ok := less[elf.DynTag(l.ByteOrder.Uint64(entries[at:]))]
		if !ok {
			continue
		}
		value := entries[at+8:]
		l.ByteOrder.PutUint64(value, l.ByteOrder.Uint64(value)-by)
	}
	_, err = l.file.WriteAt(entries, int64(section.Offset))
	return err
}

// tell writes into the library where the deferred relocations stand.
func (l *library) tell(first, count uint64) error {
	variable, ok := l.symbols[told]
	if !ok || int(variable.Section) >= len(l.Sections) {
		return fmt.Errorf("no variable %s", told)
	}
	section := l.Sections[variable.Section]
	at := int64(section.Offset + variable.Value - section.Addr)
	words := make([]byte, 16)
	if _, err := l.file.ReadAt(words, at); err != nil {
		return err
	}
	if l.ByteOrder.Uint64(words) != 0 {
		return errors.New("its relocations are deferred already")
	}
	l.ByteOrder.PutUint64(words, first)
	l.ByteOrder.PutUint64(words[8:], count)
	_, err := l.file.WriteAt(words, at)
	return err
}
