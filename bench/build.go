package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// programs are the files that buildPrograms makes.
type programs struct {
	bench string // the C program that runs a case
	empty string // a library with nothing in it
}

func buildPrograms(folder string) (programs, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return programs{}, err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return programs{}, err
	}
	built := programs{
		bench: filepath.Join(folder, "bench"),
		empty: filepath.Join(folder, "empty.so"),
	}
	sources, err := filepath.Glob("bench/program/*.c")
	if err != nil {
		return programs{}, err
	}
	compile := append([]string{"-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror", "-o", built.bench}, sources...)
	compile = append(compile, "-lssl", "-lcrypto", "-pthread", "-ldl")
	if _, err := runTool("cc", compile...); err != nil {
		return programs{}, err
	}
	_, err = runTool("cc", "-shared", "-o", built.empty, "-x", "c", "/dev/null")
	return built, err
}

// runTool returns what the tool prints.
func runTool(name string, arguments ...string) (string, error) {
	output, err := exec.Command(name, arguments...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", name, err, output)
	}
	return string(output), nil
}
