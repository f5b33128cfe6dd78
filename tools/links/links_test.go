package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBrokenLinksAreFound(t *testing.T) {
	complaints, err := check("testdata/document.md")
	require.NoError(t, err)
	require.Equal(t, []string{
		`link "missing.md": there is no testdata/missing.md`,
		`link "#elsewhere": testdata/document.md has no heading "elsewhere"`,
		`link "missing.svg": there is no testdata/missing.svg`,
		`link "document.md#elsewhere": testdata/document.md has no heading "elsewhere"`,
	}, complaints)
}

func TestDocumentThatIsNotThere(t *testing.T) {
	_, err := check("testdata/none.md")
	require.Error(t, err)
}
