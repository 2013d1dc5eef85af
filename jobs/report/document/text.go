package document

import (
	"fmt"
	"io"
	"strings"

	"backhaul/pipeline/words"
)

// mostLines is how many rows of a table stand in the text.
const mostLines = 10

// Text writes what matters most of the report in plain lines: its facts, what it cost, what is incomplete, and what each
// target comes to.
func (r *Report) Text(w io.Writer) error {
	var b strings.Builder
	b.WriteString(r.Title + "\n\n")
	for _, f := range r.Facts {
		fmt.Fprintf(&b, "%s: %s\n", f.Name, f.Value)
	}
	for _, s := range r.Sections {
		fmt.Fprintf(&b, "\n%s\n", s.Title)
		for _, line := range append([]string{s.Headline}, s.Notes...) {
			if line != "" {
				fmt.Fprintf(&b, "  %s\n", oneLine(line))
			}
		}
		for _, p := range s.Parts {
			fmt.Fprintf(&b, "  %s: %s\n", oneLine(p.Title), oneLine(p.Headline))
		}
		if len(s.Charts) == 0 {
			for _, t := range s.Tables {
				t.text(&b)
			}
		}
	}
	_, err := io.WriteString(w, b.String()+"\n"+r.Footer+"\n")
	return err
}

func (t *Table) text(b *strings.Builder) {
	fmt.Fprintf(b, "  %s\n", t.Title)
	shown := min(len(t.Rows), mostLines)
	for _, row := range t.Rows[:shown] {
		var cells []string
		for _, c := range row {
			if c.Text != "" {
				cells = append(cells, oneLine(c.Text))
			}
		}
		fmt.Fprintf(b, "    %s\n", strings.Join(cells, " | "))
	}
	if more := t.More + int64(len(t.Rows)-shown); more > 0 {
		fmt.Fprintf(b, "    and %s more\n", words.Count(more))
	}
}

// oneLine leaves nothing of a text that could begin a line of its own.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
