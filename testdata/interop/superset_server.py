"""Apache Superset over a warehouse, without a screen: a server on this machine, spoken to through its API alone."""

import contextlib
import http.cookiejar
import json
import os
import secrets
import socket
import subprocess
import time
import urllib.error
import urllib.request

CONFIG = """
SECRET_KEY = {key!r}
SQLALCHEMY_DATABASE_URI = "sqlite:///{home}/superset.db"
RATELIMIT_ENABLED = False
"""


class Superset:
    """A signed-in user of a server."""

    def __init__(self, url, password):
        self.url, self.headers = url, {"Content-Type": "application/json", "Referer": url}
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        login = {"username": "admin", "password": password, "provider": "db", "refresh": False}
        self.headers["Authorization"] = "Bearer " + self.call("security/login", login)["access_token"]
        self.headers["X-CSRFToken"] = self.call("security/csrf_token/")["result"]

    def call(self, path, body=None):
        """Posts the body, or gets where there is none, and returns the answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/api/v1/{path}", data, self.headers)
        try:
            with self.opener.open(request, timeout=120) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as e:
            raise RuntimeError(f"{path}: {e.code} {e.read().decode()[:2000]}") from e

    def connect(self, catalog):
        """Makes a database of the catalog, as a person would in the form, and returns its id."""
        uri = f"duckdb:///{catalog}?access_mode=READ_ONLY"
        return self.call("database/", {"database_name": "backhaul", "sqlalchemy_uri": uri, "expose_in_sqllab": True})["id"]

    def datasets(self, database, views):
        """Makes a dataset of each view and returns their ids by view.

        Superset on SQLite takes a name once, whatever the schema: of the later views of a name, as of marts.anchors beside
        ahrefs.anchors, the dataset is a query.
        """
        ids, names = {}, set()
        for view in views:
            schema, name = view.split(".")
            body = {"database": database, "schema": schema, "table_name": name}
            if name in names:
                body |= {"table_name": view, "sql": f"SELECT * FROM {view}"}
            names.add(name)
            ids[view] = self.call("dataset/", body)["id"]
        return ids

    def columns(self, dataset):
        """The names of the columns Superset found."""
        return [c["column_name"] for c in self.call(f"dataset/{dataset}")["result"]["columns"]]

    def chart(self, dataset, columns=()):
        """The data of a chart: how many rows there are, by the columns if any."""
        rows = {"expressionType": "SQL", "sqlExpression": "COUNT(*)", "label": "n"}
        query = {"columns": list(columns), "metrics": [rows], "row_limit": 1000}
        body = {"datasource": {"id": dataset, "type": "table"}, "queries": [query], "result_format": "json", "result_type": "full"}
        return self.call("chart/data", body)["result"][0]["data"]

    def count(self, dataset):
        return self.chart(dataset)[0]["n"]


@contextlib.contextmanager
def serve(bin, home):
    """Serves a new Superset that keeps what it knows in home, and yields its administrator."""
    home.mkdir(parents=True)
    config, password, port = home / "superset_config.py", secrets.token_hex(), free_port()
    config.write_text(CONFIG.format(key=secrets.token_hex(), home=home))
    env = {**os.environ, "SUPERSET_CONFIG_PATH": str(config), "SUPERSET_HOME": str(home), "FLASK_APP": "superset.app:create_app()", "PYTHONWARNINGS": "ignore"}
    with open(home / "log", "w") as log:
        who = ["--username", "admin", "--firstname", "a", "--lastname", "b", "--email", "a@b.example", "--password", password]
        for args in [["db", "upgrade"], ["fab", "create-admin", *who], ["init"]]:
            done = subprocess.run([bin / "superset", *args], env=env, stdout=log, stderr=log, timeout=600)
            if done.returncode != 0:
                raise RuntimeError(f"superset {args[0]}: exit {done.returncode}\n{(home / 'log').read_text()[-2000:]}")
        command = [bin / "gunicorn", "-w", "1", "--threads", "4", "-b", f"127.0.0.1:{port}", "--timeout", "120", "superset.app:create_app()"]
        with subprocess.Popen(command, env=env, stdout=log, stderr=log) as server:
            try:
                await_health(server, f"http://127.0.0.1:{port}/health", home / "log")
                yield Superset(f"http://127.0.0.1:{port}", password)
            finally:
                server.terminate()
                server.wait(timeout=60)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def await_health(server, url, log, patience=180):
    """Waits until the server answers, at most so many seconds."""
    end = time.monotonic() + patience
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except OSError:
            time.sleep(0.5)
    raise RuntimeError(f"Superset does not serve\n{log.read_text()[-2000:]}")
