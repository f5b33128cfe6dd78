package trace_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/command/trace"
)

const start = `{"time":1764094312.000001,"process":7,"thread":7,"operation":"start","cause":"exec",` +
	`"format":"sslcache-trace","version":1,"program":"nginx","libsslcache":"0.1.0","libssl":"OpenSSL 3.0.22"}` + "\n"

// read returns all events and the error that came instead of a further one.
func read(text string) ([]trace.Event, error) {
	reader := trace.NewReader(strings.NewReader(text))
	var events []trace.Event
	for {
		var event trace.Event
		if err := reader.Next(&event); err != nil {
			return events, err
		}
		events = append(events, event)
	}
}

func TestEventsAreReadWithAllTheirFields(t *testing.T) {
	events, err := read(start +
		`{"time":1764094312.5,"process":7,"thread":8,"operation":"add","context":2,"session":"0123456789abcdef",` +
		`"object":"1f","outcome":"stored","cause":"handshake","caller":{"module":"nginx","symbol":"+0x12"},` +
		`"nanoseconds":812,"role":"server","timeout":300,"version":772}` + "\n" +
		`{"time":1764094313,"process":7,"thread":9,"operation":"counters","context":2,"number":1,"peak":3,` +
		`"accept_good":5,"hits":4,"timeout":300,"mode":2,"tickets":true,"session_context":true,"inherited":{"hits":3}}` + "\n")
	require.ErrorIs(t, err, io.EOF)
	require.Len(t, events, 3)
	require.Equal(t, "nginx", events[0].Program)
	require.Equal(t, trace.Event{
		Time: 1764094312.5, Process: 7, Thread: 8, Operation: trace.Add, ContextID: 2, Session: "0123456789abcdef",
		Object: "1f", Outcome: "stored", Cause: "handshake", Caller: trace.Caller{Module: "nginx", Symbol: "+0x12"},
		Nanoseconds: 812, Version: 772, Counters: trace.Counters{Timeout: 300}, Role: trace.Server,
	}, events[1])
	require.Equal(t, trace.Counters{
		Number: 1, Peak: 3, Sums: trace.Sums{AcceptGood: 5, Hits: 4}, Timeout: 300, Mode: 2, Tickets: true,
		SessionContext: true, Inherited: trace.Sums{Hits: 3},
	}, events[2].Counters, "nothing is left of the event before")
}

func TestAnUnknownOperationOrFieldIsRead(t *testing.T) {
	events, err := read(start + `{"time":1,"process":7,"operation":"hibernate","temperature":4}` + "\n")
	require.ErrorIs(t, err, io.EOF)
	require.EqualValues(t, "hibernate", events[1].Operation)
}

func TestWhatIsNoTraceIsSaidWithItsLine(t *testing.T) {
	for name, test := range map[string]struct{ text, message string }{
		"another file":      {"root:x:0:0:root:/root:/bin/bash\n", "line 1: not a trace of libsslcache"},
		"without lines":     {"\x7fELF\x02\x01", "line 1: not a trace of libsslcache"},
		"one endless line":  {strings.Repeat("x", 1<<20), "line 1: not a trace of libsslcache"},
		"other JSON":        {`{"name":"x"}` + "\n", "line 1: not a trace of libsslcache"},
		"the middle of one": {`{"time":1,"operation":"add"}` + "\n", "line 1: not a trace of libsslcache"},
		"something between": {start + "Segmentation fault\n", `line 2: not an event but "Segmentation fault"`},
		"a later version":   {start + strings.Replace(start, `"version":1`, `"version":2`, 1), "line 2: version 2 of the format is unknown here, this command reads version 1"},
		"another format":    {strings.Replace(start, "sslcache-trace", "qlog", 1), `line 1: the format is "qlog" and not sslcache-trace`},
		"nothing":           {"", "it is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(test.text)
			require.ErrorContains(t, err, test.message)
			require.NotErrorIs(t, err, trace.ErrTruncated)
		})
	}
}

func TestEventsBeforeATruncatedLineAreGiven(t *testing.T) {
	events, err := read(start + start + `{"time":1764094`)
	require.Len(t, events, 2)
	require.ErrorIs(t, err, trace.ErrTruncated)
	require.EqualError(t, err, "line 3: the last line breaks off")
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("the disk is gone") }

func (failing) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }

func TestAnErrorOfTheSourceIsHandedOn(t *testing.T) {
	var event trace.Event
	require.EqualError(t, trace.NewReader(failing{}).Next(&event), "the disk is gone")
}

func BenchmarkNext(b *testing.B) {
	line := `{"time":1764094312.5,"process":7,"thread":8,"operation":"add","context":2,"session":"0123456789abcdef",` +
		`"object":"1f","outcome":"stored","cause":"handshake","caller":{"module":"nginx","symbol":"ngx_ssl"},` +
		`"nanoseconds":812,"timeout":300,"version":772}` + "\n"
	reader := trace.NewReader(io.MultiReader(strings.NewReader(start), strings.NewReader(strings.Repeat(line, b.N))))
	b.SetBytes(int64(len(line)))
	var event trace.Event
	for range b.N {
		if err := reader.Next(&event); err != nil {
			b.Fatal(fmt.Sprint(err))
		}
	}
}
