//go:build !amd64 && !arm64

package direct

// Fill answers that there is no table: on this architecture all calls go the usual way.
func Fill(*Table) bool { return false }
