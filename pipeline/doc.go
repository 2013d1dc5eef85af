// Package pipeline is the dictionary of the house: the nouns every room speaks of and the contracts at the
// joints between them. It implements nothing but small pure methods and knows no implementation.
//
//	jobs.Spec ──plan──▶ Task ──Fetch──▶ Page ──Append──▶ journal ──Decode──▶ Arrow batch ──▶ Parquet ──▶ lake ──▶ catalog
//
// Data walks from left to right once. Only Fetch costs money, and a Page is durable before anything else
// happens to it.
package pipeline
