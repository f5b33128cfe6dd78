package main

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
)

// turned is what becomes of an operator, and what kind of fault that is.
var turned = map[token.Token]struct{ operator, kind string }{
	token.EQL:  {"!=", "comparison"},
	token.NEQ:  {"==", "comparison"},
	token.LSS:  {"<=", "comparison"},
	token.LEQ:  {"<", "comparison"},
	token.GTR:  {">=", "comparison"},
	token.GEQ:  {">", "comparison"},
	token.LAND: {"||", "and, or"},
	token.LOR:  {"&&", "and, or"},
	token.ADD:  {"-", "arithmetic"},
	token.SUB:  {"+", "arithmetic"},
	token.INC:  {"--", "arithmetic"},
	token.DEC:  {"++", "arithmetic"},
}

// placesInGo returns the places of a Go file; none where the file is not for this machine.
func placesInGo(file string, content []byte) ([]place, error) {
	matches, err := build.Default.MatchFile(filepath.Split(file))
	if err != nil || !matches {
		return nil, err
	}
	set := token.NewFileSet()
	syntax, err := parser.ParseFile(set, file, content, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	finder := goFinder{file: file, content: string(content), set: set}
	ast.Inspect(syntax, finder.visit)
	return finder.places, nil
}

type goFinder struct {
	file    string
	content string
	set     *token.FileSet
	places  []place
}

func (f *goFinder) add(begin, end token.Pos, text, kind string) {
	f.places = append(f.places,
		newPlace(f.file, f.content, f.set.Position(begin).Offset, f.set.Position(end).Offset, text, kind))
}

func (f *goFinder) visit(node ast.Node) bool {
	switch node := node.(type) {
	case *ast.GenDecl:
		return node.Tok == token.VAR // imports and types have nothing to break; constants are used where they matter
	case *ast.BinaryExpr:
		if other, known := turned[node.Op]; known {
			f.add(node.OpPos, node.OpPos+token.Pos(len(node.Op.String())), other.operator, other.kind)
		}
	case *ast.IncDecStmt:
		f.add(node.TokPos, node.End(), turned[node.Tok].operator, turned[node.Tok].kind)
	case *ast.IfStmt:
		f.condition(node.Cond)
	case *ast.ExprStmt:
		if _, call := node.X.(*ast.CallExpr); call {
			f.add(node.Pos(), node.End(), "", "call left out")
		}
	case *ast.ReturnStmt:
		f.returned(node)
	case *ast.BasicLit:
		if value, err := strconv.ParseInt(node.Value, 0, 64); err == nil && node.Kind == token.INT {
			f.add(node.Pos(), node.End(), strconv.FormatInt(value+1, 10), "constant")
		}
	}
	return true
}

func (f *goFinder) condition(condition ast.Expr) {
	begin, end := f.set.Position(condition.Pos()).Offset, f.set.Position(condition.End()).Offset
	text := f.content[begin:end]
	f.add(condition.Pos(), condition.End(), fmt.Sprintf("(%s) || true", text), "condition true")
	f.add(condition.Pos(), condition.End(), fmt.Sprintf("(%s) && false", text), "condition false")
}

func (f *goFinder) returned(statement *ast.ReturnStmt) {
	for _, result := range statement.Results {
		name, is := result.(*ast.Ident)
		if !is {
			continue
		}
		switch name.Name {
		case "true":
			f.add(name.Pos(), name.End(), "false", "answer")
		case "false":
			f.add(name.Pos(), name.End(), "true", "answer")
		case "err":
			f.add(name.Pos(), name.End(), "nil", "answer")
		}
	}
}
