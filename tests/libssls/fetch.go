package libssls

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// What of a suite of Debian makes one version of libssl. The first package is libssl itself.
type origin struct {
	suite        string
	packages     []string
	architecture string // where it is not this machine's
}

var origins = map[string]origin{
	"1.1.1": {"bullseye", []string{"libssl1.1", "libssl-dev"}, ""},
	"3.0":   {"bookworm", []string{"libssl3", "libssl-dev"}, ""},
	"3.5":   {"trixie", []string{"libssl3t64", "libssl-dev", "libzstd1", "zlib1g"}, ""},
	"3.6":   {"sid", []string{"libssl3t64", "libssl-dev", "libzstd1", "zlib1g"}, ""},
	"4.0":   {"experimental", []string{"libssl4", "libssl-dev/experimental", "libzstd1", "zlib1g"}, ""},
	Debian11: {
		"bullseye",
		[]string{"libssl1.1", "libssl-dev", "libc6", "libc6-dev", "libcrypt1", "libcrypt-dev", "linux-libc-dev", "libgcc-s1"},
		"",
	},
}

// of returns what a version is made of. A libssl that is newer than the system's needs a newer libc, and brings it;
// an older one is content with the system's.
func of(version string) (origin, error) {
	native, isOnARM64 := strings.CutSuffix(version, onARM64)
	origin, known := origins[native]
	if !known {
		return origin, fmt.Errorf("no suite is known to have libssl %q", version)
	}
	if isOnARM64 {
		origin.packages, origin.architecture = append(slices.Clone(origin.packages), "libc6", "openssl"), "arm64"
		return origin, nil
	}
	if slices.Index(Versions, version) > slices.Index(Versions, System()) {
		origin.packages = append(slices.Clone(origin.packages), "libc6")
	}
	return origin, nil
}

// packageFile holds the version of the package that was unpacked; it is written last.
const packageFile = "package"

// unpacked returns the folder with a version's packages, fetching them if they are not there yet.
func unpacked(ctx context.Context, version string, origin origin) (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	base := filepath.Join(root, "build", "libssl")
	if err := os.MkdirAll(base, 0o755); err != nil {
		return "", err
	}
	unlock, err := lock(ctx, filepath.Join(base, version+".lock"))
	if err != nil {
		return "", err
	}
	defer unlock()

	folder := filepath.Join(base, version)
	if _, err := os.Stat(filepath.Join(folder, packageFile)); err == nil {
		return folder, nil
	}
	if err := os.RemoveAll(folder); err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(base, version+".*")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(work) }()
	if err := fetch(ctx, work, version, origin); err != nil {
		return "", err
	}
	return folder, os.Rename(filepath.Join(work, "root"), folder)
}

// lock keeps two test programs from fetching the same version at a time.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	locked := make(chan error, 1)
	go func() { locked <- syscall.Flock(int(file.Fd()), syscall.LOCK_EX) }()
	select {
	case err = <-locked:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), file.Close())
	}
	return func() { _ = file.Close() }, nil
}

// fetch leaves the unpacked packages in work/root.
func fetch(ctx context.Context, work, version string, origin origin) error {
	debs, err := Download(ctx, work, origin.suite, origin.architecture, origin.packages)
	if err != nil {
		return err
	}
	root := filepath.Join(work, "root")
	for _, deb := range debs {
		if err := run(ctx, work, "dpkg-deb", "-x", deb, root); err != nil {
			return err
		}
	}
	if err := joinHeaders(filepath.Join(root, "usr", "include")); err != nil {
		return err
	}
	if err := mergeUsr(ctx, root); err != nil {
		return err
	}
	if err := pointLoaderHome(root); err != nil {
		return err
	}
	return mark(ctx, work, version, origin)
}

// Download returns the files of packages of a suite, fetched into the folder work; without an architecture, of this
// machine's. apt works in a tree of its own there, knows only the suite that is asked for, and checks its signatures
// as ever.
func Download(ctx context.Context, work, suite, architecture string, packages []string) ([]string, error) {
	work, err := filepath.Abs(work)
	if err != nil {
		return nil, err
	}
	sources, err := Sources(suite)
	if err != nil {
		return nil, err
	}
	for _, folder := range []string{"state/lists/partial", "cache/archives/partial", "debs", "root"} {
		if err := os.MkdirAll(filepath.Join(work, folder), 0o755); err != nil {
			return nil, err
		}
	}
	for name, text := range map[string]string{"suite.sources": sources, "status": ""} {
		if err := os.WriteFile(filepath.Join(work, name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	debs := filepath.Join(work, "debs")
	options := aptOptions(work, architecture)
	if err := run(ctx, debs, "apt-get", append(options, "--error-on=any", "update")...); err != nil {
		return nil, err
	}
	if err := run(ctx, debs, "apt-get", append(append(options, "download"), packages...)...); err != nil {
		return nil, err
	}
	return filepath.Glob(filepath.Join(debs, "*.deb"))
}

func aptOptions(work, architecture string) []string {
	options := []string{
		"-q",
		"-o", "Dir::Etc::SourceList=" + filepath.Join(work, "suite.sources"),
		"-o", "Dir::Etc::SourceParts=-",
		"-o", "Dir::Etc::Preferences=-",
		"-o", "Dir::Etc::PreferencesParts=-",
		"-o", "Dir::State=" + filepath.Join(work, "state"),
		"-o", "Dir::State::status=" + filepath.Join(work, "status"),
		"-o", "Dir::Cache=" + filepath.Join(work, "cache"),
		"-o", "APT::Sandbox::User=",
		// A mirror that stands still is good enough for a test: who signed it is checked all the same.
		"-o", "Acquire::Check-Valid-Until=false",
		"-o", "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
		"-o", "Acquire::Languages=none",
	}
	if architecture != "" {
		options = append(options, "-o", "APT::Architecture="+architecture, "-o", "APT::Architectures="+architecture)
	}
	return options[:len(options):len(options)]
}

// joinHeaders puts the headers that Debian keeps for each architecture beside the others.
func joinHeaders(include string) error {
	headers, err := filepath.Glob(filepath.Join(include, "*", "openssl", "*.h"))
	if err != nil {
		return err
	}
	for _, header := range headers {
		if err := os.Rename(header, filepath.Join(include, "openssl", filepath.Base(header))); err != nil {
			return err
		}
	}
	return nil
}

// mergeUsr puts the folders that an older suite has beside usr into it, and makes links in their place, as an installed
// system has them; a newer suite's packages have neither.
func mergeUsr(ctx context.Context, root string) error {
	for _, name := range []string{"lib", "lib64"} {
		folder, merged := filepath.Join(root, name), filepath.Join(root, "usr", name)
		if _, err := os.Stat(folder); err == nil {
			if err := errors.Join(os.MkdirAll(merged, 0o755), run(ctx, root, "cp", "-a", folder+"/.", merged), os.RemoveAll(folder)); err != nil {
				return err
			}
		}
		if _, err := os.Stat(merged); err != nil {
			continue
		}
		if err := os.Symlink(filepath.Join("usr", name), folder); err != nil {
			return err
		}
	}
	return nil
}

// pointLoaderHome makes a link to the dynamic loader one that leads to the unpacked file, not to the system's.
func pointLoaderHome(root string) error {
	loaders, err := filepath.Glob(filepath.Join(root, "usr", "lib*", "ld-linux-*.so.*"))
	if err != nil {
		return err
	}
	for _, loader := range loaders {
		target, err := os.Readlink(loader)
		if err != nil || !filepath.IsAbs(target) {
			continue
		}
		if err := errors.Join(os.Remove(loader), os.Symlink(filepath.Join("..", "..", target), loader)); err != nil {
			return err
		}
	}
	return nil
}

// mark checks that the suite has the version that we took it for, and writes it down.
func mark(ctx context.Context, work, version string, origin origin) error {
	deb, err := only(work, "debs/"+origin.packages[0]+"_*.deb")
	if err != nil {
		return err
	}
	answer, err := exec.CommandContext(ctx, "dpkg-deb", "-f", deb, "Version").Output()
	if err != nil {
		return fmt.Errorf("version of %s: %w", deb, err)
	}
	if number, _, _ := strings.Cut(version, "-"); !strings.HasPrefix(string(answer), number) {
		return fmt.Errorf("%s has libssl %s now", origin.suite, strings.TrimSpace(string(answer)))
	}
	return os.WriteFile(filepath.Join(work, "root", packageFile), answer, 0o644)
}

func run(ctx context.Context, folder, program string, arguments ...string) error {
	command := exec.CommandContext(ctx, program, arguments...)
	command.Dir = folder
	answer, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", program, arguments[len(arguments)-1], err, answer)
	}
	return nil
}

// moduleRoot is the folder with go.mod, above the folder that we run in.
func moduleRoot() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; folder != filepath.Dir(folder); folder = filepath.Dir(folder) {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder, nil
		}
	}
	return "", errors.New("no go.mod above the working folder")
}
