package trace

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/goccy/go-json"
)

// longestLine is more than the library ever writes at once.
const longestLine = 64 << 10

// Error says in which line a trace can't be read, and why.
type Error struct {
	Line    int
	Problem string
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Problem) }

// ErrTruncated is wrapped by the error for a trace whose last line breaks off. All events before that
// line have been given.
var ErrTruncated = errors.New("the last line breaks off")

// ErrEmpty is the error for a trace without any event.
var ErrEmpty = errors.New("it is empty: no event is in it")

// Reader reads the events of a trace one after the other.
type Reader struct {
	lines *bufio.Reader
	line  int
}

// NewReader reads a trace from its start.
func NewReader(source io.Reader) *Reader {
	return &Reader{lines: bufio.NewReaderSize(source, longestLine)}
}

// Next overwrites the event with the next of the trace. It gives io.EOF after the last one, and an error
// that names the line where the trace can't be read.
func (r *Reader) Next(event *Event) error {
	text, err := r.lines.ReadSlice('\n')
	if err != nil {
		return r.endOf(text, err)
	}
	r.line++
	*event = Event{}
	if err := json.Unmarshal(text, event); err != nil || event.Operation == "" {
		return r.unreadable(text)
	}
	return r.checkFormat(event)
}

// endOf returns the error for what is left when there is no further whole line.
func (r *Reader) endOf(rest []byte, err error) error {
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		r.line++
		return r.unreadable(rest)
	case !errors.Is(err, io.EOF):
		return err
	case len(rest) == 0 && r.line == 0:
		return ErrEmpty
	case len(rest) == 0:
		return io.EOF
	case r.line == 0:
		r.line++
		return r.unreadable(rest)
	default:
		return fmt.Errorf("line %d: %w", r.line+1, ErrTruncated)
	}
}

func (r *Reader) unreadable(text []byte) error {
	if r.line == 1 {
		return &Error{Line: 1, Problem: "not a trace of libsslcache: it must start with a line of JSON whose format is " + Format}
	}
	return &Error{Line: r.line, Problem: fmt.Sprintf("not an event but %q", excerpt(text))}
}

// checkFormat looks at what a process says of its trace, which has to be the first thing in it.
func (r *Reader) checkFormat(event *Event) error {
	switch {
	case event.Operation != Start && r.line == 1:
		return r.unreadable(nil)
	case event.Operation != Start:
		return nil
	case event.Format != Format:
		return &Error{Line: r.line, Problem: fmt.Sprintf("the format is %q and not %s", event.Format, Format)}
	case event.Version != Version:
		return &Error{
			Line:    r.line,
			Problem: fmt.Sprintf("version %d of the format is unknown here, this command reads version %d", event.Version, Version),
		}
	default:
		return nil
	}
}

// excerpt returns as much of a line as fits into a message.
func excerpt(text []byte) []byte {
	const enough = 40
	text = bytes.TrimRight(text, "\n")
	return text[:min(len(text), enough)]
}
