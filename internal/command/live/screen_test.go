package live

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/stretchr/testify/require"
)

func TestWhatHasNoRoomIsCut(t *testing.T) {
	shown, _ := screen{}.Update(tea.WindowSizeMsg{Width: 20, Height: 2})
	lines := strings.Split(shown.(screen).text(), "\n")
	require.Len(t, lines, 2)
	require.Len(t, []rune(lines[0]), 20)
}

func TestAnEmptyScreenSaysWhatToDo(t *testing.T) {
	require.Contains(t, screen{}.text(), "--live")
}
