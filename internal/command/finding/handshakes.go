package finding

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"libsslcache/internal/command/registry"
	"libsslcache/internal/command/trace"
)

// fullHandshakes counts those of clients that could have been resumptions, by program and obstacle. Both
// come from a fixed list or the program's own name, so what it keeps is bounded.
type fullHandshakes struct {
	programs map[string]map[string]uint64
}

func newFullHandshakes() *fullHandshakes {
	return &fullHandshakes{programs: map[string]map[string]uint64{}}
}

func (f *fullHandshakes) observe(current *registry.Process, event *trace.Event) {
	if event.Operation != trace.ClientConnection || event.Outcome != "could_resume" {
		return
	}
	obstacles := f.programs[current.Program]
	if obstacles == nil {
		obstacles = map[string]uint64{}
		f.programs[current.Program] = obstacles
	}
	obstacle := strings.ReplaceAll(string(event.Cause), "_", " ")
	if _, known := obstacles[obstacle]; known || len(obstacles) < maxCallers {
		obstacles[obstacle]++
	}
}

func (*fullHandshakes) conclude(*registry.Process) {}

func (f *fullHandshakes) findings() []Finding {
	var found []Finding
	for _, program := range slices.Sorted(maps.Keys(f.programs)) {
		obstacles := f.programs[program]
		var count uint64
		for _, times := range obstacles {
			count += times
		}
		found = append(found, Finding{
			Kind: ClientCouldResume, Program: program, Count: count,
			Seen: fmt.Sprintf("%s to hosts to which a connection was open (%s)",
				number(count, "full handshake", "full handshakes"), ranked(obstacles)),
		})
	}
	return found
}

// ranked names the obstacles with how often each was met, the most frequent first.
func ranked(obstacles map[string]uint64) string {
	names := slices.SortedFunc(maps.Keys(obstacles), func(a, b string) int {
		return cmp.Or(cmp.Compare(obstacles[b], obstacles[a]), cmp.Compare(a, b))
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%s: %d", name, obstacles[name])
	}
	return strings.Join(names, ", ")
}
