package main

// fleetText is what `backhaul help fleet` says.
const fleetText = `One machine is enough for most accounts: what a vendor allows in a day, one process buys with a few percent of a core. Three things make
a fleet of it, each for a need of its own, in this order. Each works without those after it, and can be left again.

1. PostgreSQL, where several hosts, or several teams, share a vendor's account or its budget.
   brings  one account of money, pages and rate for all hosts; a run goes on on another host half a minute after its own died
   costs   a server with backups, and half a millisecond of its CPU for a small reply; a run whose database is away waits
   how     BACKHAUL_DATABASE, then 'backhaul migrate'; back with --to-files. See 'backhaul help database'.

2. An object store, where several hosts publish, or where Spark, Trino or Snowflake read.
   brings  one lake for all hosts, no host that must not be lost, tables of Apache Iceberg with their history
   costs   the build backhaul-fleet, a copy of the lake on each host, and a commit for each table of a run
   needs   1

3. Temporal, where the hosts are to buy for one run together, or somebody wants to see, stop and repeat runs in one place.
   brings  lists that move to another host when theirs dies, at the cost of the replies under way; a schedule in place of cron
   costs   a server of its own with a database, and the build backhaul-fleet
   how     'backhaul worker' on every host, 'backhaul run --engine temporal' or 'backhaul schedule'. See 'backhaul help temporal'.
   needs   1; and 2, or a folder that hosts share, where more than one host is to carry runs out

What does not get faster: an account is asked as often as its rate allows, from one host or from a hundred. More hosts help where there
are many accounts, or where one host is too slow to load what was bought.

The recipes beside the program, in deploy of the release and jobs/deploy of the source: compose.yaml has all of it on one machine,
kubernetes has it for a cluster; README.md there says how to begin. What must last, wherever it runs: PostgreSQL's disk, the store, and
of each worker the folder kept of its copy of the warehouse, where replies are that were paid for while the database was away.
`
