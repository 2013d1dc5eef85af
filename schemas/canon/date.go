package canon

import (
	"fmt"
	"strings"
	"time"
)

// Date returns the day s names as YYYY-MM-DD, with the space around it trimmed. No other spelling is accepted:
// 01/02/2026 is two different days.
func Date(s string) (string, error) {
	day, err := time.Parse(time.DateOnly, strings.TrimSpace(s))
	if err != nil {
		return "", fmt.Errorf("%q is no date: write YYYY-MM-DD", s)
	}
	return day.Format(time.DateOnly), nil
}
