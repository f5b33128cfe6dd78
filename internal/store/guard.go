package store

import (
	"errors"
	"net"
	"strconv"
	"syscall"
)

// The bounds of one answer of the server. The client library makes room for as much as an answer says that it has,
// and calls itself for a list in a list: without them a server could end the process. The longest answer that a
// client needs is a cluster's of its slots.
const (
	depthMax    = 8         // lists in one another
	elementsMax = 64 << 10  // of all its lists together, whether they come or not
	bytesMax    = 1 << 20   // of all of it, whether they come or not
	stringMax   = 128 << 10 // of one string: a record is much shorter
	lineMax     = 4 << 10
)

var errNonsense = errors.New("the server does not speak the protocol of Valkey and Redis")

// guard is a connection that ends where the server's answer is none, or one that is too large: no byte of such an
// answer reaches the client from there on. It knows versions 2 and 3 of the protocol, for the library asks sentinels
// for the latter; but no attributes and no strings in pieces, which no server sends unless it is asked to.
type guard struct {
	net.Conn
	line   [24]byte // the line that is being read, as far as it matters
	length int      // of that line
	text   int      // bytes of a string that are still to come

	waiting  [depthMax]int // elements that are still to come, of each list that is open
	depth    int           // how many are open
	elements int           // that this answer has spoken of
	bytes    int

	isNonsense bool
}

func (g *guard) Read(room []byte) (int, error) {
	count, err := g.Conn.Read(room)
	if g.isNonsense = g.isNonsense || !g.follow(room[:count]); g.isNonsense {
		return 0, errNonsense
	}
	return count, err
}

// follow reports whether it all is of the protocol and within the bounds.
func (g *guard) follow(piece []byte) bool {
	for len(piece) > 0 {
		if g.text > 0 {
			passed := min(g.text, len(piece))
			g.text -= passed
			piece = piece[passed:]
			if g.text == 0 {
				g.endElement()
			}
			continue
		}
		letter := piece[0]
		piece = piece[1:]
		if g.length < len(g.line) {
			g.line[g.length] = letter
		}
		g.length++
		if g.length > lineMax || letter == '\n' && !g.endLine() {
			return false
		}
	}
	return true
}

func (g *guard) endLine() bool {
	length := g.length
	g.length = 0
	g.bytes += length
	switch g.line[0] {
	case '+', '-', ':', '_', ',', '#', '(':
		g.endElement()
	case '$', '=', '!':
		size, isSound := g.number(length, stringMax)
		if !isSound {
			return false
		}
		g.beginString(size)
	case '*', '~', '>':
		count, isSound := g.number(length, elementsMax)
		if !isSound || !g.beginList(count) {
			return false
		}
	case '%':
		pairs, isSound := g.number(length, elementsMax)
		if !isSound || !g.beginList(2*pairs) {
			return false
		}
	default:
		return false
	}
	return g.bytes <= bytesMax
}

// number reads what stands between the first letter and the end of the line; -1 is none.
func (g *guard) number(length, most int) (int, bool) {
	if length < len("$0\r\n") || length > len(g.line) || g.line[length-2] != '\r' {
		return 0, false
	}
	number, err := strconv.Atoi(string(g.line[1 : length-2]))
	return number, err == nil && number >= -1 && number <= most
}

func (g *guard) beginString(size int) {
	if size < 0 {
		g.endElement()
		return
	}
	g.text = size + len("\r\n")
	g.bytes += g.text
}

// beginList reports whether there may be such a list.
func (g *guard) beginList(count int) bool {
	if count <= 0 {
		g.endElement()
		return true
	}
	g.elements += count
	if g.depth == depthMax || g.elements > elementsMax {
		return false
	}
	g.waiting[g.depth] = count
	g.depth++
	return true
}

// endElement ends the lists too of which it was the last, and the answer with the outermost.
func (g *guard) endElement() {
	for g.depth > 0 {
		g.waiting[g.depth-1]--
		if g.waiting[g.depth-1] > 0 {
			return
		}
		g.depth--
	}
	g.elements, g.bytes = 0, 0
}

// plainGuard is one without TLS: the library looks whether it is still alive before it uses it.
type plainGuard struct{ guard }

func (g *plainGuard) SyscallConn() (syscall.RawConn, error) {
	return g.Conn.(syscall.Conn).SyscallConn()
}
