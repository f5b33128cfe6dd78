package report

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// load is a made-up trace: workers of a server whose sessions come, are looked up and go.
type load struct {
	file    *bufio.Writer
	random  *rand.Rand
	moment  float64
	events  int
	next    int
	held    []session
	workers map[int]*worker
}

type session struct{ worker, id int }

type worker struct {
	number, stored, found, missed, removed, accepted int

	said float64
}

const startEvent = `{"time":%f,"process":%d,"thread":%d,"operation":"start","cause":"%s","parent":%d,` +
	`"format":"sslcache-trace","version":1,"program":"server","libsslcache":"0.1.0","libssl":"OpenSSL 3.0.22"}` + "\n"

// writeTrace writes a trace with so many events, the same in every run.
func writeTrace(t *testing.T, events int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trace.jsonl")
	file, err := os.Create(path)
	require.NoError(t, err)
	defer file.Close()
	made := &load{
		file: bufio.NewWriterSize(file, 1<<20), random: rand.New(rand.NewPCG(1, 2)), moment: 1764094312,
		workers: map[int]*worker{2: {}, 3: {}},
	}
	fmt.Fprintf(made.file, startEvent, made.moment, 1, 1, "exec", 0)
	for id := 2; id <= 3; id++ {
		fmt.Fprintf(made.file, startEvent, made.moment, id, id, "fork", 1)
	}
	for made.events = 3; made.events < events; {
		made.step()
	}
	require.NoError(t, made.file.Flush())
	return path
}

func (l *load) step() {
	l.moment += l.random.ExpFloat64() / 3000
	choice := l.random.Float64()
	switch {
	case choice < 0.3 || len(l.held) == 0:
		l.add(2 + l.random.IntN(2))
	case choice < 0.75:
		l.lookUp(l.held[l.random.IntN(len(l.held))])
	default:
		l.remove(l.random.IntN(len(l.held)))
	}
}

func (l *load) event(process, session int, operation, rest string) {
	fmt.Fprintf(l.file, `{"time":%f,"process":%d,"thread":%d,"operation":"%s","context":1,"session":"%016x","object":"%x",`+
		`%s,"caller":{"module":"server","symbol":"handshake"},"nanoseconds":%d}`+"\n",
		l.moment, process, process, operation, session, session, rest, 300+int(l.random.ExpFloat64()*900))
	l.events++
	if one := l.workers[process]; l.moment-one.said > 1 {
		one.said = l.moment
		l.count(process, one)
	}
}

func (l *load) count(process int, one *worker) {
	fmt.Fprintf(l.file, `{"time":%f,"process":%d,"thread":%d,"operation":"counters","context":1,"number":%d,"peak":%d,`+
		`"limit":20480,"stored":%d,"found":%d,"missed":%d,"replaced":0,"evicted":0,"expired":0,"removed":%d,`+
		`"accept":%d,"accept_good":%d,"hits":%d,"timeouts":0,"connect_good":0,"callback_hits":0,"timeout":300,"mode":2,`+
		`"tickets":false,"session_context":true}`+"\n",
		l.moment, process, process, one.number, one.number, one.stored, one.found, one.missed, one.removed,
		one.accepted, one.accepted, one.found)
	l.events++
}

func (l *load) add(process int) {
	l.next++
	l.held = append(l.held, session{worker: process, id: l.next})
	one := l.workers[process]
	one.number++
	one.stored++
	one.accepted++
	l.event(process, l.next, "add", `"outcome":"stored","cause":"handshake","timeout":300,"version":771`)
}

func (l *load) lookUp(known session) {
	one := l.workers[known.worker]
	one.found++
	one.accepted++
	l.event(known.worker, known.id, "lookup", `"outcome":"found"`)
}

func (l *load) remove(index int) {
	gone := l.held[index]
	l.held[index] = l.held[len(l.held)-1]
	l.held = l.held[:len(l.held)-1]
	one := l.workers[gone.worker]
	one.number--
	one.removed++
	l.event(gone.worker, gone.id, "remove", `"outcome":"removed","cause":"program"`)
}
