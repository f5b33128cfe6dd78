// Command image is never run: tools/freestanding takes the functions that C calls from it.
package main

import "libsslcache/internal/direct"

func main() {
	for _, function := range direct.All {
		println(function != nil)
	}
}
