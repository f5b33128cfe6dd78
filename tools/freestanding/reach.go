package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// rules say what is taken out of an image.
type rules struct {
	from     string             // the package whose exported functions C calls
	prefix   string             // of their names in C
	packages []string           // whose functions may be taken
	calls    map[string]uintptr // functions that call C instead: where struct core_host has the address
}

// instruction is one as far as it matters here.
type instruction struct {
	bytes     []byte
	target    uint64   // of a call or jump, 0: there is none
	calls     bool     // the target is another function
	jumps     bool     // and does not return here
	returns   bool     // it is the end of a path
	traps     bool     // so it is, with a frame
	push      int      // by so much the stack grows
	reserve   int      // by so much it grows once an instruction commits it
	commits   bool     // it does
	keeps     bool     // what is kept with a frame was stored at the stack pointer
	registers []string // of C's that it may change
	written   string   // as assembler, where the bytes depend on the place; %s is the target
}

// ends reports whether what follows is reached in another way, with the function's frame.
func (in *instruction) ends() bool {
	return in.returns || in.traps || in.calls && in.jumps
}

// function is one that is taken.
type function struct {
	symbol
	label        string
	instructions []instruction
	offset       uintptr // of a function of the host
	isHostCall   bool
	isTrap       bool

	depth     int             // of the stack, at most, with all that it calls
	registers map[string]bool // the same
	done      bool
}

// taken is what is taken out of an image.
type taken struct {
	*image
	rules
	functions []*function // by address
	entries   []*function
	depth     int
	known     map[uint64]*function
}

// errNeedsG is what is said of the register of Go's g. A function that may grow the stack begins with a look at it.
var errNeedsG = errors.New("needs the runtime's g: it may grow the stack, if it is not marked go:nosplit")

// trapName is the function that ends the process.
const trapName = "libsslcache/internal/host.Fail"

func reach(from *image, by rules) (*taken, error) {
	t := &taken{image: from, rules: by, known: map[uint64]*function{}}
	for _, s := range from.symbols {
		if !s.isFunction || !isEntry(s.name, by.from) {
			continue
		}
		entry, err := t.follow(s, nil)
		if err != nil {
			return nil, err
		}
		t.entries = append(t.entries, entry)
	}
	if len(t.entries) == 0 {
		return nil, fmt.Errorf("%s has no exported functions in this binary", by.from)
	}
	t.functions = slices.SortedFunc(maps.Values(t.known), func(a, b *function) int { return int(a.address) - int(b.address) })
	labels := map[string]string{}
	for _, f := range t.functions {
		if other := labels[f.label]; other != "" {
			return nil, fmt.Errorf("%s and %s would both be called %s", other, f.name, f.label)
		}
		labels[f.label] = f.name
		t.depth = max(t.depth, f.depth)
	}
	return t, nil
}

// isEntry reports whether a name is that of an exported function of the package, and not of a method or a closure.
func isEntry(name, in string) bool {
	function, found := strings.CutPrefix(name, in+".")
	return found && function != "" && unicode.IsUpper(rune(function[0])) && !strings.ContainsAny(function, ".(·[")
}

// follow takes a function and all that it calls. The callers are for messages.
func (t *taken) follow(s symbol, callers []string) (*function, error) {
	if known := t.known[s.address]; known != nil {
		if !known.done {
			return nil, fmt.Errorf("%s calls itself%s", s.name, callChain(callers))
		}
		return known, nil
	}
	f := &function{symbol: s, label: labelOf(s.name), registers: map[string]bool{}}
	if err := t.read(f, callers); err != nil {
		return nil, err
	}
	t.known[s.address] = f
	if err := t.measure(f, append(callers, s.name)); err != nil {
		return nil, err
	}
	f.done = true
	return f, nil
}

// read decodes a function.
func (t *taken) read(f *function, callers []string) error {
	f.offset, f.isHostCall = t.calls[f.name]
	if f.isTrap = f.name == trapName; f.isHostCall || f.isTrap {
		return nil
	}
	if !t.isOurs(f.name) {
		return fmt.Errorf("it calls %s%s", f.name, callChain(callers))
	}
	code, err := t.code(f.symbol)
	if err != nil {
		return err
	}
	for at := uint64(0); at < f.size; {
		decoded, err := t.arch.decode(code[at:], f.address+at, t.image)
		if err != nil {
			return fmt.Errorf("%s %w%s", f.name, err, callChain(callers))
		}
		isOutside := decoded.target != 0 && decoded.target-f.address >= f.size
		if isOutside && !decoded.calls {
			return fmt.Errorf("%s goes to %s%s", f.name, t.nameOf(decoded.target), callChain(callers))
		}
		decoded.calls = decoded.calls && isOutside
		f.instructions = append(f.instructions, decoded)
		at += uint64(len(decoded.bytes))
	}
	return nil
}

func (t *taken) isOurs(name string) bool {
	return slices.ContainsFunc(t.packages, func(in string) bool { return strings.HasPrefix(name, in+".") })
}

// measure follows the calls of a function, and finds out how much stack it needs and which registers it changes.
func (t *taken) measure(f *function, callers []string) error {
	depth, frame, reserved := 0, 0, 0
	for i := range f.instructions {
		in := &f.instructions[i]
		depth += in.push
		if in.reserve > 0 {
			reserved = in.reserve
		}
		if in.commits {
			in.push = reserved
			depth += reserved
		}
		frame = max(frame, depth)
		f.depth = max(f.depth, depth)
		for _, register := range in.registers {
			f.registers[register] = true
		}
		if in.calls {
			if err := t.call(f, in, depth, callers); err != nil {
				return err
			}
		}
		if in.ends() {
			if depth != 0 && !in.traps {
				return fmt.Errorf("%s returns from a frame that is not understood%s", f.name, callChain(callers))
			}
			depth = frame
		}
	}
	return nil
}

func (t *taken) call(f *function, in *instruction, depth int, callers []string) error {
	s, found := t.at(in.target)
	if !found || s.address != in.target || !s.isFunction {
		return fmt.Errorf("%s calls into %s%s", f.name, t.nameOf(in.target), callChain(callers))
	}
	called, err := t.follow(s, callers)
	if err != nil {
		return err
	}
	f.depth = max(f.depth, depth+8+called.depth)
	maps.Copy(f.registers, called.registers)
	return nil
}

// callChain returns who calls, the nearest first.
func callChain(callers []string) string {
	if len(callers) == 0 {
		return ""
	}
	nearest := slices.Clone(callers)
	slices.Reverse(nearest)
	return ", called by " + strings.Join(nearest, ", by ")
}

// labelOf makes a label that every assembler takes of a function's name: cache.Cache.Add.
func labelOf(name string) string {
	name = name[strings.LastIndex(name, "/")+1:]
	return strings.Map(func(r rune) rune {
		switch {
		case r == '(' || r == ')' || r == '*':
			return -1
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '.' || r == '_'):
			return r
		default:
			return '_'
		}
	}, name)
}

// nameInC returns cache_new for CacheNew.
func nameInC(name string) string {
	var c strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			c.WriteByte('_')
		}
		c.WriteRune(unicode.ToLower(r))
	}
	return c.String()
}

func (t *taken) size() (bytes uint64) {
	for _, f := range t.functions {
		if len(f.instructions) > 0 {
			bytes += f.size
		}
	}
	return bytes
}
