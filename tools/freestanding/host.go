package main

import (
	"unsafe"

	"libsslcache/internal/host"
)

// hostCalls are the methods of host.Host, and where the function lies in struct core_host that C has for each.
var hostCalls = map[string]uintptr{
	"libsslcache/internal/host.(*Host).Map":   unsafe.Offsetof(host.Host{}.OnMap),
	"libsslcache/internal/host.(*Host).Unmap": unsafe.Offsetof(host.Host{}.OnUnmap),
	"libsslcache/internal/host.(*Host).Pause": unsafe.Offsetof(host.Host{}.OnPause),
}
