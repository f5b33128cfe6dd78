//go:build race || debug

package host

// Checked reports whether bounds are checked: in tests, which run with -race, and in a debug build.
const Checked = true
