package main

// temporalText is what `backhaul help temporal` says.
const temporalText = `Workers on many hosts can buy for one run together. Temporal says who does what; ledger, journals and budgets are in a PostgreSQL
database, see ` + "`backhaul help database`" + `. The program that can do so is the release file backhaul-fleet.

  backhaul worker nightly.yaml                    on a host of the warehouse: plans, loads, publishes, and buys
  backhaul worker                                 on any other host: buys
  backhaul run nightly.yaml --engine temporal     orders the run and waits for it; exit statuses are those of run
  backhaul schedule nightly.yaml --cron '0 3 * * *'
  backhaul replay --job nightly --engine temporal has every run of the job loaded anew, several at once on every host of the warehouse

Where Temporal is, its own variables say: TEMPORAL_ADDRESS (host:port), TEMPORAL_NAMESPACE (default: default), TEMPORAL_API_KEY (also as
TEMPORAL_API_KEY_FILE or TEMPORAL_API_KEY_COMMAND), TEMPORAL_TLS, TEMPORAL_TLS_CLIENT_CERT_PATH, TEMPORAL_TLS_CLIENT_KEY_PATH,
TEMPORAL_TLS_SERVER_CA_CERT_PATH, TEMPORAL_TLS_SERVER_NAME. Every worker needs BACKHAUL_DATABASE, and the credentials of the vendors
that it is to buy from, which never pass through Temporal.

A run is the workflow backhaul/JOB/DATE; ordered twice it is the same one. A job's connections bound the lists that all hosts buy of it at once,
and its rate is kept to by all of them together. A worker that dies costs the replies it had under way and no more: its
lists go on elsewhere, from where they are in the journal. One that stands still and wakes writes nothing. To cancel the workflow, there or
by Ctrl-C here, is to stop the run: what is under way is entered, and the same run again goes on. Runs are found by BackhaulJob,
BackhaulRunDate, BackhaulVendor and BackhaulClient, which is the name of the settings' file (--config).

A replay is the workflow backhaul/JOB/DATE/replay, one for each run, of which an order has 64 under way at most; a host of the warehouse takes
half as many at once as it has cores, and two at least. When a worker dies another begins its replays anew. One that no second try mends, as where a
journal is damaged, is told at once and stops no other; one whose run another process has, or whose database or store is away, is tried again.

The hosts that carry out the runs of a job have to have its file and its lists alike, and one lake: a folder that they share, or a single
host. With --queue several warehouses share a Temporal.
`
