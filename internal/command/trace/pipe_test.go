package trace_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/command/trace"
)

func newPipe(t *testing.T, duplicate io.Writer) *trace.Pipe {
	t.Helper()
	pipe, err := trace.NewPipe("trace", duplicate)
	require.NoError(t, err)
	t.Cleanup(pipe.Close)
	return pipe
}

func writer(t *testing.T, pipe *trace.Pipe) *os.File {
	t.Helper()
	file, err := os.OpenFile(pipe.Path(), os.O_WRONLY|os.O_APPEND|syscall.O_NONBLOCK, 0)
	require.NoError(t, err)
	return file
}

func TestAPipeEndsWithTheLastWriter(t *testing.T) {
	var copied bytes.Buffer
	pipe := newPipe(t, &copied)
	first, second := writer(t, pipe), writer(t, pipe)
	_, err := first.WriteString("one\n")
	require.NoError(t, err)
	require.NoError(t, first.Close())
	pipe.Finish(0)
	_, err = second.WriteString("two\n")
	require.NoError(t, err)
	require.NoError(t, second.Close())
	all, err := io.ReadAll(pipe)
	require.NoError(t, err)
	require.Equal(t, "one\ntwo\n", string(all))
	require.Equal(t, "one\ntwo\n", copied.String())
	require.False(t, pipe.Left())
}

func TestAPipeThatNobodyOpenedIsEmpty(t *testing.T) {
	pipe := newPipe(t, nil)
	pipe.Finish(0)
	all, err := io.ReadAll(pipe)
	require.NoError(t, err)
	require.Empty(t, all)
}

func TestAPipeDoesNotWaitForAWriterThatIsQuiet(t *testing.T) {
	pipe := newPipe(t, nil)
	daemon := writer(t, pipe)
	defer daemon.Close()
	_, err := daemon.WriteString("one\n")
	require.NoError(t, err)
	pipe.Finish(50 * time.Millisecond)
	all, err := io.ReadAll(pipe)
	require.NoError(t, err)
	require.Equal(t, "one\n", string(all))
	require.True(t, pipe.Left())
}

func TestAPipeDoesNotWaitForEverForAWriterThatNeverStops(t *testing.T) {
	pipe := newPipe(t, nil)
	daemon := writer(t, pipe)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			if _, err := daemon.WriteString("one\n"); errors.Is(err, syscall.EPIPE) {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	pipe.Finish(50 * time.Millisecond)
	_, err := io.Copy(io.Discard, pipe)
	require.NoError(t, err)
	require.True(t, pipe.Left())
	pipe.Close()
	<-stopped
}

func TestAPipeTakesMoreThanItHolds(t *testing.T) {
	pipe := newPipe(t, nil)
	line := strings.Repeat("x", 4095) + "\n"
	const lines = 4000
	go func() {
		file, err := os.OpenFile(pipe.Path(), os.O_WRONLY, 0)
		if err != nil {
			return
		}
		for range lines {
			_, _ = file.WriteString(line)
		}
		_ = file.Close()
		pipe.Finish(0)
	}()
	all, err := io.ReadAll(pipe)
	require.NoError(t, err)
	require.Len(t, all, lines*len(line))
}

func TestOthersMayOnlyWriteIntoAPipe(t *testing.T) {
	pipe := newPipe(t, nil)
	fifo, err := os.Stat(pipe.Path())
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o622), fifo.Mode().Perm())
	folder, err := os.Stat(filepath.Dir(pipe.Path()))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o711), folder.Mode().Perm())
}

func TestAClosedPipeLeavesNothing(t *testing.T) {
	pipe, err := trace.NewPipe("trace", nil)
	require.NoError(t, err)
	pipe.Close()
	_, err = os.Stat(filepath.Dir(pipe.Path()))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestACopyThatFailsIsReported(t *testing.T) {
	pipe := newPipe(t, failing{})
	file := writer(t, pipe)
	_, err := file.WriteString("one\n")
	require.NoError(t, err)
	require.NoError(t, file.Close())
	pipe.Finish(0)
	all, err := io.ReadAll(pipe)
	require.NoError(t, err)
	require.Equal(t, "one\n", string(all))
	require.EqualError(t, pipe.CopyError(), "the disk is full")
}
