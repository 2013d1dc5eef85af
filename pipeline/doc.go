// Package pipeline is the dictionary of the house: the nouns every room speaks of and the contracts at the
// joints between them. It implements nothing but small pure methods and knows no implementation.
//
//	jobs.Spec ──plan──▶ Task ──Fetch──▶ Page ──Append──▶ journal ──Decode──▶ Arrow batch ──▶ Parquet ──▶ lake ──▶ catalog
//
// Data walks from left to right once. Only Fetch costs money, and a Page is durable before anything else
// happens to it.
//
// # Words
//
// One word, one meaning:
//
//   - vendor: somebody who sells link data; surface: one API of a vendor; endpoint: one report of a surface; source: an endpoint
//     that can be bought from and read.
//   - target: what a request is about, a host or page; source, of a link: the page it stands on. Where both meanings of source
//     could be meant, the Go type [Source] is the former and [Input].Source the latter.
//   - job: one spec; run: one execution of a job for one run date, however many processes it takes; execution: one of those.
//   - extract: one entry of a job; task: one extract for one target, or for one batch of inputs; [Input]: one of those.
//   - page: one reply that was paid for, kept as it was received; messages to people say request or reply.
//   - list: all rows that a vendor has for a task; chain: the pages of one reading of it, from its start; cursor: where the next
//     page of a chain begins; place: how far a task has come, its cursor included.
//   - attempt: a request that yielded no page.
//   - unit: what a vendor counts and charges; price: the rule for what a request costs; cost: an amount of pages, rows and units.
//   - granted: what the ledger allows a run to spend; reserved: what requests under way may cost of it; spent: what pages cost;
//     held: what requests without an answer may have cost, until somebody knows; charged: what of that was; settled: said of
//     either, when it is known; others: who else uses the account.
//   - waste: rows that came again; rejected: rows that do not fit their table; overlap: rows that a source had to ask for again.
//   - whole: said of a list whose end was reached; complete: of a task that has all it asks for; stuck: of one that is not asked
//     for again until somebody wants it.
//   - journal: the pages of a run; ledger: what spans runs; lake: the Parquet files; catalog: the views over them; warehouse: all
//     of it.
package pipeline
