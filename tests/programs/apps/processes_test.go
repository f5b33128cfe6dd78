package apps

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// process is one as the kernel names it: the time it started tells it from a later one with its id.
type process struct {
	pid     int
	parent  int
	name    string
	started string
	ended   bool // it only waits to be asked for its status
	threads int
}

// processes are all of this machine.
func processes() []process {
	var found []process
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		// A process that ends meanwhile cannot be read, and is not there.
		content, err := os.ReadFile(file)
		if err == nil {
			found = append(found, parseProcess(string(content)))
		}
	}
	return found
}

// parseProcess reads /proc/PID/stat, where the name is in parentheses and may have any of them in it.
func parseProcess(stat string) process {
	open, end := strings.Index(stat, "("), strings.LastIndex(stat, ")")
	fields := strings.Fields(stat[end+1:])
	pid, _ := strconv.Atoi(strings.TrimSpace(stat[:open]))
	parent, _ := strconv.Atoi(fields[1])
	threads, _ := strconv.Atoi(fields[17])
	return process{
		pid: pid, parent: parent, name: stat[open+1 : end], started: fields[19], ended: fields[0] == "Z", threads: threads,
	}
}

// family is a process and all that came of it and still has a parent in it.
func family(root int) []process {
	all := processes()
	members := map[int]bool{root: true}
	for grown := true; grown; {
		grown = false
		for _, one := range all {
			if members[one.parent] && !members[one.pid] {
				members[one.pid], grown = true, true
			}
		}
	}
	var found []process
	for _, one := range all {
		if members[one.pid] && !one.ended {
			found = append(found, one)
		}
	}
	return found
}

// alive reports whether that very process still runs.
func (p process) alive() bool {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	if err != nil {
		return false
	}
	now := parseProcess(string(content))
	return now.started == p.started && !now.ended
}

// maps reports whether a file whose name has this in it is mapped into the process.
func (p process) maps(name string) bool {
	content, _ := os.ReadFile(fmt.Sprintf("/proc/%d/maps", p.pid))
	return bytes.Contains(content, []byte(name))
}

// listening reports whether somebody listens on a port of 127.0.0.1; it makes no connection, which a
// TLS server would complain of.
func listening(port int) bool {
	const listen = "0A"
	content, _ := os.ReadFile("/proc/net/tcp")
	address := fmt.Sprintf("0100007F:%04X", port)
	for line := range strings.Lines(string(content)) {
		fields := strings.Fields(line)
		if len(fields) > 3 && fields[1] == address && fields[3] == listen {
			return true
		}
	}
	return false
}
