package pipeline

import "testing"

func TestImportedPagesHaveAPlaceOfTheirOwn(t *testing.T) {
	if first := ImportedAt(0); first != "" || first.Imported() {
		t.Errorf("the first is at %q", first)
	}
	if a, b := ImportedAt(50), ImportedAt(51); a == b || !a.Imported() || !b.Imported() {
		t.Errorf("%q, %q", a, b)
	}
	for _, c := range []Cursor{"50", "KIkQVg4s9ak8", `{"step":1}`} {
		if c.Imported() {
			t.Errorf("%q is a vendor's", c)
		}
	}
}
