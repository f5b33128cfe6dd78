// Command emptycall is a library with one function that does nothing: what a call from C to Go costs
// at least on this machine.
package main

import "C"

//export empty_call
func empty_call() {} //nolint:revive // the name is C's

func main() {}
