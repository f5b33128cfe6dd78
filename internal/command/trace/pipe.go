package trace

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Pipe takes the trace of running processes: a FIFO in a folder of its own. Read gives what they write.
type Pipe struct {
	folder    string
	name      string
	reader    *os.File
	writer    *os.File // ours, so that the reader has no end while no process has opened the FIFO
	chunks    chan []byte
	rest      []byte
	duplicate io.Writer
	failed    error // of the duplicate; read after the chunks have ended
	finish    atomic.Pointer[finish]
	once      sync.Once
	left      bool
}

// finish says how long the reader still waits for processes that have the FIFO open.
type finish struct {
	quiet time.Duration // since the last byte
	last  time.Time     // at the latest
}

// mostQuiets is how often the quiet time passes before a process that writes on is no longer waited for.
const mostQuiets = 10

// The FIFO holds as much as an unprivileged user may ask for, and so much more waits here.
const (
	pipeSize   = 1 << 20
	chunkSize  = 64 << 10
	chunksKept = 512
)

// RunName is the name of a FIFO for the trace of a process and all that it starts. The process waits at its end until
// the FIFO is gone: see docs/trace.md.
func RunName(process int) string { return fmt.Sprintf("run-%d", process) }

// NewPipe makes a FIFO of this name and starts to read it. Whatever is read is also written to duplicate, if that is
// not nil. Close must be called at the end.
func NewPipe(name string, duplicate io.Writer) (*Pipe, error) {
	folder, err := os.MkdirTemp("", "sslcache-")
	if err != nil {
		return nil, err
	}
	if folder, err = filepath.Abs(folder); err != nil {
		return nil, err
	}
	pipe := &Pipe{folder: folder, name: name, chunks: make(chan []byte, chunksKept), duplicate: duplicate}
	if err := pipe.open(); err != nil {
		pipe.Close()
		return nil, err
	}
	go pipe.fetch()
	return pipe, nil
}

// open makes the FIFO. Servers give up root and open it anew then: all may pass through the folder and
// write into the FIFO, if they know their names, and nobody else may list or read them.
func (p *Pipe) open() error {
	if err := os.Chmod(p.folder, 0o711); err != nil {
		return err
	}
	path := p.Path()
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := os.Chmod(path, 0o622); err != nil {
		return err
	}
	var err error
	if p.reader, err = os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0); err != nil {
		return err
	}
	if p.writer, err = os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0); err != nil {
		return err
	}
	return p.enlarge()
}

// enlarge asks for a larger FIFO. A smaller one is only more often full.
func (p *Pipe) enlarge() error {
	descriptor, err := p.reader.SyscallConn()
	if err != nil {
		return err
	}
	return descriptor.Control(func(number uintptr) {
		_, _ = unix.FcntlInt(number, unix.F_SETPIPE_SZ, pipeSize)
	})
}

// Path returns the path of the FIFO.
func (p *Pipe) Path() string { return filepath.Join(p.folder, p.name) }

// fetch empties the FIFO as fast as it can, so that no process has to drop events.
func (p *Pipe) fetch() {
	defer close(p.chunks)
	buffer := make([]byte, chunkSize)
	for {
		read, err := p.reader.Read(buffer)
		if read > 0 {
			p.writeCopy(buffer[:read])
			p.chunks <- bytes.Clone(buffer[:read])
			p.waitAgain()
		}
		if err != nil {
			p.left = errors.Is(err, os.ErrDeadlineExceeded)
			return
		}
	}
}

func (p *Pipe) writeCopy(chunk []byte) {
	if p.duplicate == nil || p.failed != nil {
		return
	}
	_, p.failed = p.duplicate.Write(chunk)
}

// waitAgain sets the deadline anew once there is one.
func (p *Pipe) waitAgain() {
	limit := p.finish.Load()
	if limit == nil {
		return
	}
	deadline := time.Now().Add(limit.quiet)
	if deadline.After(limit.last) {
		deadline = limit.last
	}
	_ = p.reader.SetReadDeadline(deadline)
}

// Finish lets the trace end when all processes that write it have ended, or, with a quiet time above 0,
// when none of them has written for so long. One that never stops to write is not waited for forever.
// Only the first call counts.
func (p *Pipe) Finish(quiet time.Duration) {
	p.once.Do(func() {
		if quiet > 0 {
			p.finish.Store(&finish{quiet: quiet, last: time.Now().Add(mostQuiets * quiet)})
			p.waitAgain()
		}
		_ = p.writer.Close()
	})
}

// Read returns what was written, and io.EOF at the end that Finish allowed.
func (p *Pipe) Read(buffer []byte) (int, error) {
	for len(p.rest) == 0 {
		chunk, more := <-p.chunks
		if !more {
			return 0, io.EOF
		}
		p.rest = chunk
	}
	read := copy(buffer, p.rest)
	p.rest = p.rest[read:]
	return read, nil
}

// Left reports whether, after the end, processes still have the FIFO open.
func (p *Pipe) Left() bool { return p.left }

// CopyError returns why the copy is not whole, after the end, or nil.
func (p *Pipe) CopyError() error { return p.failed }

// Close takes the FIFO and its folder away.
func (p *Pipe) Close() {
	if p.reader != nil {
		_ = p.reader.Close()
	}
	if p.writer != nil {
		_ = p.writer.Close()
	}
	_ = os.RemoveAll(p.folder)
}
