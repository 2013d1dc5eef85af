package words

import "testing"

func TestNumbersOfThingsAreEnglish(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		Plural(1, "reply"): "1 reply", Plural(2, "reply"): "2 replies", Plural(0, "new reply"): "0 new replies", Plural(3, "query"): "3 queries",
		Plural(2, "day"): "2 days", Plural(2, "key"): "2 keys", Plural(1200, "unit"): "1,200 units", Are(1, "task"): "1 task is", Are(2, "reply"): "2 replies are",
		Duration(0.25): "0.2s", Duration(60): "1m", Duration(61): "1m1s", Duration(3600): "1h", Duration(5400): "1h30m", Duration(3601): "1h0m1s",
		Ordinal(1): "1st", Ordinal(2): "2nd", Ordinal(3): "3rd", Ordinal(4): "4th", Ordinal(11): "11th", Ordinal(12): "12th", Ordinal(22): "22nd", Ordinal(113): "113th",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
