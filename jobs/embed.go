package jobs

import "embed"

// Files holds the ready-made jobs and the lists they name, for LoadFS.
//
//go:embed *.yaml *.csv
var Files embed.FS
