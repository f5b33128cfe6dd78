package live

import (
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/stretchr/testify/require"
)

func TestWhatHasNoRoomIsCut(t *testing.T) {
	shown, _ := screen{}.Update(tea.WindowSizeMsg{Width: 20, Height: 2})
	lines := strings.Split(shown.View(), "\n")
	require.Len(t, lines, 2)
	require.Len(t, []rune(lines[0]), 20)
}

func TestAnEmptyScreenSaysWhatToDo(t *testing.T) {
	require.Contains(t, screen{}.View(), "--live")
}
