// Package printable makes what comes from outside safe to show on a terminal: no byte of a program's name, of a
// trace or of a socket's answer may move the cursor, or worse.
package printable

import (
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text returns the text with every character that is not for reading written as an escape of Go, such as \x1b.
// Line ends stay.
func Text(text string) string {
	if !strings.ContainsFunc(text, isUnprintable) && utf8.ValidString(text) {
		return text
	}
	var safe strings.Builder
	for len(text) > 0 {
		letter, size := utf8.DecodeRuneInString(text)
		if isUnprintable(letter) || letter == utf8.RuneError {
			quoted := strconv.QuoteToASCII(text[:size])
			safe.WriteString(quoted[1 : len(quoted)-1])
		} else {
			safe.WriteRune(letter)
		}
		text = text[size:]
	}
	return safe.String()
}

func isUnprintable(letter rune) bool { return letter != '\n' && !unicode.IsPrint(letter) }

// Line is Text in one line: line ends are escaped too.
func Line(text string) string { return strings.ReplaceAll(Text(text), "\n", `\n`) }

// JSON hands JSON on with every character that is not for reading, which only its strings may have, written as an
// escape of JSON. Each call of Write must end with whole characters, as those of an encoder do.
func JSON(target io.Writer) io.Writer { return escaper{target} }

type escaper struct{ target io.Writer }

func (e escaper) Write(piece []byte) (int, error) {
	text := string(piece)
	if !strings.ContainsFunc(text, isUnprintable) {
		return e.target.Write(piece)
	}
	var safe strings.Builder
	for _, letter := range text {
		switch {
		case !isUnprintable(letter):
			safe.WriteRune(letter)
		case letter > 0xffff: // as a pair of surrogates
			letter -= 0x10000
			writeEscape(&safe, 0xd800+letter>>10)
			writeEscape(&safe, 0xdc00+letter&0x3ff)
		default:
			writeEscape(&safe, letter)
		}
	}
	if _, err := io.WriteString(e.target, safe.String()); err != nil {
		return 0, err
	}
	return len(piece), nil
}

func writeEscape(safe *strings.Builder, letter rune) {
	const digits = "0123456789abcdef"
	safe.WriteString(`\u`)
	for shift := 12; shift >= 0; shift -= 4 {
		safe.WriteByte(digits[letter>>shift&0xf])
	}
}
