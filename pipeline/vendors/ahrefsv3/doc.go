// Package ahrefsv3 buys reports from Ahrefs' API v3 and reads them: one [pipeline.Source] per report.
//
// It owns the requests (parameters, key, going on), the meaning of Ahrefs' refusals and bills, and what is known of the
// reports offline: path, kind, filters, and what a request for them costs. Their fields with type, nullability and unit
// price are those of their tables, in package schemas. Facts, prices, reading and decoding need neither network nor key: see
// [Offline] and [Report.Price].
//
// A reply with status 200 that has an error in one of Ahrefs' two shapes instead of rows, of which no document tells, is an
// error of the kind its words say, and counts as maybe charged; an error beside rows makes the reply malformed.
//
// Source of the facts, where no other is named: Ahrefs' OpenAPI document, info.version 3.0.0, and Ahrefs' page "Limits and
// consumption" for the prices.
//
// # Lists without a cursor
//
// A list of v3 has no offset, no token and no total; a request brings at most as many rows as the plan allows: 100, 250,
// 500 or any number, and whether a larger `limit` is cut or refused is not documented. So the package makes a cursor of its
// own, a place, from what Ahrefs sorts and filters by.
//
// Every list is read in a total order: what the job asks for (without it, what makes a row important), then when a row was
// first seen, then the key. A page is followed by a filter for the rows at the place of its last row or behind it. The
// place is as coarse as it can be: the leading terms that are whole numbers, and one time or fraction. The rows that are
// equal in those come again, and are left out by what they are known by: their key where it is unique, else everything
// selected. As times are compared by the second and fractions within a band, what the vendor stores beyond what it prints
// does not matter there. This takes no string for more than equal to itself.
//
// Where more rows are equal in those terms than may come again (one in 64 of a page), the place is all terms, strings
// included, and how Ahrefs sorts strings and how it compares them are two unknowns. So before the list goes on at such a
// place it is probed: one row is asked for, the last by Ahrefs' order of those that Ahrefs' comparison puts before it. The
// proof: a row that going on would leave out is sorted behind what the page has up to the place, and compared as before it,
// so it is the row that comes, or one behind which that comes. Hence if what comes is held, nothing is left out. Rows that
// the comparison lets come twice are all on that page, whose rows the place remembers. If the row that comes is not held,
// order and comparison disagree, and strings are given up for the rows that are equal in the safe terms: from the place
// before on, which was proven, they are read by further whole numbers and a time. That is also the way out where more rows
// than a page has are equal in all terms. If those fields do not tell them apart either, the task fails and says so.
//
// The place is behind the last row but one, where that and the last row differ by letters or digits in more than case and
// marks: then the order cannot take a row that is still to come for equal to the place. Else it is with the last row.
//
// A reply that is shorter than its limit ends the list, unless its length may be a cap: see visit.ends. A cap that was met
// stays in the cursor, a limit that was refused with the client.
//
// What is proven, given what is assumed: no row is left out, no row comes twice, the first rows by the order asked for come
// first, whatever the order and the comparison of strings, whatever a plan caps, wherever nulls are sorted. Of a list that
// changes while it is read, every row is brought that stays and keeps its place in the order; where rows have no unique
// key, one whose other fields change at the very place may come twice.
//
// What is assumed: whole numbers and times are sorted and compared as such, times as far as the second that is printed,
// fractions as far as two digits; one reply is sorted by order_by; comparison of strings is transitive; where the last two rows
// of a page are nearly the same, strings that the order takes for equal are not parted by comparison; a cap is at least 100, and a multiple of ten or a power of two; filters on
// fields of the report pick rows and do not change them. The first is watched: the rows of a place must come again. Where
// too many do not, the task fails, and where only few places were needed a last request for one row decides.
//
// What it costs: the rows that come again, about one a page, and where places need strings, one row and at least 50 units
// more for each page. So where a key is bought alone the first_seen beside it may be worth its unit. Fields that the order
// needs are always selected.
package ahrefsv3
