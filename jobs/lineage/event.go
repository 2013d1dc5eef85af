package lineage

import (
	"net/url"
	"path/filepath"
	"strings"
	"time"
)

// Where the standard's schemas are: of events, and of what can be said of runs, jobs and data sets beside.
const (
	core   = "https://openlineage.io/spec/2-0-2/OpenLineage.json"
	facets = "https://openlineage.io/spec/facets/"
)

// event is a RunEvent of the standard.
type event struct {
	EventType string    `json:"eventType"`
	EventTime time.Time `json:"eventTime"`
	Run       ofRun     `json:"run"`
	Job       ofJob     `json:"job"`
	Inputs    []dataset `json:"inputs"`
	Outputs   []dataset `json:"outputs"`
	Producer  string    `json:"producer"`
	SchemaURL string    `json:"schemaURL"`
}

type ofRun struct {
	RunID  string           `json:"runId"`
	Facets map[string]facet `json:"facets"`
}

type ofJob struct {
	Namespace string           `json:"namespace"`
	Name      string           `json:"name"`
	Facets    map[string]facet `json:"facets"`
}

// dataset is what is read or written.
type dataset struct {
	Namespace    string           `json:"namespace"`
	Name         string           `json:"name"`
	Facets       map[string]facet `json:"facets"`
	OutputFacets map[string]facet `json:"outputFacets,omitempty"`
}

// facet says something more of one of them.
type facet map[string]any

func (l *Lineage) facet(schema string, of facet) facet {
	of["_producer"], of["_schemaURL"] = l.producer, schema
	return of
}

func (l *Lineage) event(r Run, what string, tables []Table, at time.Time) event {
	e := event{EventType: what, EventTime: at.UTC(), Producer: l.producer, SchemaURL: core + "#/$defs/RunEvent", Inputs: []dataset{}, Outputs: []dataset{}}
	e.Run = ofRun{uuidOf(r.Execution), map[string]facet{
		"nominalTime":       l.facet(facets+"1-0-1/NominalTimeRunFacet.json", facet{"nominalStartTime": r.RunDate.UTC().Format(time.RFC3339)}),
		"processing_engine": l.facet(facets+"1-1-1/ProcessingEngineRunFacet.json", facet{"name": "backhaul", "version": l.version}),
	}}
	e.Job = ofJob{l.namespace, r.Job, map[string]facet{
		"jobType": l.facet(facets+"2-0-4/JobTypeJobFacet.json", facet{"processingType": "BATCH", "integration": "BACKHAUL", "jobType": "JOB"}),
	}}
	for _, s := range r.Sources {
		e.Inputs = append(e.Inputs, l.input(s))
	}
	for _, t := range tables {
		e.Outputs = append(e.Outputs, l.output(t))
	}
	return e
}

// input is an endpoint: its data sets are named after it, in a namespace for each host.
func (l *Lineage) input(s Source) dataset {
	at := &url.URL{Scheme: "https", Host: "unknown"}
	if u, err := url.Parse(strings.TrimSpace(s.URL)); err == nil && u.Host != "" {
		at = &url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	}
	vendor, _, _ := strings.Cut(s.Endpoint, "/")
	return dataset{Namespace: at.Scheme + "://" + at.Host, Name: s.Endpoint, Facets: map[string]facet{
		"dataSource": l.facet(facets+"1-0-1/DatasourceDatasetFacet.json", facet{"name": vendor + " " + s.Surface, "uri": at.String()}),
	}}
}

// output is a table, named by its directory as the standard names what lies in a file system.
func (l *Lineage) output(t Table) dataset {
	d := dataset{Namespace: "file", Name: filepath.ToSlash(t.Directory), Facets: map[string]facet{
		"schema": l.facet(facets+"1-2-0/SchemaDatasetFacet.json", facet{"fields": t.Fields}),
	}}
	if w := t.Written; w != nil {
		d.OutputFacets = map[string]facet{"outputStatistics": l.facet(facets+"1-0-2/OutputStatisticsOutputDatasetFacet.json",
			facet{"rowCount": w.Rows, "size": w.Bytes, "fileCount": 1})}
	}
	return d
}
