//go:build fleet

package iceberg

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	icesql "github.com/apache/iceberg-go/catalog/sql"
	"github.com/apache/iceberg-go/table"
	"github.com/google/go-cmp/cmp"

	"backhaul/sinks/lake"
)

// restCatalog serves a catalog by the part of Iceberg's REST protocol that warehouses use. It commits what it is sent and knows nothing of
// who sent it.
type restCatalog struct {
	behind catalog.Catalog
	token  string
}

func (s restCatalog) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+s.token {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/config", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"defaults": ice.Properties{}, "overrides": ice.Properties{}}, nil)
	})
	mux.HandleFunc("GET /v1/namespaces/{ns}", func(w http.ResponseWriter, r *http.Request) {
		p, err := s.behind.LoadNamespaceProperties(r.Context(), table.Identifier{r.PathValue("ns")})
		answer(w, map[string]any{"namespace": []string{r.PathValue("ns")}, "properties": p}, err)
	})
	mux.HandleFunc("POST /v1/namespaces", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Namespace table.Identifier }
		err := json.NewDecoder(r.Body).Decode(&in)
		answer(w, map[string]any{"namespace": in.Namespace, "properties": ice.Properties{}}, errors.Join(err, s.behind.CreateNamespace(r.Context(), in.Namespace, nil)))
	})
	mux.HandleFunc("POST /v1/namespaces/{ns}/tables", s.create)
	mux.HandleFunc("GET /v1/namespaces/{ns}/tables/{table}", func(w http.ResponseWriter, r *http.Request) {
		tbl, err := s.behind.LoadTable(r.Context(), table.Identifier{r.PathValue("ns"), r.PathValue("table")})
		tell(w, tbl, err)
	})
	mux.HandleFunc("POST /v1/namespaces/{ns}/tables/{table}", s.commit)
	mux.ServeHTTP(w, r)
}

func (s restCatalog) create(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Name, Location string
		Schema         *ice.Schema
		Spec           *ice.PartitionSpec `json:"partition-spec"`
		Properties     ice.Properties
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		answer(w, nil, err)
		return
	}
	tbl, err := s.behind.CreateTable(r.Context(), table.Identifier{r.PathValue("ns"), in.Name}, in.Schema, catalog.WithLocation(in.Location), catalog.WithPartitionSpec(in.Spec),
		catalog.WithProperties(in.Properties))
	tell(w, tbl, err)
}

func (s restCatalog) commit(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Requirements table.Requirements
		Updates      table.Updates
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		answer(w, nil, err)
		return
	}
	id := table.Identifier{r.PathValue("ns"), r.PathValue("table")}
	meta, location, err := s.behind.CommitTable(r.Context(), id, in.Requirements, in.Updates)
	if err != nil {
		err = errors.Join(table.ErrCommitFailed, err)
	}
	answer(w, map[string]any{"metadata-location": location, "metadata": meta}, err)
}

func tell(w http.ResponseWriter, tbl *table.Table, err error) {
	if err != nil {
		answer(w, nil, err)
		return
	}
	answer(w, map[string]any{"metadata-location": tbl.MetadataLocation(), "metadata": tbl.Metadata(), "config": ice.Properties{}}, nil)
}

func answer(w http.ResponseWriter, what any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		status := http.StatusInternalServerError
		switch {
		case isAbsent(err):
			status = http.StatusNotFound
		case errors.Is(err, table.ErrCommitFailed), errors.Is(err, catalog.ErrTableAlreadyExists), errors.Is(err, catalog.ErrNamespaceAlreadyExists):
			status = http.StatusConflict
		}
		w.WriteHeader(status)
		what = map[string]any{"error": map[string]any{"message": err.Error(), "type": "Exception", "code": status}}
	}
	_ = json.NewEncoder(w).Encode(what)
}

func TestTablesOfARESTCatalogAreKeptAsThoseOfADatabase(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	behind, err := inDatabase(s.db, icesql.SQLite)(t.Context(), s.at.base()+"/"+s.at.prefix)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(restCatalog{behind, "a token"})
	t.Cleanup(server.Close)
	host := func() lake.Lake {
		store, err := in(t.Context(), s.at, s.bucket, AtURL(server.URL, "a token"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { open.remove(store) })
		l := s.host(t)
		l.Origin = store
		return l
	}
	east, west := host(), host()
	publish(t, east, "nightly", night, 3)
	rows(t, west)
	path := stage(t, links, "weekly", night, 4)
	publish(t, east, "nightly", night, 5)
	if _, err := west.Publish(t.Context(), links, "weekly", night, path); err != nil { // it knows the state before
		t.Fatal(err)
	}
	want := map[string]int64{"nightly 2026-11-22": 5, "weekly 2026-11-22": 4}
	for name, l := range map[string]lake.Lake{"east": east, "west": west, "by the database": s.host(t)} {
		if diff := cmp.Diff(want, rows(t, l)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	late := west.Origin.(*Store)
	before, err := late.load(t.Context(), links)
	if err != nil {
		t.Fatal(err)
	}
	c := lake.Commit{Add: map[string]string{"late.2026-11-22.0123456789abcdef.parquet": stage(t, links, "late", night, 2)}, Note: lake.Note{Month: night}}
	came, err := late.upload(t.Context(), before, c)
	if err != nil {
		t.Fatal(err)
	}
	publish(t, east, "nightly", night, 6)
	_, err = late.replace(t.Context(), links, before, c, came, "late")
	if _, err := late.outcome(t.Context(), links, before, "late", err); !errors.Is(err, lake.ErrMoved) {
		t.Errorf("a commit that comes too late: %v", err)
	}
	want["nightly 2026-11-22"] = 6
	if diff := cmp.Diff(want, rows(t, s.host(t))); diff != "" {
		t.Error(diff)
	}
	if _, err := AtURL(server.URL, "another")(t.Context(), s.at.base()); err == nil {
		t.Error("a catalog that refuses the token was opened")
	}
}
