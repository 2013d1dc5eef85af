package schemas

const colIndexID = "index_id"

const (
	opsSchema  = "ops"
	userSchema = "user"
)

// Names of the columns every vendor table carries after its own.
const (
	ColTarget        = "target"
	ColTargetAsGiven = "target_as_given"
	ColScope         = "scope"
	ColRank          = "rank"
	ColRunDate       = "run_date"
	ColExtra         = "extra"
)

// Where the columns that Builder fills in row by row stand among the common ones.
const rankAt, extraAt = 3, 11

// common is the tail of every vendor table, in the contract's order. Builder relies on it.
var common = []Column{
	{Name: ColTarget, Type: String, Meaning: "the target as sent; null where the endpoint has none", Source: "job spec, normalised"},
	{Name: ColTargetAsGiven, Type: String, Meaning: "the target as the spec spelled it", Source: "job spec"},
	{Name: ColScope, Type: String, Meaning: "scope or mode of the target", Source: "job spec"},
	{Name: ColRank, Type: Int64, Required: true, Unit: "position", Meaning: "position in the vendor's order, from 1; contiguous per run, extract, target and scope", Source: "backhaul"},
	{Name: "job", Type: String, Required: true, Meaning: "the job the row was bought by", Source: "job spec"},
	{Name: "extract", Type: String, Required: true, Meaning: "the job's extract", Source: "job spec"},
	{Name: "run_id", Type: String, Required: true, Meaning: "the run that bought the row; see ops.runs", Source: "backhaul"},
	{Name: ColRunDate, Type: Date, Required: true, Meaning: "the logical date of the run", Source: "command line"},
	{Name: "surface", Type: String, Required: true, Meaning: "the vendor's API that delivered the row: v2, rpc, v3", Source: "job spec"},
	{Name: "fetched_at", Type: Timestamp, Required: true, Meaning: "when the row's reply arrived, UTC", Source: "backhaul"},
	{Name: "page_seq", Type: Int32, Required: true, Unit: "position", Meaning: "the place of the row's reply in its list, from 0; with run, extract and target it leads to ops.pages", Source: "backhaul"},
	{Name: ColExtra, Type: String, Meaning: "JSON object of response fields this table does not know; null if none", Source: "vendor response"},
}
