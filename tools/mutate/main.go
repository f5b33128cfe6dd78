// Command mutate breaks the code in one place after the other, and says which of these faults no test notices.
//
// The places are drawn by a seed, so that a run can be repeated: half of them in Go, half in C, of each kind of
// fault alike many. Each is made in a copy of the project, the copy is built, and the tests that are meant to
// notice run there, in a process namespace of their own: what a broken library leaves behind, or kills, is in
// there. So it is run as root.
//
// usage: go run ./tools/mutate [-number N] [-seed N] [-below FOLDER,...] [-in go|c] [-skip N] [-list]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	number := flag.Int("number", 120, "how many places are broken")
	seed := flag.Uint64("seed", 1, "what the places are drawn by")
	below := flag.String("below", "internal/,capi/,cshim", "where they are: the beginnings of files' names")
	in := flag.String("in", "go,c", "in which languages the places are")
	skip := flag.Int("skip", 0, "how many places of each language are left out, which were broken before")
	list := flag.Bool("list", false, "print the places, and break nothing")
	folder := flag.String("copy", "build/_mutate", "where the copy of the project is made")
	flag.Parse()

	files, err := sources(strings.Split(*below, ","))
	if err == nil {
		var plan plan
		if plan, err = newPlan(files, *seed, *number); err == nil {
			plan.cut(*in, *skip)
			err = plan.carryOut(*folder, *list)
		}
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "mutate: %v\n", err)
		os.Exit(1)
	}
}

// sources returns the files of the project in which places may be, those of tests left out.
func sources(below []string) ([]string, error) {
	all, err := committed()
	if err != nil {
		return nil, err
	}
	var files []string
	for _, file := range all {
		information, err := os.Lstat(file)
		if err != nil || !information.Mode().IsRegular() || strings.Contains(file, "/testdata/") {
			continue
		}
		for _, beginning := range below {
			if strings.HasPrefix(file, beginning) && (isC(file) || isGo(file)) {
				files = append(files, file)
			}
		}
	}
	return files, nil
}

// committed returns the files of the project that git knows of.
func committed() ([]string, error) {
	output, err := exec.Command("git", "ls-files", "-z").Output()
	if err != nil {
		return nil, fmt.Errorf("ask git for the files of the project: %w", err)
	}
	return strings.Split(strings.Trim(string(output), "\x00"), "\x00"), nil
}

// A part is the places of one language, in the order in which they are broken, and how many of them are.
type part struct {
	language string
	places   []place
	number   int
}

type plan []*part

// newPlan draws the places: half of the number in each language, as far as it has as many.
func newPlan(files []string, seed uint64, number int) (plan, error) {
	var inGo, inC []place
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if isC(file) {
			inC = append(inC, placesInC(file, string(content))...)
			continue
		}
		found, err := placesInGo(file, content)
		if err != nil {
			return nil, err
		}
		inGo = append(inGo, found...)
	}
	inGo, inC = draw(inGo, seed), draw(inC, seed)
	half := min(number/2, len(inGo))
	rest := min(number-half, len(inC))
	return plan{{"go", inGo, min(number-rest, len(inGo))}, {"c", inC, rest}}, nil
}

// cut leaves out the other languages, and the first places of each.
func (p plan) cut(languages string, skip int) {
	for _, part := range p {
		if !slices.Contains(strings.Split(languages, ","), part.language) {
			part.number = 0
		}
		skipped := min(skip, part.number)
		part.places, part.number = part.places[skipped:], part.number-skipped
	}
}

func (p plan) carryOut(folder string, list bool) error {
	if list {
		for _, part := range p {
			for _, place := range part.places[:part.number] {
				fmt.Println(place)
			}
		}
		return nil
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	copied, err := newCopy(ctx, folder)
	if err != nil {
		return err
	}
	return copied.breakAll(ctx, p)
}

// breakAll makes one fault after the other until as many as are wanted of each language were judged, and prints
// what came of each. One that does not compile is no fault, and another is taken in its place.
func (c *project) breakAll(ctx context.Context, plan plan) error {
	var survivors []string
	broken, refused, started := 0, 0, time.Now()
	for _, part := range plan {
		judged := 0
		for _, place := range part.places {
			if judged == part.number || ctx.Err() != nil {
				break
			}
			begun := time.Now()
			outcome, err := c.judge(ctx, place)
			if ctx.Err() != nil {
				break
			}
			if err != nil {
				return err
			}
			fmt.Printf("%-12s %4.0fs  %s\n", outcome, time.Since(begun).Seconds(), place)
			if outcome == notCompiled {
				refused++
				continue
			}
			judged++
			broken++
			if outcome == survived {
				survivors = append(survivors, place.String())
			}
		}
	}
	fmt.Printf("\nnoticed %d of %d faults in %s; %d more did not compile\n", broken-len(survivors), broken,
		time.Since(started).Round(time.Second), refused)
	if len(survivors) > 0 {
		fmt.Printf("not noticed:\n  %s\n", strings.Join(survivors, "\n  "))
	}
	return ctx.Err()
}

func isC(file string) bool { return strings.HasSuffix(file, ".c") || strings.HasSuffix(file, ".h") }

func isGo(file string) bool {
	return filepath.Ext(file) == ".go" && !strings.HasSuffix(file, "_test.go")
}
