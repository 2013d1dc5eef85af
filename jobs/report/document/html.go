package document

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"regexp"
	"strings"
)

//go:embed assets
var assets embed.FS

// Scripts of the file, in their order: Chartist draws the charts as SVG, which the style colours, so that light, dark and
// print need no second drawing; Sortable sorts tables by their headers, and lets the keyboard do it.
var scriptFiles = []string{"chartist.js", "sortable.js", "sortable.a11y.js", "report.js"}

// sourceMap is a line of a library by which a debugger would look for another file.
var sourceMap = regexp.MustCompile(`(?m)^//# sourceMappingURL=.*\n?`)

var (
	scripts []template.JS
	style   template.CSS
	layout  *template.Template
)

func init() {
	for _, name := range scriptFiles {
		scripts = append(scripts, template.JS(sourceMap.ReplaceAllString(asset(name), "")))
	}
	style = template.CSS(asset("report.css"))
	layout = template.Must(template.New("report.html").ParseFS(assets, "assets/report.html"))
}

// asset is a file that is built into the program.
func asset(name string) string {
	text, err := assets.ReadFile("assets/" + name)
	if err != nil {
		panic(err) // it is embedded
	}
	return string(text)
}

// policy allows the file's own scripts, its style, and nothing from anywhere else.
func policy() string {
	var hashes []string
	for _, s := range scripts {
		sum := sha256.Sum256([]byte(s))
		hashes = append(hashes, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
	return "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'; script-src " + strings.Join(hashes, " ")
}

// HTML writes the report as one file.
func (r *Report) HTML(w io.Writer) error {
	charts := r.charts()
	if charts == nil {
		charts = []Chart{}
	}
	err := layout.Execute(w, struct {
		*Report
		Policy  string
		Style   template.CSS
		Scripts []template.JS
		All     []Chart
	}{r, policy(), style, scripts, charts})
	if err != nil {
		return fmt.Errorf("write the report as HTML: %w", err)
	}
	return nil
}
