package ahrefsv3

// batchAnalysis: a whole row costs 92 units. Source: Ahrefs OpenAPI 3.0.0, batch-analysis/batch-analysis.
var batchAnalysis = &Report{
	Name: "batch_analysis", Path: "batch-analysis/batch-analysis", Envelope: "targets", Kind: Batch,
	Meaning: "metrics of up to 100 targets at once",
	Fields:  fieldsOf("batch_analysis"),
}
