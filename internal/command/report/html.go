package report

import (
	_ "embed"
	"html/template"
	"io"
	"strings"
	"time"
)

//go:embed page/page.html.tmpl
var pageTemplate string

//go:embed page/page.css
var pageStyle string

//go:embed page/page.js
var pageScript string

//go:embed page/uplot/uPlot.min.css
var chartStyle string

//go:embed page/uplot/uPlot.iife.min.js
var chartScript string

//go:embed page/uplot/LICENSE
var chartLicence string

// page is what the template shows.
type page struct {
	*Report
	Title       string
	Begin       string
	Length      float64 // seconds
	Rate        string
	Style       template.CSS
	ChartStyle  template.CSS
	Script      template.JS
	ChartScript template.JS
}

var functions = template.FuncMap{
	"seconds": Seconds,
	"nanoseconds": func(value any) string {
		switch number := value.(type) {
		case int64:
			return Seconds(float64(number) * 1e-9)
		case float64:
			return Seconds(number * 1e-9)
		default:
			return ""
		}
	},
	"words": spaced,
	"join":  func(names []string) string { return strings.Join(names, ", ") },
}

// WriteHTML writes the report as one page that needs nothing else to be looked at.
func (r *Report) WriteHTML(target io.Writer) error {
	shown := page{
		Report: r, Title: strings.Join(r.Programs, ", "), Length: r.End - r.Begin, Rate: "–",
		Begin: time.UnixMicro(int64(r.Begin * 1e6)).UTC().Format("2006-01-02 15:04:05 UTC"),
		Style: template.CSS(pageStyle), ChartStyle: template.CSS(chartStyle),
		Script: template.JS(pageScript), ChartScript: template.JS("/*!\n" + chartLicence + "*/\n" + chartScript),
	}
	if rate, known := r.Summary.Rate(); known {
		shown.Rate = rate.String()
	}
	return template.Must(template.New("page").Funcs(functions).Parse(pageTemplate)).Execute(target, shown)
}
