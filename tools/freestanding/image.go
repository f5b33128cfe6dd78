package main

import (
	"debug/buildinfo"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"slices"
	"sort"
)

// image is a Go binary.
type image struct {
	arch      *arch
	toolchain string
	symbols   []symbol // of functions and data, by address
	sections  []*elf.Section
}

type symbol struct {
	name          string
	address, size uint64
	isFunction    bool
}

// arch is what differs between processors.
type arch struct {
	name      string
	alignment int // of a function, as a power of two
	decode    func(code []byte, address uint64, in *image) (instruction, error)
	entry     func(w *writer, function string, saved []string)
	hostCall  func(w *writer, offset uintptr)
	trap      string
	saved     []string // registers that C has to find as they were, and Go's code may change
	kept      string   // what is kept with a frame: the register that push names in the unwinder's table
}

var arches = map[elf.Machine]*arch{elf.EM_X86_64: &amd64, elf.EM_AARCH64: &arm64}

func open(path string) (*image, error) {
	file, err := elf.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	read := &image{arch: arches[file.Machine], sections: file.Sections}
	if read.arch == nil || file.ByteOrder != binary.LittleEndian {
		return nil, fmt.Errorf("%s is for %s, which has no code of its own here", path, file.Machine)
	}
	if info, err := buildinfo.ReadFile(path); err == nil {
		read.toolchain = info.GoVersion
	}
	symbols, err := file.Symbols()
	if err != nil {
		return nil, fmt.Errorf("the symbols of %s: %w", path, err)
	}
	for _, s := range symbols {
		kind := elf.ST_TYPE(s.Info)
		if s.Size > 0 && (kind == elf.STT_FUNC || kind == elf.STT_OBJECT) {
			read.symbols = append(read.symbols, symbol{s.Name, s.Value, s.Size, kind == elf.STT_FUNC})
		}
	}
	slices.SortFunc(read.symbols, func(a, b symbol) int { return int(a.address) - int(b.address) })
	for i, section := range read.sections {
		if section.Flags&elf.SHF_EXECINSTR == 0 {
			continue
		}
		// Read while the file is open.
		data, err := section.Data()
		if err != nil {
			return nil, err
		}
		copied := *section
		copied.ReaderAt = bytesAt(data)
		read.sections[i] = &copied
	}
	return read, nil
}

type bytesAt []byte

func (b bytesAt) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 || offset+int64(len(p)) > int64(len(b)) {
		return 0, fmt.Errorf("there are only %d bytes", len(b))
	}
	return copy(p, b[offset:]), nil
}

// at finds what an address lies in.
func (m *image) at(address uint64) (symbol, bool) {
	i := sort.Search(len(m.symbols), func(i int) bool { return m.symbols[i].address > address }) - 1
	for ; i >= 0 && i < len(m.symbols); i-- {
		s := m.symbols[i]
		if address < s.address+s.size {
			return s, true
		}
		if address-s.address > 1<<24 {
			break
		}
	}
	return symbol{}, false
}

// nameOf is for messages.
func (m *image) nameOf(address uint64) string {
	if s, found := m.at(address); found {
		return s.name
	}
	return fmt.Sprintf("address %#x", address)
}

// code returns the bytes of a function.
func (m *image) code(s symbol) ([]byte, error) {
	for _, section := range m.sections {
		if section.Flags&elf.SHF_EXECINSTR != 0 && s.address >= section.Addr && s.address+s.size <= section.Addr+section.Size {
			code := make([]byte, s.size)
			_, err := section.ReaderAt.ReadAt(code, int64(s.address-section.Addr))
			return code, err
		}
	}
	return nil, fmt.Errorf("%s has no code", s.name)
}
