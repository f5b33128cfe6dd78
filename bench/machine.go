package main

import (
	"os/exec"
	"regexp"
	"runtime"
	"strings"
)

// machine is the class of machine and the versions, without anything that names this one.
type machine struct {
	Processor, Memory, Cores, System, Kernel, OpenSSL, Go, Compiler string
}

func output(name string, arguments ...string) string {
	out, err := exec.Command(name, arguments...).Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

func firstMatch(expression, text string) string {
	match := regexp.MustCompile(expression).FindStringSubmatch(text)
	if match == nil {
		return "unknown"
	}
	return match[1]
}

func readMachine() machine {
	return machine{
		Processor: firstMatch(`(?m)^model name\s*: (.*)$`, output("cat", "/proc/cpuinfo")),
		Cores:     output("nproc"),
		Memory:    firstMatch(`(?m)^Mem:\s+(\S+)`, output("free", "--human", "--si")),
		System:    firstMatch(`(?m)^PRETTY_NAME="(.*)"$`, output("cat", "/etc/os-release")),
		Kernel:    firstMatch(`^(\w+ \d+\.\d+)`, output("uname", "-sr")),
		OpenSSL:   firstMatch(`^(\S+ \S+)`, output("openssl", "version")),
		Go:        runtime.Version(),
		Compiler:  firstMatch(`(?m)^(.*)$`, output("cc", "--version")),
	}
}
