package program

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// lookAgain is how often a process is looked for where the kernel can't tell of its end.
const lookAgain = 20 * time.Millisecond

// Watch returns a channel that is closed when a process has ended, of whomever it is a child.
func Watch(process int) <-chan struct{} {
	ended := make(chan struct{})
	handle, err := unix.PidfdOpen(process, 0)
	born := startTimeOf(process)
	go func() {
		defer close(ended)
		if err != nil {
			for startTimeOf(process) == born && born != "" {
				time.Sleep(lookAgain)
			}
			return
		}
		wait := []unix.PollFd{{Fd: int32(handle), Events: unix.POLLIN}}
		for {
			if _, err := unix.Poll(wait, -1); err != unix.EINTR {
				return
			}
		}
	}()
	return ended
}

// startTimeOf returns when a process was started, in the kernel's units, or "" where it has ended.
func startTimeOf(process int) string {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", process))
	if err != nil {
		return ""
	}
	// The name, in brackets, may have anything in it; of what follows the 20th is the time, the first the state.
	fields := strings.Fields(string(content[strings.LastIndexByte(string(content), ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" {
		return ""
	}
	return fields[19]
}
