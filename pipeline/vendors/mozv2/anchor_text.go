package mozv2

// anchorText: anchor texts of followed external links to a target.
func anchorText() *report { return list("anchor_text") }
