package main

import (
	"image/color"
	"math"
	"path/filepath"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

var (
	colorOfLibssl = color.RGBA{R: 0xc0, G: 0x39, B: 0x2b, A: 0xff}
	colorOfOurs   = color.RGBA{R: 0x1f, G: 0x61, B: 0x8d, A: 0xff}
	dashes        = []vg.Length{vg.Points(5), vg.Points(3)}
)

// curve is one line of a picture.
type curve struct {
	title  string
	points plotter.XYs
	side   side
	dashed bool
}

// addPoint leaves out what was not measured.
func (c *curve) addPoint(x int, y float64) {
	if !math.IsNaN(y) {
		c.points = append(c.points, plotter.XY{X: float64(x), Y: y})
	}
}

func (c *curve) draw(p *plot.Plot) error {
	if len(c.points) == 0 {
		return nil
	}
	line, points, err := plotter.NewLinePoints(c.points)
	if err != nil {
		return err
	}
	line.Color = colorOfOurs
	if c.side == libssl {
		line.Color = colorOfLibssl
	}
	line.Width = vg.Points(1.5)
	if c.dashed {
		line.Dashes = dashes
	}
	points.Color = line.Color
	p.Add(line, points)
	p.Legend.Add(c.title, line, points)
	return nil
}

// logScale spreads an axis by powers of ten.
func logScale(axis *plot.Axis) {
	axis.Scale = plot.LogScale{}
	axis.Tick.Marker = plot.LogTicks{Prec: -1}
}

func ticksAt(values []int, label func(int) string) plot.ConstantTicks {
	var ticks plot.ConstantTicks
	for _, value := range values {
		ticks = append(ticks, plot.Tick{Value: float64(value), Label: label(value)})
	}
	return ticks
}

func highest(curves []*curve) float64 {
	most := 0.0
	for _, c := range curves {
		for _, point := range c.points {
			most = max(most, point.Y)
		}
	}
	return most
}

func save(p *plot.Plot, curves []*curve, file string) error {
	p.Add(plotter.NewGrid())
	p.Legend.Top, p.Legend.Left, p.Legend.Padding = true, true, vg.Points(3)
	for _, c := range curves {
		if err := c.draw(p); err != nil {
			return err
		}
	}
	return p.Save(18*vg.Centimeter, 11*vg.Centimeter, file)
}

func (r results) sessionCurves() []*curve {
	var curves []*curve
	for _, order := range []string{"equal", "mixed"} {
		sizes := equalSizes
		if order == "mixed" {
			sizes = mixedSizes
		}
		for _, s := range bothSides {
			c := &curve{title: s.String() + ", " + order + " timeouts", side: s, dashed: order == "mixed"}
			for _, sessions := range sizes {
				c.addPoint(sessions, r.median(operationsName(order, sessions), "add", s))
			}
			curves = append(curves, c)
		}
	}
	return curves
}

func (r results) threadCurves() []*curve {
	var curves []*curve
	for _, contexts := range []string{"one", "own"} {
		where := ", one context"
		if contexts == "own" {
			where = ", a context for each thread"
		}
		for _, s := range bothSides {
			c := &curve{title: s.String() + where, side: s, dashed: contexts == "own"}
			for _, threads := range threadCount {
				c.addPoint(threads, r.median(threadsName(contexts, threads), "add", s))
			}
			curves = append(curves, c)
		}
	}
	return curves
}

func newPlot(title string) *plot.Plot {
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	p := plot.New()
	p.Title.Text = title
	return p
}

func drawPlots(r results, folder string) error {
	sessions := newPlot("One add to a cache, one thread")
	sessions.X.Label.Text = "sessions that the cache holds"
	sessions.Y.Label.Text = "nanoseconds"
	logScale(&sessions.X)
	sessions.X.Tick.Marker = ticksAt(equalSizes, size)
	logScale(&sessions.Y)
	curves := r.sessionCurves()
	sessions.Y.Max = 50 * highest(curves) // room for the legend, here and below
	if err := save(sessions, curves, filepath.Join(folder, "performance-sessions.svg")); err != nil {
		return err
	}
	threads := newPlot("Adds by several threads")
	threads.X.Label.Text = "threads"
	threads.Y.Label.Text = "nanoseconds of time passed for an add"
	threads.X.Tick.Marker = ticksAt(threadCount, strconv.Itoa)
	threads.Y.Min = 0
	curves = r.threadCurves()
	threads.Y.Max = 1.4 * highest(curves)
	return save(threads, curves, filepath.Join(folder, "performance-threads.svg"))
}
