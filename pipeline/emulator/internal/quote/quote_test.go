package quote

import (
	"encoding/json"
	"testing"
)

func TestWhatIsQuotedIsTheSameTextInJSON(t *testing.T) {
	for _, s := range []string{"", `a "b" \ c`, "tab\tline\nnul\x00", "žluťoučký 登山靴 \U0001f40e", "<a>&'\u2028"} {
		var back string
		if err := json.Unmarshal(Append([]byte(" "), s), &back); err != nil || back != s {
			t.Errorf("%q became %q, %v", s, back, err)
		}
	}
}
