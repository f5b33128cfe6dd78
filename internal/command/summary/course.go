package summary

import "libsslcache/internal/command/trace"

// Point is what happened in one stretch of time.
type Point struct {
	Time float64 `json:"time"` // seconds since 1970, of the start
	Held uint64  `json:"held"` // sessions at the end of the stretch
	Totals

	seen bool // Held was set
}

// mostPoints bounds the points: a screen shows no more.
const mostPoints = 1000

// firstWidth is the width of a stretch, in seconds, until there are too many.
const firstWidth = 0.05

// course cuts the time of a trace into stretches. They get wider as it gets longer.
type course struct {
	begin float64
	width float64
	cut   []Point
}

func newCourse() *course { return &course{width: firstWidth} }

func (c *course) observe(event *trace.Event, change trace.Sums, held uint64) {
	if len(c.cut) == 0 {
		c.begin = event.Time
	}
	point := c.at(event.Time)
	point.Held, point.seen = held, true
	point.Connections += change.Handshakes()
	point.Resumed += change.Hits
	point.count(event)
}

// at returns the stretch of a moment. Processes write past each other: what is too early is of the first.
func (c *course) at(moment float64) *Point {
	passed := max(0, moment-c.begin)
	for passed >= c.width*mostPoints {
		c.widen()
	}
	index := int(passed / c.width)
	for len(c.cut) <= index {
		c.cut = append(c.cut, Point{})
	}
	return &c.cut[index]
}

func (c *course) widen() {
	half := c.cut[:0]
	for i := 0; i < len(c.cut); i += 2 {
		slice := c.cut[i]
		if i+1 < len(c.cut) {
			slice.join(c.cut[i+1])
		}
		half = append(half, slice)
	}
	c.cut = half
	c.width *= 2
}

func (p *Point) join(later Point) {
	if later.seen {
		p.Held, p.seen = later.Held, true
	}
	p.Totals = p.plus(later.Totals)
}

// points returns each stretch its time, and what was held before where nothing happened.
func (c *course) points() []Point {
	all := make([]Point, len(c.cut))
	var held uint64
	for i, slice := range c.cut {
		if !slice.seen {
			slice.Held = held
		}
		held = slice.Held
		slice.Time = c.begin + float64(i)*c.width
		all[i] = slice
	}
	return all
}
