package harness

import (
	"path/filepath"
	"testing"
)

// threadSanitizerOptions leave the signal handlers alone: ours are not to be called before the sanitizer has
// begun. What libssl does cannot be judged, since it was compiled without the sanitizer.
const threadSanitizerOptions = "TSAN_OPTIONS=use_sigaltstack=0:handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigfpe=0:" +
	"handle_sigill=0:handle_sigtrap=0:suppressions="

// ThreadSanitized compiles the program under ThreadSanitizer and says how to run it with a library whose C part is
// under it too. What the sanitizer finds it says on standard error.
func (p Program) ThreadSanitized(t testing.TB) Command {
	t.Helper()
	root := Root(t)
	p.Flags = append(p.Flags, "-fsanitize=thread")
	command := p.Command(t, Libssl)
	command.Preload = []string{SanitizerRuntime(t, "tsan"), threadSanitizedLibrary(t, root)}
	command.Env = append(command.Env, threadSanitizerOptions+filepath.Join(root, "tests", "harness", "thread-sanitizer.suppressions"))
	return command
}

// threadSanitizedLibrary is libsslcache.so with its C part under ThreadSanitizer, made now if it is not up to date.
func threadSanitizedLibrary(t testing.TB, root string) string {
	t.Helper()
	const library = "build/tsan/libsslcache.so"
	Make(t, "BUILD=build/tsan", "CFLAGS=-O1 -g", "SANITIZE=-fsanitize=thread", library)
	return filepath.Join(root, library)
}
