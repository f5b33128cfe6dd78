package program

import (
	"errors"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// Orphans are the processes that a program leaves behind.
type Orphans struct{ signals chan os.Signal }

// AdoptOrphans makes what a program leaves behind, however deep, children of this process: see
// PR_SET_CHILD_SUBREAPER in prctl(2). It is for before the program starts.
func AdoptOrphans() (*Orphans, error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, err
	}
	// From now on, so that none of these ends this process between the program's end and Wait.
	adopted := &Orphans{signals: make(chan os.Signal, 1)}
	signal.Notify(adopted.signals, syscall.SIGINT, syscall.SIGTERM)
	return adopted, nil
}

// Wait waits, after the end of the program, for the end of all its orphans, or for SIGINT or SIGTERM.
func (o *Orphans) Wait() {
	defer signal.Stop(o.signals)
	o.forgetSignals()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for err := error(nil); err == nil || errors.Is(err, syscall.EINTR); {
			_, err = syscall.Wait4(-1, nil, 0, nil)
		}
	}()
	select {
	case <-ended:
	case <-o.signals:
	}
}

// forgetSignals forgets what was meant for the program.
func (o *Orphans) forgetSignals() {
	select {
	case <-o.signals:
	default:
	}
}
