package pipeline

// Rejection is rows of a task, or of a run, that did not fit a table for one of their fields.
type Rejection struct {
	TaskID string `json:"-"`
	Table  string `json:"table"` // moz.anchor_text
	// Field is the field's name in the reply, "" where it is not one field alone.
	Field string `json:"field"`
	Rows  int64  `json:"rows"`
	// Reason is why the first of them does not fit.
	Reason string `json:"reason"`
}
