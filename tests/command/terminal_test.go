package command

import (
	"io"
	"strings"
	"sync"
)

// lockedText is written while the test reads it.
type lockedText struct {
	mutex sync.Mutex
	text  strings.Builder
}

func (l *lockedText) Write(piece []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.Write(piece)
}

func (l *lockedText) String() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.String()
}

// collect takes down all that a terminal shows, until it is closed.
func collect(terminal io.Reader) (*lockedText, <-chan struct{}) {
	screen, done := &lockedText{}, make(chan struct{})
	go func() {
		defer close(done)
		// A terminal whose program has ended answers an error.
		_, _ = io.Copy(screen, terminal)
	}()
	return screen, done
}
