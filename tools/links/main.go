// Command links checks the local links of Markdown documents: the file must be there, and the heading in
// it. Links to other hosts are not followed.
//
// usage: go run ./tools/links DOCUMENT...
package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

func main() {
	broken := false
	for _, path := range os.Args[1:] {
		complaints, err := check(path)
		if err != nil {
			complaints = append(complaints, err.Error())
		}
		for _, complaint := range complaints {
			fmt.Fprintf(os.Stderr, "%s: %s\n", path, complaint)
			broken = true
		}
	}
	if broken {
		os.Exit(1)
	}
}

// A document is what links need to know of a Markdown file.
type document struct {
	links    []string
	headings map[string]bool // by their anchors
}

func read(path string) (document, error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return document{}, err
	}
	markdown := goldmark.New(goldmark.WithExtensions(extension.Table),
		goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	found := document{headings: map[string]bool{}}
	err = ast.Walk(markdown.Parser().Parse(text.NewReader(source)), func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch node := node.(type) {
		case *ast.Link:
			found.links = append(found.links, string(node.Destination))
		case *ast.Image:
			found.links = append(found.links, string(node.Destination))
		case *ast.Heading:
			if anchor, named := node.AttributeString("id"); named {
				found.headings[string(anchor.([]byte))] = true
			}
		}
		return ast.WalkContinue, nil
	})
	return found, err
}

// check returns a complaint for each broken link of the document.
func check(path string) ([]string, error) {
	document, err := read(path)
	if err != nil {
		return nil, err
	}
	var complaints []string
	for _, link := range document.links {
		if err := follow(path, link); err != nil {
			complaints = append(complaints, fmt.Sprintf("link %q: %v", link, err))
		}
	}
	return complaints, nil
}

func follow(path, link string) error {
	target, err := url.Parse(link)
	if err != nil || target.Host != "" || target.Scheme != "" {
		return err
	}
	if target.Path != "" {
		path = filepath.Join(filepath.Dir(path), target.Path)
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("there is no %s", path)
	}
	if target.Fragment == "" {
		return nil
	}
	there, err := read(path)
	if err != nil {
		return err
	}
	if !there.headings[target.Fragment] {
		return fmt.Errorf("%s has no heading %q", path, target.Fragment)
	}
	return nil
}
