package grid

import (
	"io"
	"strings"
	"unicode/utf8"
)

// Fold returns a writer for lines of text, each written whole. On a terminal a line that is longer than it is wide goes on below, indented;
// elsewhere it is what it was.
func Fold(w io.Writer) io.Writer {
	if width := Width(w); width > 0 {
		return folder{w, width}
	}
	return w
}

type folder struct {
	to    io.Writer
	width int
}

func (f folder) Write(p []byte) (int, error) {
	lines := strings.SplitAfter(string(p), "\n")
	for i, line := range lines {
		lines[i] = fold(line, f.width)
	}
	if _, err := io.WriteString(f.to, strings.Join(lines, "")); err != nil {
		return 0, err
	}
	return len(p), nil
}

// fold breaks a line at its spaces. A word that is too long by itself is left to the terminal.
func fold(line string, width int) string {
	indent := strings.Repeat(" ", len(line)-len(strings.TrimLeft(line, " "))+4)
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
