package grid

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
)

func sample(long string) *Table {
	t := New("name", "rows", "what it is")
	t.Typed([]string{"varchar", "bigint", "varchar"}, []bool{false, true, false})
	t.Add("links", 12, long)
	t.Add("anchors", 3456, "texts")
	return t
}

const sentence = "the links to a target with the metrics of the linking page and of the page that is linked to"

func TestATableFitsTheTerminal(t *testing.T) {
	t.Parallel()
	for _, width := range []int{200, 80, 60, 50, 30} {
		got := sample(sentence + " https://www.example.com/" + strings.Repeat("long/", 60) + " 日本語の文字").Within(width)
		if longest := text.LongestLineLen(got); longest > width {
			t.Errorf("within %d characters a line has %d:\n%s", width, longest, got)
		}
		for _, want := range []string{"anchors", "3456", "texts", "metrics", "linked"} {
			if !strings.Contains(got, want) {
				t.Errorf("within %d characters %q is lost:\n%s", width, want, got)
			}
		}
	}
}

func TestLongTextsAreWrappedWhileMuchOfThemIsOnALine(t *testing.T) {
	t.Parallel()
	if got := sample(sentence).Within(60); !strings.Contains(got, "│ links   │") || strings.Count(got, "\n") < 8 {
		t.Errorf("no table of wrapped cells:\n%s", got)
	}
}

func TestARowThatWouldBeTooNarrowBecomesABlock(t *testing.T) {
	t.Parallel()
	want := `─ 1 of 2 ───────────────────────────
name        links
rows        12
what it is  short
─ 2 of 2 ───────────────────────────
name        anchors
rows        3456
what it is  texts`
	if got := sample("short").Within(36); got == want {
		t.Errorf("a table that fits is torn apart:\n%s", got)
	}
	if got := sample("short").Within(28); strings.Contains(got, "│") || !strings.HasSuffix(got, "name        anchors\nrows        3456\nwhat it is  texts") {
		t.Errorf("no blocks:\n%s", got)
	}
}

func TestWhereThereIsNoTerminalARowIsOneLine(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	fmt.Fprintln(&out, sample(sentence).For(&out))
	if !strings.Contains(out.String(), "│ links   │     12 │ "+sentence+" │") {
		t.Errorf("%s", out.String())
	}
}

func TestAColumnCanBeTakenOut(t *testing.T) {
	t.Parallel()
	table := New("a", "b", "c")
	table.Add(1, 2, 3)
	table.Drop("b")
	if got := table.Within(0); strings.Contains(got, "2") || !strings.Contains(got, "│ 1 │ 3 │") {
		t.Errorf("%s", got)
	}
}

func TestSpareColumnsGoUntilARowFitsALine(t *testing.T) {
	t.Parallel()
	made := func() *Table {
		table := New("job", "run", "held", "rows", "rejected")
		table.Add("nightly", "01JABCDEFGHJKMNPQRSTVWXYZ0", 0, 100, "0")
		table.Add("monitor", "01JABCDEFGHJKMNPQRSTVWXYZ1", 5, 90, "0")
		table.Spare("run", "held", "rejected")
		return table
	}
	for width, want := range map[int]string{0: "job run held rows rejected", 200: "job run held rows rejected", 60: "job run held rows", 30: "job held rows", 18: "job rows"} {
		header := strings.Split(made().Within(width), "\n")[1]
		if got := strings.Join(strings.Fields(strings.ReplaceAll(header, "│", " ")), " "); got != want {
			t.Errorf("within %d characters: %s, want %s", width, got, want)
		}
	}
}
