package grid

import (
	"strings"
	"testing"
)

func TestALongLineGoesOnBelowIndented(t *testing.T) {
	t.Parallel()
	const path = "/a/very/long/path/without/any/space/in/it"
	for line, want := range map[string]string{
		"  short\n": "  short\n",
		"  anchors   moz/anchor_text   3 targets, expected at least 150 rows\n": "  anchors   moz/anchor_text\n      3 targets, expected at\n      least 150 rows\n",
		"  file " + path + "\n":            "  file\n      " + path + "\n",
		path + "\n":                        path + "\n",
		"exactly thirty characters long\n": "exactly thirty characters long\n",
	} {
		var out strings.Builder
		if _, err := (folder{&out, 30}).Write([]byte(line)); err != nil || out.String() != want {
			got := out.String()
			t.Errorf("%q becomes %q, want %q", line, got, want)
		}
	}
}

func TestParagraphsAreLaidOutAnewAndWhatIsIndentedStays(t *testing.T) {
	t.Parallel()
	const written = "a paragraph of two lines, of which\nthe first is longer\n\n  indented, and longer than the lines may be\n\nshort"
	const want = "a paragraph of two lines,\nof which the first is\nlonger\n\n  indented, and longer than the lines may be\n\nshort"
	if got := Reflow(written, 25); got != want {
		t.Errorf("%q", got)
	}
	for _, width := range []int{0, 80} {
		if got := Reflow(written, width); got != written {
			t.Errorf("within %d: %q", width, got)
		}
	}
}
