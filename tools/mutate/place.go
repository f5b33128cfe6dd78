package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// A place is where the code can be broken: in its file, what stands from begin to end becomes another text.
type place struct {
	file       string
	begin, end int
	text       string
	kind       string

	line   int
	before string // the line as it is, and as it becomes
	after  string
}

func (p place) String() string {
	return fmt.Sprintf("%s:%d: %s: %s  =>  %s", p.file, p.line, p.kind, p.before, p.after)
}

func newPlace(file, content string, begin, end int, text, kind string) place {
	lineBegin := strings.LastIndexByte(content[:begin], '\n') + 1
	lineEnd := len(content)
	if length := strings.IndexByte(content[end:], '\n'); length >= 0 {
		lineEnd = end + length
	}
	return place{
		file: file, begin: begin, end: end, text: text, kind: kind,
		line:   strings.Count(content[:begin], "\n") + 1,
		before: inOneLine(content[lineBegin:lineEnd]),
		after:  inOneLine(content[lineBegin:begin] + text + content[end:lineEnd]),
	}
}

func inOneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// draw puts the places into an order of chance, which the seed decides: of each kind one in turn, and none on a
// line of which there is one already.
func draw(places []place, seed uint64) []place {
	chance := rand.New(rand.NewPCG(seed, 0))
	chance.Shuffle(len(places), func(i, j int) { places[i], places[j] = places[j], places[i] })
	byKind := map[string][]place{}
	taken := map[string]bool{}
	for _, place := range places {
		line := fmt.Sprintf("%s:%d", place.file, place.line)
		if !taken[line] {
			taken[line] = true
			byKind[place.kind] = append(byKind[place.kind], place)
		}
	}
	var kinds []string
	for kind := range byKind {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	var drawn []place
	for turn := 0; ; turn++ {
		before := len(drawn)
		for _, kind := range kinds {
			if turn < len(byKind[kind]) {
				drawn = append(drawn, byKind[kind][turn])
			}
		}
		if len(drawn) == before {
			return drawn
		}
	}
}
