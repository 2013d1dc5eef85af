// Package iceberg keeps the tables of a warehouse in an object store, each as an Apache Iceberg table: it is the origin that the lake of
// every host is a copy of ([lake.Origin]).
//
// A table's current snapshot is the only truth about which objects are the table. A change uploads what comes under names that are used
// once, and then replaces exactly the files that go by exactly those that came, in one commit to the catalog, on condition that the table
// is still at the snapshot the change was worked out from. What is uploaded and never committed is in no snapshot, and [Store.Collect]
// removes it a day later. Since a name is never used again, nothing that somebody is about to commit can be taken for a leftover.
//
// An object is called like the file of the lake, which is known by its content, with the upload's own id before the ending. Tables are
// partitioned by the month of run_date. The Parquet files have no field ids: the table's name mapping says which column is which.
//
// The catalog is tables in the PostgreSQL database of the warehouse's books (as Iceberg's JDBC catalogs have them), or any REST catalog.
// What package brings is large, so it is built with the tag fleet alone.
package iceberg
