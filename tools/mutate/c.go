package main

import (
	"regexp"
	"strconv"
)

// A rule finds places in C: what its first group matches becomes another text.
type rule struct {
	kind    string
	pattern *regexp.Regexp
	becomes func(string) string
}

// clang-format writes a space on both sides of a binary operator, and only there.
var rules = []rule{
	{"comparison", regexp.MustCompile(` (==|!=|<|<=|>|>=) `), oneOf("==", "!=", "<", "<=", ">", ">=")},
	{"and, or", regexp.MustCompile(` (&&|\|\|) `), oneOf("&&", "||")},
	{"arithmetic", regexp.MustCompile(` ([+-]) `), oneOf("+", "-")},
	{"arithmetic", regexp.MustCompile(`[\w\])](\+\+|--)`), oneOf("++", "--")},
	{"arithmetic", regexp.MustCompile(` ([+-]=) `), oneOf("+=", "-=")},
	{"constant", regexp.MustCompile(`[ (\[](\d+)\b[^'.]`), next},
	{"call left out", regexp.MustCompile(`(?m)^\s+(?:if \([^;]*\) )?(\w+\([^;{}]*\));$`), func(string) string { return "" }},
	{"answer", regexp.MustCompile(`return (true|false|0|1|NULL);`), answer},
}

// oneOf returns the function that makes of each of a pair the other.
func oneOf(pairs ...string) func(string) string {
	return func(text string) string {
		for i, operator := range pairs {
			if operator == text {
				return pairs[i^1]
			}
		}
		return text
	}
}

func next(text string) string {
	value, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		return text
	}
	return strconv.FormatUint(value+1, 10)
}

func answer(text string) string {
	return map[string]string{"true": "false", "false": "true", "0": "1", "1": "0", "NULL": "(void *)8"}[text]
}

// placesInC returns the places of a C file. What its preprocessor does with it is not known: definitions and
// what depends on other systems are left out with the lines of the preprocessor, as are comments and strings.
func placesInC(file, content string) []place {
	code := onlyCode(content)
	var places []place
	for _, rule := range rules {
		for _, match := range rule.pattern.FindAllStringSubmatchIndex(code, -1) {
			begin, end := match[2], match[3]
			if text := rule.becomes(code[begin:end]); text != code[begin:end] {
				places = append(places, newPlace(file, content, begin, end, text, rule.kind))
			}
		}
	}
	for _, match := range beginsCondition.FindAllStringIndex(code, -1) {
		begin, end := match[1], closing(code, match[1])
		if end < 0 {
			continue
		}
		places = append(places,
			newPlace(file, content, begin, end, "("+content[begin:end]+") || 1", "condition true"),
			newPlace(file, content, begin, end, "("+content[begin:end]+") && 0", "condition false"))
	}
	return places
}

var beginsCondition = regexp.MustCompile(`\bif \(`)

// closing returns where the parenthesis is that closes the one before begin, or -1.
func closing(code string, begin int) int {
	depth := 1
	for i := begin; i < len(code); i++ {
		switch code[i] {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 {
			return i
		}
	}
	return -1
}

// notCode is what no fault is made in: comments, strings, characters, sizes, and lines of the preprocessor with
// those that continue them.
var notCode = regexp.MustCompile(`(?s:/\*.*?\*/)|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|sizeof\([^()]*\)|(?m:^[ \t]*#(?:[^\n\\]|\\\n|\\.)*)`)

// onlyCode returns the content with everything else made blank, byte by byte, and every line where it was.
func onlyCode(content string) string {
	code := []byte(content)
	for _, found := range notCode.FindAllStringIndex(content, -1) {
		for i := found[0]; i < found[1]; i++ {
			if code[i] != '\n' {
				code[i] = ' '
			}
		}
	}
	return string(code)
}
