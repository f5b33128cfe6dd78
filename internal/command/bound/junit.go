package bound

import (
	"encoding/xml"
	"fmt"
	"io"
)

type suite struct {
	XMLName  xml.Name `xml:"testsuite"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Seconds  string   `xml:"time,attr"`
	Cases    []test   `xml:"testcase"`
}

type test struct {
	Name    string   `xml:"name,attr"`
	Class   string   `xml:"classname,attr"`
	Failure *failure `xml:"failure,omitempty"`
}

type failure struct {
	Message string `xml:"message,attr"`
}

// WriteJUnit writes verdicts in the XML format of JUnit that CI systems read: a test for each, in a suite
// that is named after the program.
func WriteJUnit(target io.Writer, program string, seconds float64, verdicts []Verdict) error {
	document := suite{
		Name: "sslcache check " + program, Tests: len(verdicts), Failures: Broken(verdicts),
		Seconds: fmt.Sprintf("%.3f", seconds),
	}
	for _, verdict := range verdicts {
		current := test{Name: verdict.Name, Class: program}
		if verdict.Broken {
			current.Failure = &failure{Message: verdict.Says}
		}
		document.Cases = append(document.Cases, current)
	}
	if _, err := io.WriteString(target, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(target)
	encoder.Indent("", "  ")
	if err := encoder.Encode(document); err != nil {
		return err
	}
	_, err := io.WriteString(target, "\n")
	return err
}
