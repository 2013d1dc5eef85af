package grid

import (
	"io"
	"strings"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/text"
)

// Fold returns a writer for lines of text, each written whole. On a terminal a line that is longer than it is wide goes on below, indented;
// elsewhere it is what it was.
func Fold(w io.Writer) io.Writer {
	if width := Width(w); width > 0 {
		return folder{w, width}
	}
	return w
}

// Reflow lays the paragraphs of a text out anew where lines have fewer characters than it was written for; 0 is without end. What is
// indented stays.
func Reflow(s string, width int) string {
	if width == 0 || text.LongestLineLen(s) <= width {
		return s
	}
	blocks := strings.Split(s, "\n\n")
	for i, block := range blocks {
		if !strings.HasPrefix(block, " ") && !strings.Contains(block, "\n ") {
			blocks[i] = fold(strings.ReplaceAll(block, "\n", " "), width, "")
		}
	}
	return strings.Join(blocks, "\n\n")
}

type folder struct {
	to    io.Writer
	width int
}

func (f folder) Write(p []byte) (int, error) {
	lines := strings.SplitAfter(string(p), "\n")
	for i, line := range lines {
		lines[i] = fold(line, f.width, strings.Repeat(" ", len(line)-len(strings.TrimLeft(line, " "))+4))
	}
	if _, err := io.WriteString(f.to, strings.Join(lines, "")); err != nil {
		return 0, err
	}
	return len(p), nil
}

// fold breaks a line at its spaces; what goes on below begins with indent. A word that is too long by itself is left to the terminal.
func fold(line string, width int, indent string) string {
	var b strings.Builder
	for utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > width {
		head := string([]rune(line)[:width+1])
		cut := strings.LastIndex(head, " ")
		if strings.TrimSpace(head[:cut+1]) == "" {
			break
		}
		b.WriteString(strings.TrimRight(head[:cut], " ") + "\n")
		line = indent + strings.TrimLeft(line[cut:], " ")
	}
	return b.String() + line
}
