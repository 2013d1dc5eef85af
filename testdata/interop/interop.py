"""Reads one warehouse with every reader and compares what each saw with the truth.

    python3 interop.py PROGRAM VENVS [NAME...]

PROGRAM is backhaul; VENVS holds a virtual environment for each file of the folder requirements. With names, only the readers of
those environments are asked. The truth is what is in the files, read one by one and counted in Python; the truth of a mart is
what the program says itself.
"""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import dbt_project
import summary
import superset_server
import warehouse

HERE = pathlib.Path(__file__).parent

# By environment the readers that are asked in it: of the lake's files, of the catalog, of two catalogs at once.
LAKE = {
    "duckdb11": ["lake_duckdb"],
    "duckdb1": ["lake_duckdb"],
    "duckdb2": ["lake_duckdb"],
    "arrow": ["lake_pyarrow", "lake_polars", "lake_pandas"],
    "fast": ["lake_duckdb", "lake_pyarrow", "lake_polars"],
    "engines": ["lake_datafusion", "lake_clickhouse"],
    "spark": ["lake_spark"],
}
CATALOG = {
    "duckdb11": ["catalog_duckdb"],
    "duckdb1": ["catalog_duckdb", "catalog_sqlalchemy", "catalog_jdbc"],
    "duckdb2": ["catalog_duckdb"],
    "fast": ["catalog_duckdb"],
}


# Whichever of these is there counts the truth: they have pyarrow.
TRUTH = ["fast", "arrow"]


class Reader:
    """A reader's process, which stays open from question to question."""

    def __init__(self, python, script, *args):
        self.errors = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen(
            [python, HERE / "readers" / f"{script}.py", *args],
            env={**os.environ, "PYTHONPATH": str(HERE)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate()
        self.errors.close()

    def see(self, tables):
        """Returns what the reader sees of the tables now."""
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(list(tables)), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.errors.seek(0)
            raise RuntimeError(f"the reader broke: {self.errors.read()[-2000:]}")
        return json.loads(line)


class Interop:
    """Readers, warehouses, and what was wrong so far."""

    def __init__(self, program, venvs, names, folder):
        self.program, self.venvs, self.folder = program, pathlib.Path(venvs), pathlib.Path(folder)
        self.names = names or [path.stem for path in HERE.glob("requirements/*.txt") if path.stem != "fast"]
        self.wrong = 0

    def warehouse(self, name):
        return warehouse.Warehouse(self.program, self.folder / name / "warehouse")

    def reader(self, venv, script, *args):
        return Reader(self.venvs / venv / "bin" / "python", script, *args)

    def readers(self, table):
        """Yields environments and scripts of LAKE or CATALOG."""
        return [(venv, script) for venv in self.names for script in table.get(venv, [])]

    def truth(self, there):
        """Returns the summaries by table of a warehouse as it is now: first the lake's, then those and the marts'."""
        lake = self.counted(there.lake)
        with tempfile.TemporaryDirectory(dir=self.folder) as exports:
            there.write_marts(pathlib.Path(exports))
            return lake, lake | self.counted(exports)

    def counted(self, lake):
        venv = next(name for name in TRUTH if name in self.names)
        with self.reader(venv, "lake_files", lake, lake) as files:
            return files.see(files.see([])["names"])["tables"]

    def compare(self, what, truth, reader):
        """Asks the reader for the tables of the truth and prints in a line how they compare."""
        start = time.monotonic()
        try:
            seen = reader.see(truth)
            what += f" ({seen['version']})"
            problems = list(summary.problems(truth, seen))
        except RuntimeError as err:
            problems = [str(err)]
        self.tell(what, problems, time.monotonic() - start)

    def tell(self, what, problems, seconds):
        print(f"{'WRONG' if problems else 'right'} {seconds:5.1f} s  {what}", *problems, sep="\n    ", flush=True)
        self.wrong += bool(problems)

    def run(self):
        there = self.warehouse("one")
        for night in (0, 1):
            there.buy(night)
        there.run("compact", "--month", warehouse.NIGHTS[0][:7])
        lake, everything = self.truth(there)
        self.read_lake(there, lake)
        copied = there.copy(self.folder / "copy" / "warehouse")
        with contextlib.ExitStack() as stack:
            held = [(f"{venv} {script}", stack.enter_context(self.reader(venv, script, there.catalog))) for venv, script in self.readers(CATALOG)]
            for name, reader in held:
                self.compare(f"{name}: a new connection", everything, reader)
            charts = stack.enter_context(self.charts(there)) if "superset" in self.names else self.no_charts
            charts("given the catalog", everything)
            there.buy(2)
            _, tonight = self.truth(there)
            charts("a night later, untouched", tonight)
            for name, reader in held:
                self.compare(f"{name}: that connection, a night later", tonight, reader)
        self.read_copy(copied, some(everything))
        self.read_both(there, some(tonight))
        if "dbt" in self.names:
            self.build_models(there)

    def read_lake(self, there, truth):
        torn = there.torn(self.folder / "torn")
        for venv, script in self.readers(LAKE):
            with self.reader(venv, script, there.lake, torn) as reader:
                self.compare(f"{venv} {script}: the lake", truth, reader)

    @contextlib.contextmanager
    def charts(self, there):
        """Gives Superset the catalog, once, and yields what compares a chart of every view with the truth."""
        with superset_server.serve(self.venvs / "superset" / "bin", self.folder / "superset") as server:
            database = server.connect(there.catalog)
            datasets = server.datasets(database, there.views())

            def compare(when, truth):
                start = time.monotonic()
                counted = {view: server.count(dataset) for view, dataset in datasets.items()}
                wrong = [f"{v}: the chart counts {counted.get(v)} rows, not {t['rows']}" for v, t in truth.items() if "(" not in v and counted.get(v) != t["rows"]]
                wrong += [f"{v}: other columns" for v, t in truth.items() if v in datasets and server.columns(datasets[v]) != list(t["types"])]
                self.tell(f"superset: {len(datasets)} datasets, {when}", wrong, time.monotonic() - start)

            yield compare

    def no_charts(self, when, truth):
        """Stands for Superset where it is not asked."""

    def build_models(self, there):
        start = time.monotonic()
        try:
            done, wrong = dbt_project.build(self.venvs / "dbt" / "bin", there.catalog, self.folder / "dbt")
        except RuntimeError as err:
            done, wrong = 0, [str(err)]
        self.tell(f"dbt: {done} models and tests", wrong, time.monotonic() - start)

    def read_copy(self, there, truth):
        """The original has gone on, and is not what the views should read."""
        for venv, script in self.readers(CATALOG):
            if script == "catalog_duckdb":
                with self.reader(venv, script, there.catalog, there.root) as reader:
                    self.compare(f"{venv} {script}: a copy", truth, reader)

    def read_both(self, one, truth):
        two = self.warehouse("two")
        for night in (0, 2):
            two.buy(night)
        _, other = self.truth(two)
        other = some(other)
        both = {f"one.{name}": seen for name, seen in truth.items()} | {f"two.{name}": seen for name, seen in other.items()}
        for venv, script in self.readers(CATALOG):
            if script == "catalog_duckdb":
                with self.reader(venv, "catalogs_duckdb", f"one={one.catalog}", f"two={two.catalog}") as reader:
                    self.compare(f"{venv} catalogs_duckdb: two catalogs at once", both, reader)


def some(truth):
    """The tables of one vendor and the marts of anchors: enough where only the place of the files is in question."""
    return {name: seen for name, seen in truth.items() if name.startswith(("moz.", "marts.anchor"))}


def main(program, venvs, *names):
    with tempfile.TemporaryDirectory() as folder:
        interop = Interop(program, venvs, names, folder)
        interop.run()
    return f"{interop.wrong} comparisons are wrong" if interop.wrong else 0


sys.exit(main(*sys.argv[1:]))
