"""Runs a job of backhaul every night by Apache Airflow 3."""

import os
import subprocess
from datetime import timedelta

import pendulum
from airflow.exceptions import AirflowException, AirflowFailException, AirflowSkipException
from airflow.sdk import dag, task

PROGRAM = os.environ.get("BACKHAUL", "backhaul")
JOB = os.environ.get("BACKHAUL_JOB", "/etc/backhaul/nightly.yaml")


@dag(
    schedule="15 2 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,  # what a vendor answers is of today
    max_active_runs=1,
    tags=["backhaul"],
)
def backhaul_nightly():
    @task(retries=5, retry_delay=timedelta(minutes=15))
    def run():
        """Exit status 75 is tried again, 4 (no budget left) skipped, all others fail and stay so."""
        status = subprocess.run([PROGRAM, "run", JOB, "--quiet"], check=False).returncode
        if status == 4:
            raise AirflowSkipException("stopped by a budget or the vendor's quota; the same run again goes on")
        if status in (75, 130, -15):  # away, or interrupted: the same run again goes on
            raise AirflowException(f"try again later: status {status}")
        if status:
            raise AirflowFailException(f"status {status}: backhaul status {JOB} says why")

    run()


backhaul_nightly()
