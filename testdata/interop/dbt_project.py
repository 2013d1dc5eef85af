"""The dbt project of the folder jobs, over a warehouse."""

import json
import os
import shutil
import subprocess

from warehouse import JOBS

# Names the models that have no row.
EMPTY = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(*[t for t, in c.sql('SHOW TABLES').fetchall() if not c.table(t).fetchone()])"


def build(bin, catalog, project):
    """Copies the project, as a person would, and builds it there. Returns how many models and tests ran, and in words what is
    wrong."""
    shutil.copytree(JOBS / "dbt", project)
    models = project / "models.duckdb"
    env = {**os.environ, "BACKHAUL_CATALOG": str(catalog), "BACKHAUL_MODELS": str(models), "DO_NOT_TRACK": "1"}
    command = [bin / "dbt", "--quiet", "build", "--project-dir", project, "--profiles-dir", project]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise RuntimeError(f"dbt build: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    results = json.loads((project / "target" / "run_results.json").read_text())["results"]
    empty = subprocess.run([bin / "python", "-c", EMPTY, models], capture_output=True, text=True, check=True, timeout=60)
    return len(results), [f"model {name} has no row" for name in empty.stdout.split()]
