package summary

import (
	"fmt"
	"math/bits"
)

// Part is so many of so many.
type Part struct{ Number, Of uint64 }

// Below reports whether the part is smaller than another. Of none it is 0.
func (p Part) Below(other Part) bool {
	// Both sides multiplied by both wholes, in 128 bits.
	high, low := bits.Mul64(p.Number, max(1, other.Of))
	otherHigh, otherLow := bits.Mul64(other.Number, max(1, p.Of))
	return high < otherHigh || high == otherHigh && low < otherLow
}

// String is the part in percent. It is never rounded up to one that was not reached.
func (p Part) String() string {
	high, low := bits.Mul64(min(p.Number, p.Of), 1000)
	thousandths, _ := bits.Div64(high, low, max(1, p.Of))
	if thousandths%10 == 0 && low == thousandths*p.Of {
		return fmt.Sprintf("%d%%", thousandths/10)
	}
	return fmt.Sprintf("%d.%d%%", thousandths/10, thousandths%10)
}
