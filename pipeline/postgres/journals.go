package postgres

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"

	"backhaul/pipeline/store"
)

// mostName is how long the name of a journal's schema may be, so that another name can be made of it: PostgreSQL's have 63 bytes.
const mostName = 36

// schemaName is that of a journal.
func schemaName(name string) string {
	schema := "backhaul/" + name
	if len(schema) > mostName {
		sum := sha256.Sum256([]byte(name))
		schema = "backhaul/" + hex.EncodeToString(sum[:12])
	}
	return schema
}

// OpenJournal opens the schema of a journal, by the name of what it is of, making it where it is absent.
func (f *Fleet) OpenJournal(ctx context.Context, name string, layout store.Layout, guard Guard) (*DB, error) {
	return f.openJournal(ctx, name, schemaName(name), layout, guard)
}

func (f *Fleet) openJournal(ctx context.Context, name, schema string, layout store.Layout, guard Guard) (*DB, error) {
	if _, err := f.db.sql.ExecContext(ctx, `INSERT INTO journals (name, schema_name) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`, name, schemaName(name)); err != nil {
		return nil, f.db.Wrap(err)
	}
	return f.db.server.Open(ctx, schema, "run "+name, layout, guard)
}

// HasJournal reports whether there is a journal of a name.
func (f *Fleet) HasJournal(ctx context.Context, name string) (bool, error) {
	return f.db.server.Has(ctx, schemaName(name))
}

// Has reports whether there is a schema.
func (s *Server) Has(ctx context.Context, schema string) (there bool, err error) {
	err = s.pool(fleetSchema, spelt).QueryRowContext(ctx, `SELECT to_regnamespace(?) IS NOT NULL`, quoted(schema)).Scan(&there)
	return there, s.Wrap(err)
}

// Rename gives a schema that nobody has open another name.
func (s *Server) Rename(ctx context.Context, from, to string) error {
	_, err := s.pool(fleetSchema, spelt).ExecContext(ctx, `ALTER SCHEMA `+quoted(from)+` RENAME TO `+quoted(to))
	return s.Wrap(err)
}

// Journals returns the names of the journals that there are or of which something remains, sorted.
func (f *Fleet) Journals(ctx context.Context) (names []string, err error) {
	err = f.db.Each(ctx, `SELECT name FROM journals WHERE remains IS NOT NULL OR schema_name IN (SELECT nspname::text FROM pg_namespace) ORDER BY name`, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		names = append(names, name)
		return err
	})
	return names, err
}

// RemoveJournal removes a journal, which nobody has open. What remains of it stays.
func (f *Fleet) RemoveJournal(ctx context.Context, name string, guard Guard) error {
	return f.write(ctx, guard, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`DELETE FROM claims WHERE run = ?`, name); err != nil {
			return err
		}
		_, err := tx.Exec(`DROP SCHEMA IF EXISTS ` + quoted(schemaName(name)) + ` CASCADE`)
		return err
	})
}

// write is a transaction that a guard is asked about.
func (f *Fleet) write(ctx context.Context, guard Guard, do func(tx *sql.Tx) error) error {
	return f.db.Write(ctx, func(tx *sql.Tx) error {
		if err := guard.ask(ctx, tx); err != nil {
			return err
		}
		return do(tx)
	})
}

// ReplaceJournal has write fill a fresh journal, which takes the place of the one that is there, in one step. aside is what that one is
// called then, "" if there was none.
func (f *Fleet) ReplaceJournal(ctx context.Context, name, mark string, layout store.Layout, guard Guard, write func(*DB) error) (aside string, err error) {
	schema := schemaName(name)
	fresh := schema + " fresh"
	drop := `DROP SCHEMA IF EXISTS ` + quoted(fresh) + ` CASCADE`
	if _, err := f.db.sql.ExecContext(ctx, drop); err != nil {
		return "", f.db.Wrap(err)
	}
	db, err := f.openJournal(ctx, name, fresh, layout, guard)
	if err != nil {
		return "", err
	}
	if err := write(db); err != nil {
		_, dropErr := f.db.sql.ExecContext(context.WithoutCancel(ctx), drop)
		return "", errors.Join(err, f.db.Wrap(dropErr))
	}
	there, err := f.HasJournal(ctx, name)
	if err != nil {
		return "", err
	}
	err = f.write(ctx, guard, func(tx *sql.Tx) error {
		if there {
			aside = schema + mark
			if _, err := tx.Exec(`ALTER SCHEMA ` + quoted(schema) + ` RENAME TO ` + quoted(aside)); err != nil {
				return err
			}
		}
		_, err := tx.Exec(`ALTER SCHEMA ` + quoted(fresh) + ` RENAME TO ` + quoted(schema))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("put a fresh journal in the place of %s: %w", name, err)
	}
	return aside, nil
}

// JournalSize is how many bytes a journal takes.
func (f *Fleet) JournalSize(ctx context.Context, name string) (bytes int64, err error) {
	err = f.db.sql.QueryRowContext(ctx, `SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = ? AND c.relkind = 'r'`, schemaName(name)).Scan(&bytes)
	return bytes, f.db.Wrap(err)
}

// Remains returns what was kept of a journal that was removed, nil if nothing was.
func (f *Fleet) Remains(ctx context.Context, name string) (text []byte, err error) {
	err = f.db.sql.QueryRowContext(ctx, `SELECT remains FROM journals WHERE name = ?`, name).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return text, f.db.Wrap(err)
}

// KeepRemains keeps it.
func (f *Fleet) KeepRemains(ctx context.Context, name string, text []byte, guard Guard) error {
	return f.write(ctx, guard, func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO journals (name, schema_name, remains) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET remains = excluded.remains`,
			name, schemaName(name), text)
		return err
	})
}

// PutJournalAside gives the schema of a journal, which nobody has open, another name that ends in mark. Nothing is known of it then.
func (f *Fleet) PutJournalAside(ctx context.Context, name, mark string, guard Guard) error {
	schema := schemaName(name)
	return f.write(ctx, guard, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`DELETE FROM journals WHERE name = ?`, name); err != nil {
			return err
		}
		_, err := tx.Exec(`DO $$ BEGIN IF to_regnamespace('` + quoted(schema) + `') IS NOT NULL THEN ALTER SCHEMA ` + quoted(schema) + ` RENAME TO ` + quoted(schema+mark) + `; END IF; END $$`)
		return err
	})
}
