package main

import (
	"image/color"
	"math"
	"path/filepath"

	"gonum.org/v1/plot"
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

func save(p *plot.Plot, curves []*curve, file string) error {
	p.Add(plotter.NewGrid())
	p.Legend.Top, p.Legend.Left = true, true
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

func drawPlots(r results, folder string) error {
	sessions := plot.New()
	sessions.Title.Text = "One add to a cache, one thread"
	sessions.X.Label.Text = "sessions that the cache holds"
	sessions.Y.Label.Text = "nanoseconds"
	logScale(&sessions.X)
	logScale(&sessions.Y)
	if err := save(sessions, r.sessionCurves(), filepath.Join(folder, "performance-sessions.svg")); err != nil {
		return err
	}
	threads := plot.New()
	threads.Title.Text = "Adds by several threads"
	threads.X.Label.Text = "threads"
	threads.Y.Label.Text = "nanoseconds of time passed for an add"
	threads.X.Tick.Marker = plot.ConstantTicks{{Value: 1, Label: "1"}, {Value: 2, Label: "2"}, {Value: 4, Label: "4"}}
	threads.Y.Min = 0
	return save(threads, r.threadCurves(), filepath.Join(folder, "performance-threads.svg"))
}
