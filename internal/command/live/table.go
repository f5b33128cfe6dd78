package live

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"libsslcache/internal/command/report"
	"libsslcache/internal/command/summary"
	"libsslcache/internal/command/trace"
)

// View is what processes answered at one moment, and at the moment before.
type View struct {
	Processes []*Process
	Before    []*Process // nil: nobody was asked before
	Passed    time.Duration
}

// WriteTable writes a line for each process, or, for a single process that was asked for, for each of
// its contexts.
func (v View) WriteTable(target io.Writer, contexts bool) error {
	table := tabwriter.NewWriter(target, 0, 0, 2, ' ', tabwriter.AlignRight)
	names := []string{"PID", "PROGRAM", "UPTIME", "CONTEXTS"}
	if contexts {
		names = []string{"CONTEXT", "LIMIT", "TIMEOUT", "TICKETS"}
	}
	names = append(names, "HELD", "PEAK", "STORED", "FOUND", "BY-PROGRAM", "MISSED", "EVICTED", "EXPIRED", "REMOVED", "HANDSHAKES", "RESUMED")
	if v.Before != nil {
		names = append(names, "HANDSHAKES/S", "LOOK-UPS/S")
	}
	names = append(names, "OPENED", "REFUSED") // tickets
	fmt.Fprintln(table, strings.Join(names, "\t")+"\t")
	for _, process := range v.Processes {
		v.writeProcess(table, process, contexts)
	}
	return table.Flush()
}

func (v View) writeProcess(table io.Writer, process *Process, contexts bool) {
	before := v.before(process)
	if !contexts {
		head := []string{strconv.Itoa(process.ID), process.Program, report.Seconds(process.Uptime), strconv.Itoa(len(process.Contexts))}
		var earlier trace.Counters
		if before != nil {
			earlier = before.Total()
		}
		v.writeRow(table, head, process.Total(), earlier)
		return
	}
	for i := range process.Contexts {
		sslContext := &process.Contexts[i]
		head := []string{
			strconv.Itoa(sslContext.ID), limit(sslContext.Limit), report.Seconds(float64(sslContext.Timeout)), onOff(sslContext.Tickets),
		}
		v.writeRow(table, head, sslContext.own(), before.context(sslContext.ID))
	}
}

func (v View) before(process *Process) *Process {
	for _, earlier := range v.Before {
		if earlier.ID == process.ID {
			return earlier
		}
	}
	return nil
}

func (p *Process) context(id int) trace.Counters {
	if p == nil {
		return trace.Counters{}
	}
	for _, sslContext := range p.Contexts {
		if sslContext.ID == id {
			return sslContext.own()
		}
	}
	return trace.Counters{}
}

// own are the counters without those of the parent.
func (c *Context) own() trace.Counters {
	own := c.Counters
	own.Sums = c.Own()
	return own
}

func (v View) writeRow(table io.Writer, head []string, now, before trace.Counters) {
	handshakes := now.Handshakes()
	cells := head
	for _, number := range []uint64{
		now.Number, now.Peak, now.Stored, now.Found, now.CallbackHits, now.MissedByAll(), now.Evicted, now.Expired, now.Removed, handshakes,
	} {
		cells = append(cells, strconv.FormatUint(number, 10))
	}
	cells = append(cells, rate(now.Hits, handshakes))
	if v.Before != nil {
		cells = append(cells,
			v.perSecond(handshakes, before.Handshakes()),
			v.perSecond(now.Found+now.Missed, before.Found+before.Missed))
	}
	for _, number := range []uint64{now.TicketsOpened, now.TicketsRefused()} {
		cells = append(cells, strconv.FormatUint(number, 10))
	}
	fmt.Fprintln(table, strings.Join(cells, "\t")+"\t")
}

func (v View) perSecond(now, before uint64) string {
	if now < before || v.Passed <= 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", float64(now-before)/v.Passed.Seconds())
}

func rate(part, whole uint64) string {
	if whole == 0 {
		return "-"
	}
	return summary.Part{Number: part, Of: whole}.String()
}

func limit(number uint64) string {
	if number == 0 {
		return "none"
	}
	return strconv.FormatUint(number, 10)
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
