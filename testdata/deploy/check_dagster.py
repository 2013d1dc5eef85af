"""Loads the definitions as Dagster does, and plays what becomes of every exit status of the program."""

import os
import stat
import sys
import tempfile

program = os.path.join(tempfile.mkdtemp(), "backhaul")
os.environ["BACKHAUL"] = program

import importlib.util

from dagster import Failure, RetryRequested, build_op_context

spec = importlib.util.spec_from_file_location("dagster_job", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
module.defs.resolve_job_def("backhaul_nightly") if hasattr(module.defs, "resolve_job_def") else module.defs.get_job_def("backhaul_nightly")


def becomes(status):
    with open(program, "w") as f:
        f.write(f"#!/bin/sh\nexit {status}\n")
    os.chmod(program, stat.S_IRWXU)
    try:
        return len(list(module.bought(build_op_context())))
    except RetryRequested:
        return "again"
    except Failure as e:
        return "again" if e.allow_retries else "failed"


want = {0: 1, 4: 0, 75: "again", 130: "again"}
for status in (0, 1, 2, 3, 4, 5, 75, 130):
    got = becomes(status)
    assert got == want.get(status, "failed"), (status, got)
print("dagster: ok")
