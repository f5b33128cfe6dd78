package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// What came of a fault.
const (
	noticed     = "noticed"
	survived    = "NOT NOTICED"
	notCompiled = "not compiled"
)

// A project is a copy of this one, which may be broken.
type project struct {
	folder    string
	allowance time.Duration            // beyond thrice what tests take without a fault, until they count as hanging
	bounds    map[string]time.Duration // how long tests may take, by their arguments
}

func newProject(folder string) *project {
	return &project{folder: folder, allowance: 30 * time.Second, bounds: map[string]time.Duration{}}
}

// newCopy copies what git knows of, as it is now, and builds it. What is there from an earlier run need not be
// built again. The folder is no part of this project: it has a go.mod.
func newCopy(ctx context.Context, folder string) (*project, error) {
	absolute, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	copied := newProject(absolute)
	if err := copyTo(absolute); err != nil {
		return nil, fmt.Errorf("copy the project: %w", err)
	}
	// What was fetched for the tests of this project is not fetched for those of the copy.
	if fetched, err := filepath.Abs("build/libssl"); err == nil {
		_ = os.MkdirAll(filepath.Join(absolute, "build"), 0o755)
		_ = os.Symlink(fetched, filepath.Join(absolute, "build", "libssl"))
	}
	if output, err := copied.make(ctx, library); ctx.Err() != nil {
		return nil, ctx.Err()
	} else if err != nil {
		return nil, fmt.Errorf("build the copy: %w\n%s", err, output)
	}
	return copied, nil
}

// copyTo writes the files that git knows of. One that is the same already stays as it is, and what make has made of it.
func copyTo(folder string) error {
	files, err := committed()
	if err != nil {
		return err
	}
	for _, file := range files {
		information, err := os.Lstat(file)
		if err != nil {
			continue // taken away, and not committed
		}
		if err := copyFile(file, filepath.Join(folder, file), information.Mode()); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if mode&os.ModeSymlink != 0 {
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		_ = os.Remove(to)
		return os.Symlink(target, to)
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if there, err := os.ReadFile(to); err == nil && bytes.Equal(there, content) {
		return nil
	}
	return os.WriteFile(to, content, mode.Perm())
}

// run runs a command in the copy. It can end no process but its own, and leaves none behind.
func (p *project) run(ctx context.Context, arguments ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, "unshare",
		append([]string{"--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", `"$@"; exit $?`, "sh"}, arguments...)...)
	command.Dir = p.folder
	command.WaitDelay = time.Second
	return command.CombinedOutput()
}

// judge breaks the place, finds out whether a test notices, and mends it again.
func (p *project) judge(ctx context.Context, place place) (outcome string, err error) {
	room := roomOf(place.file)
	if err := p.measure(ctx, room); err != nil {
		return "", err
	}
	path := filepath.Join(p.folder, place.file)
	content, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.WriteFile(path, content, 0o644)) }()
	if err := os.WriteFile(path, place.applied(content), 0o644); err != nil {
		return "", err
	}
	if !p.compiles(ctx, place.file, room) {
		return notCompiled, nil
	}
	for _, tests := range room.tests {
		if failed, _ := p.fails(ctx, tests); failed {
			return noticed, nil
		}
	}
	return survived, nil
}

func (p place) applied(content []byte) []byte {
	return bytes.Join([][]byte{content[:p.begin], []byte(p.text), content[p.end:]}, nil)
}

// compiles builds what has the file in it, and reports whether that can be done.
func (p *project) compiles(ctx context.Context, file string, room room) bool {
	if isGo(file) {
		if _, err := p.run(ctx, "go", "build", "./"+filepath.Dir(file)); err != nil {
			return false
		}
	}
	_, err := p.make(ctx, room.make)
	return err == nil
}

func (p *project) make(ctx context.Context, targets []string) ([]byte, error) {
	if len(targets) == 0 {
		return nil, nil
	}
	return p.run(ctx, append([]string{"make", "--no-print-directory"}, targets...)...)
}

// measure runs the tests of a room without a fault, if that was not done before: they must pass, and what they take
// then says how long is too long.
func (p *project) measure(ctx context.Context, room room) error {
	for _, tests := range room.tests {
		if p.bounds[tests] != 0 {
			continue
		}
		// What is built may still have the fault of before in it.
		if output, err := p.make(ctx, room.make); err != nil {
			return fmt.Errorf("build the copy: %w\n%s", err, output)
		}
		p.bounds[tests] = 10 * time.Minute
		started := time.Now()
		if failed, output := p.fails(ctx, tests); failed {
			return fmt.Errorf("without a fault, go test %s does not pass:\n%s", tests, output)
		}
		p.bounds[tests] = p.allowance + 3*time.Since(started)
	}
	return nil
}

// fails reports whether tests fail twice, since one failure may be due to a machine that has much to do; or do not end.
func (p *project) fails(ctx context.Context, tests string) (bool, []byte) {
	ctx, cancel := context.WithTimeout(ctx, p.bounds[tests])
	defer cancel()
	arguments := append([]string{"go", "test", "-count=1", "-failfast", "-vet=off"}, strings.Fields(tests)...)
	if _, err := p.run(ctx, arguments...); err == nil {
		return false, nil
	}
	output, err := p.run(ctx, arguments...)
	return err != nil, output
}
