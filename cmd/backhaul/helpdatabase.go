package main

// databaseText is what `backhaul help database` says.
const databaseText = `Ledger and journals are files of the warehouse, for the processes of one machine. In a PostgreSQL database (14 and later) they
serve the hosts that share a vendor account:

  BACKHAUL_DATABASE=postgres://user:password@host:5432/name

It can be given as BACKHAUL_DATABASE_FILE or BACKHAUL_DATABASE_COMMAND, as credentials are, and the password is shown nowhere. The
user must be allowed to make schemas: backhaul, backhaul_fleet, and backhaul/JOB/DATE for each run. One database is one
warehouse's account.

Budgets count what all hosts spend, and the requests of all hosts keep to the job's rate together; connections are each
host's own. A run is one host's at a time. A host that dies or stands still loses it after half a minute: then another can go on,
and the first writes nothing more and ends with status 75. While the database does not answer nothing is bought; replies
that were paid for by then are kept in the warehouse's folder kept, status is 75, and the next run on that host
enters them first.

` + "`backhaul migrate`" + ` moves the books of a warehouse from its files into the database, and with --to-files back. A note in the warehouse,
database.txt, says where they are: a command that does not look there refuses to go on, as it would buy everything anew.

The lake is each host's own folder, unless that is shared or in an object store ('backhaul help lake'): a night that another host has bought comes there by
` + "`backhaul replay`" + `. A pooler between them has to pool sessions.
`
