package store

import (
	"errors"
	"net"
	"strconv"
	"syscall"
)

// The largest that an answer of the server may say it is. The client library makes room for as much as
// the server says, and room that there is not would end the process.
const (
	blobMax  = 256 << 10 // bytes of a string: a record is much smaller
	countMax = 64 << 10  // elements of a list, and bytes of a line
)

var errNonsense = errors.New("the server does not speak the protocol of Valkey and Redis")

// guard is a connection that ends where the server's answer is none of the protocol: a line that says
// what follows, and a string of so many bytes after some of them.
type guard struct {
	net.Conn
	line     [24]byte // the line that is being read, as far as it matters
	length   int      // of that line
	blob     int      // bytes of a string that are still to come
	nonsense bool
}

func (g *guard) Read(room []byte) (int, error) {
	count, err := g.Conn.Read(room)
	if g.nonsense = g.nonsense || !g.follow(room[:count]); g.nonsense {
		return 0, errNonsense
	}
	return count, err
}

// follow answers whether it all is of the protocol.
func (g *guard) follow(piece []byte) bool {
	for len(piece) > 0 {
		if g.blob > 0 {
			passed := min(g.blob, len(piece))
			g.blob -= passed
			piece = piece[passed:]
			continue
		}
		letter := piece[0]
		piece = piece[1:]
		if g.length < len(g.line) {
			g.line[g.length] = letter
		}
		g.length++
		if g.length > countMax || letter == '\n' && !g.endLine() {
			return false
		}
	}
	return true
}

func (g *guard) endLine() bool {
	length := g.length
	g.length = 0
	switch g.line[0] {
	case '+', '-', ':', '_', ',', '#', '(', '.':
		return true
	case '$', '=', '!', ';':
		size, isSound := g.number(length, blobMax)
		if isSound && size >= 0 {
			g.blob = size + len("\r\n")
		}
		return isSound
	case '*', '%', '~', '|', '>':
		_, isSound := g.number(length, countMax)
		return isSound
	}
	return false
}

// number reads what stands between the first letter and the end of the line; -1 is none.
func (g *guard) number(length, most int) (int, bool) {
	if length < len("$0\r\n") || length > len(g.line) || g.line[length-2] != '\r' {
		return 0, false
	}
	number, err := strconv.Atoi(string(g.line[1 : length-2]))
	return number, err == nil && number >= -1 && number <= most
}

// plainGuard is one without TLS: the library looks whether it is still alive before it uses it.
type plainGuard struct{ guard }

func (g *plainGuard) SyscallConn() (syscall.RawConn, error) {
	return g.Conn.(syscall.Conn).SyscallConn()
}
