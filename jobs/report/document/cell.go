package document

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"backhaul/pipeline/words"
)

// mostText bounds a text in a table, in characters: what is longer is cut, and says so by an ellipsis.
const mostText = 200

// cell spells a value of a column: nil, string, int64 or float64.
func cell(k Kind, value any) Cell {
	switch v := value.(type) {
	case nil:
		return Cell{}
	case int64:
		return Cell{Text: words.Count(v), Sort: strconv.FormatInt(v, 10)}
	case float64:
		return Cell{Text: fmt.Sprintf("%.1f %%", v*100), Sort: strconv.FormatFloat(v, 'f', 6, 64)}
	case string:
		c := Cell{Text: shorten(v)}
		if k == Address {
			c.Link = link(v)
		}
		return c
	}
	return Cell{Text: shorten(fmt.Sprint(value))}
}

func shorten(text string) string {
	letters := []rune(text)
	if len(letters) <= mostText {
		return text
	}
	return string(letters[:mostText]) + "…"
}

// link is where a page or host is found, "" if that is not an address of the web.
func link(page string) string {
	if !strings.HasPrefix(page, "http://") && !strings.HasPrefix(page, "https://") {
		page = "https://" + page
	}
	u, err := url.Parse(page)
	if err != nil || u.Host == "" || u.User != nil || !strings.Contains(u.Hostname(), ".") {
		return ""
	}
	return u.String()
}

// row spells the values of one row of a table.
func (t *Table) row(values ...any) {
	cells := make([]Cell, len(t.Columns))
	for i := range cells {
		cells[i] = cell(t.Columns[i].Kind, values[i])
	}
	t.Rows = append(t.Rows, cells)
}

// text is a value that is text, "" for null.
func text(value any) string {
	s, _ := value.(string)
	return s
}

// number is a value that is a number, 0 for null.
func number(value any) int64 {
	n, _ := value.(int64)
	return n
}
