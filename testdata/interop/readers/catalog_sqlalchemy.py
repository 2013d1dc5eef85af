"""SQLAlchemy on the catalog, by duckdb-engine: names and columns by its inspector, rows and sums by its tables."""

import sys

import duckdb
import sqlalchemy
import summary
from sqlalchemy import func, select


class Catalog(summary.Reader):
    version = f"{sqlalchemy.__version__} on DuckDB {duckdb.__version__}"

    def __init__(self, catalog):
        self.engine = sqlalchemy.create_engine(f"duckdb:///{catalog}", connect_args={"read_only": True})

    def tables(self):
        inspector = sqlalchemy.inspect(self.engine)
        schemas = {name.rpartition(".")[2].strip('"') for name in inspector.get_schema_names()} - {"information_schema", "pg_catalog", "main"}
        return [f"{schema}.{view}" for schema in schemas for view in inspector.get_view_names(schema)]

    def table(self, table):
        """Asks the inspector for the columns alone: the engine has no words for constraints, of which views have none. What a macro
        answers it does not know either: DuckDB says that."""
        if "(" in table:
            described = self.execute(sqlalchemy.text(f"DESCRIBE SELECT * FROM {table}"))
            return sqlalchemy.text(table), {row[0]: (sqlalchemy.literal_column(f'"{row[0]}"'), row[1]) for row in described}
        schema, _, name = table.partition(".")
        columns = [sqlalchemy.Column(c["name"], c["type"]) for c in sqlalchemy.inspect(self.engine).get_columns(name, schema)]
        there = sqlalchemy.Table(name, sqlalchemy.MetaData(), *columns, schema=schema)
        return there, {c.name: (c, self.name(c.type)) for c in there.columns}

    def columns(self, table):
        return {name: kind for name, (_, kind) in self.table(table)[1].items()}

    def name(self, kind):
        """The engine knows no lists, and calls doubles floats."""
        if isinstance(kind, sqlalchemy.types.NullType):
            return summary.UNNAMED
        return {"FLOAT": "DOUBLE"}.get(str(kind), str(kind))

    def execute(self, statement):
        with self.engine.connect() as connection:
            return connection.execute(statement).all()

    def rows(self, table, columns):
        there, known = self.table(table)
        return self.execute(select(*[known[name][0] for name in columns]).select_from(there))

    def aggregates(self, table, columns):
        there, known = self.table(table)
        terms = [getattr(func, call)(known[name][0]) for name, kind in columns.items() for call in summary.calls(kind)]
        values = iter(self.execute(select(func.count(), *terms).select_from(there))[0])
        return next(values), {name: [next(values) for _ in summary.calls(kind)] for name, kind in columns.items()}


summary.main(Catalog(*sys.argv[1:]))
