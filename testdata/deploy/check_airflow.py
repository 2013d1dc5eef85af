"""Loads the DAG as Airflow does, and plays what becomes of every exit status of the program."""

import os
import stat
import sys
import tempfile

home = tempfile.mkdtemp()
os.environ.update(AIRFLOW_HOME=home, AIRFLOW__CORE__LOAD_EXAMPLES="False", AIRFLOW__CORE__UNIT_TEST_MODE="True")
program = os.path.join(home, "backhaul")
os.environ["BACKHAUL"] = program

import importlib.util

from airflow.exceptions import AirflowException, AirflowFailException, AirflowSkipException

spec = importlib.util.spec_from_file_location("airflow_dag", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
dag = module.backhaul_nightly()
assert [t.task_id for t in dag.tasks] == ["run"] and dag.tasks[0].retries == 5, dag.tasks


def becomes(status):
    with open(program, "w") as f:
        f.write(f"#!/bin/sh\nexit {status}\n")
    os.chmod(program, stat.S_IRWXU)
    try:
        dag.tasks[0].python_callable()
    except (AirflowSkipException, AirflowFailException) as e:
        return type(e)
    except AirflowException as e:
        return AirflowException
    return None


want = {0: None, 4: AirflowSkipException, 75: AirflowException, 130: AirflowException}
for status in (0, 1, 2, 3, 4, 5, 75, 130):
    got = becomes(status)
    assert got == want.get(status, AirflowFailException), (status, got)
print("airflow: ok")
