package grid

import "testing"

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
		if got := fold(line, 30); got != want {
			t.Errorf("%q becomes %q, want %q", line, got, want)
		}
	}
}
