package main

import (
	"fmt"
	"regexp"
	"strconv"
)

var collectorLine = regexp.MustCompile(`(?m)^BenchmarkCollector\S*\s+\d+\s+([\d.]+) ns/op`)

// measureCollector asks the benchmark beside the cache: from C a collection cannot be timed.
func (r *runner) measureCollector() (measurements, error) {
	output, err := r.output(libssl, "go", "test", "-run", "^$", "-bench", "^BenchmarkCollector$", "./internal/cache")
	if err != nil {
		return nil, err
	}
	match := collectorLine.FindSubmatch(output)
	if match == nil {
		return nil, fmt.Errorf("no BenchmarkCollector in internal/cache")
	}
	nanoseconds, err := strconv.ParseFloat(string(match[1]), 64)
	return measurements{"collection": nanoseconds}, err
}
