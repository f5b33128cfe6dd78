package live

import (
	"fmt"
	"io"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"libsslcache/internal/command/printable"
)

// Source asks the processes that a screen shows.
type Source func() ([]*Process, []error)

// ShowScreen shows a table that refreshes, on the terminal, until the user has enough of it.
func ShowScreen(source Source, interval time.Duration, contexts bool, in io.Reader, out io.Writer) error {
	first := screen{source: source, interval: interval, contexts: contexts}
	_, err := tea.NewProgram(first, tea.WithInput(in), tea.WithOutput(out)).Run()
	return err
}

// screen is what is on the terminal.
type screen struct {
	source   Source
	interval time.Duration
	contexts bool
	view     View
	problems []error
	asked    time.Time
	height   int
	width    int
}

// answer is what the processes said.
type answer struct {
	processes []*Process
	problems  []error
	moment    time.Time
}

// Init asks for the first time.
func (s screen) Init() tea.Cmd { return s.ask }

func (s screen) ask() tea.Msg {
	processes, problems := s.source()
	return answer{processes: processes, problems: problems, moment: time.Now()}
}

// Update takes in what happened.
func (s screen) Update(message tea.Msg) (tea.Model, tea.Cmd) {
	switch happened := message.(type) {
	case tea.KeyPressMsg:
		switch happened.String() {
		case "q", "esc", "ctrl+c":
			return s, tea.Quit
		}
	case tea.WindowSizeMsg:
		s.width, s.height = happened.Width, happened.Height
	case answer:
		return s.take(happened), tea.Tick(s.interval, func(time.Time) tea.Msg { return s.ask() })
	}
	return s, nil
}

func (s screen) take(latest answer) screen {
	if !s.asked.IsZero() {
		s.view.Before, s.view.Passed = s.view.Processes, latest.moment.Sub(s.asked)
	}
	if s.view.Before == nil && !s.asked.IsZero() {
		s.view.Before = []*Process{}
	}
	s.view.Processes, s.problems, s.asked = latest.processes, latest.problems, latest.moment
	return s
}

// View draws the screen.
func (s screen) View() tea.View {
	view := tea.NewView(s.text())
	view.AltScreen = true
	return view
}

func (s screen) text() string {
	var text strings.Builder
	fmt.Fprintf(&text, "sslcache top, every %s, q to leave\n\n", s.interval)
	if len(s.view.Processes) == 0 {
		text.WriteString(nobody + "\n")
	} else {
		_ = s.view.WriteTable(&text, s.contexts)
	}
	for _, problem := range s.problems {
		fmt.Fprintln(&text, printable.Line(problem.Error()))
	}
	return s.cut(text.String())
}

const nobody = "No process serves its counters. Run one with --live, or SSLCACHE_LIVE=1."

// cut leaves out what has no room.
func (s screen) cut(text string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if s.height > 0 && len(lines) > s.height {
		lines = lines[:s.height]
	}
	for i, line := range lines {
		if letters := []rune(line); s.width > 0 && len(letters) > s.width {
			lines[i] = string(letters[:s.width])
		}
	}
	return strings.Join(lines, "\n")
}
