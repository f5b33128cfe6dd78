package main

import (
	"fmt"
	"math"
)

// unit writes a measured value (nanoseconds, bytes, or a plain number) as a reader wants it.
type unit func(value float64) string

func nanoseconds(value float64) string {
	switch {
	case value < 10e3:
		return fmt.Sprintf("%.0f ns", value)
	case value < 10e6:
		return fmt.Sprintf("%.1f µs", value/1e3)
	}
	return fmt.Sprintf("%.0f ms", value/1e6)
}

func milliseconds(value float64) string { return fmt.Sprintf("%.2f ms", value/1e6) }

func microseconds(value float64) string { return fmt.Sprintf("%.1f µs", value/1e3) }

func perSecond(value float64) string { return fmt.Sprintf("%.0f /s", 1e9/value) }

func bytesEach(value float64) string { return fmt.Sprintf("%.0f B", value) }

func megabytes(value float64) string { return fmt.Sprintf("%.1f MB", value/1e6) }

func ratios(value float64) string {
	if value < 0.1 {
		return fmt.Sprintf("%.4f ×", value)
	}
	return fmt.Sprintf("%.2f ×", value)
}

func counts(value float64) string { return fmt.Sprintf("%.0f", value) }

func (u unit) write(value float64) string {
	if math.IsNaN(value) {
		return "–"
	}
	return u(value)
}

// size writes a number of sessions.
func size(sessions int) string {
	if sessions >= million {
		return fmt.Sprintf("%d M", sessions/million)
	}
	return fmt.Sprintf("%d k", sessions/thousand)
}
