"""Warehouses to read: nights of a job, bought by the program from the emulated vendors on this machine."""

import contextlib
import os
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).parent
JOBS = HERE.parent.parent / "jobs"

# Two months, so that a reader can leave one out, and a night to come.
NIGHTS = ["2026-10-31", "2026-11-01", "2026-11-02"]

# The partition of the file without rows that carries the columns of today.
NO_MONTH = "0000-00"

# Questions to the marts that take arguments.
CALLS = [
    f"{what}_between('trailhead-co.example', DATE '{NIGHTS[0]}', DATE '{NIGHTS[1]}')" for what in ("anchors", "domains", "links")
]


class Warehouse:
    """One warehouse directory, with the program that writes it."""

    def __init__(self, program, root):
        self.program, self.root = pathlib.Path(program).resolve(), pathlib.Path(root).resolve()
        self.job = self.root.parent / "job"

    @property
    def catalog(self):
        return self.root / "catalog.duckdb"

    @property
    def lake(self):
        return self.root / "lake"

    def run(self, *args, env=None):
        """Runs the program on the warehouse and returns what it writes to standard output."""
        command = [self.program, *args, "--warehouse", self.root]
        done = subprocess.run(command, env=env, capture_output=True, timeout=300)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, args))}: exit {done.returncode}\n{(done.stdout + done.stderr).decode()}")
        return done.stdout

    def buy(self, night):
        """Buys NIGHTS[night], as the made-up link graph is on that day."""
        if not self.job.exists():
            self.job.mkdir(parents=True)
            for file in [HERE / "jobs" / "everything.yaml", *JOBS.glob("*.csv")]:
                shutil.copy(file, self.job)
        with self._emulator(night) as env:
            self.run("run", self.job / "everything.yaml", "--date", NIGHTS[night], "--yes", "--no-compact", env=env)

    def copy(self, root):
        """Copies the directory, as a person would."""
        shutil.copytree(self.root, root)
        return Warehouse(self.program, root)

    def torn(self, root):
        """Copies the lake once for each month, with files that no reader can open in the place of all other months' files."""
        months = {path.name.removeprefix("month=") for path in self.lake.glob("*/*/month=*")} - {NO_MONTH}
        for month in months:
            shutil.copytree(self.lake, root / month)
            for path in (root / month).glob("*/*/month=*/*.parquet"):
                if path.parent.name not in (f"month={month}", f"month={NO_MONTH}"):
                    path.write_bytes(b"no reader of one month opens this")
        return root

    def write_marts(self, root):
        """Lets the program itself write what the marts say, laid out like a lake."""
        views = self.query("SELECT view_name FROM duckdb_views() WHERE schema_name = 'marts'").split()[1:]
        for name in views + CALLS:
            folder = root / "marts" / name / f"month={NO_MONTH}"
            folder.mkdir(parents=True)
            (folder / "all.parquet").write_bytes(self.query(f"FROM marts.{name}", "parquet"))

    def views(self):
        """The full names of the catalog's views."""
        return self.query("SELECT schema_name || '.' || view_name AS name FROM duckdb_views() WHERE NOT internal").split()[1:]

    def query(self, sql, form="csv"):
        out = self.run("query", sql, "--format", form)
        return out.decode() if form == "csv" else out

    @contextlib.contextmanager
    def _emulator(self, day):
        """Serves the vendors and yields the environment that leads there."""
        command = [self.program, "emulate", "--listen", "127.0.0.1:0", "--day", str(day)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as emulator:
            try:
                env = dict(os.environ)
                for line in emulator.stdout:
                    if line.startswith("serving"):
                        break
                    name, _, value = line.removeprefix("export ").strip().partition("=")
                    env[name] = value
                yield env
            finally:
                emulator.terminate()
                emulator.communicate(timeout=30)
