package sqlite

import "time"

// At is the time in UTC of microseconds since 1970, in which times are kept; the zero time for 0.
func At(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// Micros is the inverse of At.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
