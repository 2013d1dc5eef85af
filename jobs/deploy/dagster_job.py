"""Runs a job of backhaul every night by Dagster."""

import os
import subprocess

from dagster import Definitions, Failure, OpExecutionContext, Out, Output, RetryRequested, ScheduleDefinition, job, op

PROGRAM = os.environ.get("BACKHAUL", "backhaul")
JOB = os.environ.get("BACKHAUL_JOB", "/etc/backhaul/nightly.yaml")


@op(out=Out(bool, is_required=False))
def bought(context: OpExecutionContext):
    """Exit status 75 is tried again, 4 (no budget left) leaves out what follows, all others fail and stay so."""
    status = subprocess.run([PROGRAM, "run", JOB, "--quiet"], check=False).returncode
    if status in (75, 130, -15):  # away, or interrupted: the same run again goes on
        raise RetryRequested(max_retries=5, seconds_to_wait=900)
    if status == 4:
        context.log.warning("stopped by a budget or the vendor's quota; the same run again goes on")
        return
    if status:
        raise Failure(f"status {status}: backhaul status {JOB} says why", allow_retries=False)
    yield Output(True)


@job
def backhaul_nightly():
    bought()


defs = Definitions(
    jobs=[backhaul_nightly],
    schedules=[ScheduleDefinition(job=backhaul_nightly, cron_schedule="15 2 * * *", execution_timezone="UTC")],
)
