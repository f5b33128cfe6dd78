package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"libsslcache/internal/store/keyfile"
)

// server is a redis-server on a Unix socket, and the key of what is put into it.
type server struct {
	command *exec.Cmd
	client  *redis.Client
	socket  string
	keys    string
}

func startServer(folder string) (*server, error) {
	s := &server{socket: filepath.Join(folder, "socket"), keys: filepath.Join(folder, "keys")}
	if err := os.WriteFile(s.keys, []byte(keyfile.Generate()+"\n"), 0o600); err != nil {
		return nil, err
	}
	s.command = exec.Command("redis-server", "--port", "0", "--unixsocket", s.socket, "--save", "", "--dir", folder)
	s.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	s.client = redis.NewClient(&redis.Options{Addr: s.socket})
	for range 1000 {
		if s.client.Ping(context.Background()).Err() == nil {
			return s, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.stop()
	return nil, fmt.Errorf("redis-server does not answer")
}

func (s *server) stop() {
	_ = s.command.Process.Signal(syscall.SIGTERM)
	_ = s.command.Wait()
}

func (s *server) address() string { return "unix://" + s.socket }

func (s *server) clear() error { return s.client.FlushAll(context.Background()).Err() }

// memory is what the server has in use, in bytes, and how many records it has.
func (s *server) memory() (used, records int64, err error) {
	ctx := context.Background()
	info, err := s.client.Info(ctx, "memory").Result()
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(info) {
		if value, found := strings.CutPrefix(line, "used_memory:"); found {
			_, err = fmt.Sscan(value, &used)
		}
	}
	if err != nil {
		return 0, 0, err
	}
	records, err = s.client.DBSize(ctx).Result()
	return used, records, err
}

// version is that of the server, such as 7.0.15.
func (s *server) version() string {
	info, _ := s.client.Info(context.Background(), "server").Result()
	for line := range strings.Lines(info) {
		if value, found := strings.CutPrefix(line, "redis_version:"); found {
			return strings.TrimSpace(value)
		}
	}
	return "of unknown version"
}
