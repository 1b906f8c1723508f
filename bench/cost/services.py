"""The four services as processes of their own, beside a running home that lends its PostgreSQL and its issuer."""

import base64
import json
import os
import re
import secrets
import socket
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

AUDIENCE = "https://promptsales.local/api"
NAMES = ["embedder", "content-api", "sales-warehouse", "mcp-gateway"]
START_SECONDS = 120


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Home:
    """What a running `promptsales up` has."""

    def __init__(self, path: Path):
        self.path = path
        self.endpoints = json.loads((path / "endpoints.json").read_text())
        self.clients = json.loads((path / "identity" / "clients.json").read_text())
        self.postmaster = int((path / "postgres" / "cluster" / "postmaster.pid").read_text().split()[0])
        maps = Path(f"/proc/{self.endpoints['pid']}/maps").read_text()
        self.onnxruntime = re.search(r"(/\S*libonnxruntime\S*)", maps).group(1)
        self.psql = Path(os.readlink(f"/proc/{self.postmaster}/exe")).parent / "psql"

    def database(self, name: str) -> str:
        return re.sub(r"/warehouse\?", f"/{name}?", self.endpoints["databases"]["warehouse"])

    def sql(self, statement: str):
        subprocess.run([self.psql, "-qX", "-v", "ON_ERROR_STOP=1", "-h", self.path / "postgres" / "run",
                        "-U", "promptsales", "-c", statement, "promptsales"], check=True)

    def token(self, client: str, resource: str) -> str:
        """As `client`, with all that it may."""
        body = urllib.parse.urlencode({"grant_type": "client_credentials", "resource": resource}).encode()
        request = urllib.request.Request(self.endpoints["identity"] + "token", body)
        pair = base64.b64encode(f"{client}:{self.clients[client]}".encode()).decode()
        request.add_header("Authorization", f"Basic {pair}")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)["access_token"]

    @property
    def gateway(self) -> str:
        return self.endpoints["mcp_gateway"].rstrip("/")


class Services:
    """Starts all four with databases of their own, but for the warehouse, which is the home's."""

    def __init__(self, home: Home, binaries: Path, log: Path):
        self.home, self.binaries, self.log = home, binaries, log
        self.ports = {name: free_port() for name in NAMES}
        self.databases = [f"cost_{what}_{secrets.token_hex(4)}" for what in ("index", "content")]
        self.processes: dict[str, subprocess.Popen] = {}

    def __enter__(self):
        for name in self.databases:
            self.home.sql(f"CREATE DATABASE {name}")
        for name in NAMES:
            self.start(name)
        return self

    def __exit__(self, *_):
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(30)
        for name in self.databases:
            self.home.sql(f"DROP DATABASE {name} WITH (FORCE)")

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def environment(self, name: str) -> dict[str, str]:
        home, identity = self.home, self.home.endpoints["identity"]
        issuer = json.load(urllib.request.urlopen(identity + ".well-known/oauth-authorization-server"))["issuer"]
        common = {"LISTEN": f"127.0.0.1:{self.ports[name]}", "ISSUER": issuer}
        caller = {"TOKEN_URL": identity + "token", "CLIENT_ID": name, "CLIENT_SECRET": home.clients.get(name, "")}
        own = {
            "embedder": {"AUDIENCE": AUDIENCE, "ONNXRUNTIME": home.onnxruntime,
                         "DATABASE_URL": home.database(self.databases[0]), "PRIMARY_INDEX": "pgvector"},
            "content-api": {"AUDIENCE": AUDIENCE, **caller, "DATABASE_URL": home.database(self.databases[1]),
                            "PUBLIC_URL": self.url(name), "EMBEDDER_URL": self.url("embedder"), "SEED": "true"},
            "sales-warehouse": {"AUDIENCE": AUDIENCE, "TOKEN_URL": identity + "token", "NO_SCHEDULE": "true",
                                "DATABASE_URL": home.database("warehouse"), "PUBLIC_URL": self.url(name)},
            "mcp-gateway": {**caller, "PUBLIC_URL": home.gateway, "CONTENT_API": self.url("content-api"),
                            "CONTENT_AUDIENCE": AUDIENCE, "SALES_WAREHOUSE": self.url("sales-warehouse"),
                            "EMBEDDER": self.url("embedder"), "ALLOWED_HOSTS": f"127.0.0.1:{self.ports[name]}",
                            "REQUESTS_PER_MINUTE": "0", "CALLS_PER_MINUTE": "0"},
        }[name]
        prefix = name.upper().replace("-", "_")
        return {"PATH": os.environ["PATH"], "RUST_LOG": "error"} | {f"{prefix}_{key}": value for key, value in (common | own).items()}

    def start(self, name: str):
        command = [self.binaries / name] + (["http"] if name == "mcp-gateway" else [])
        with self.log.open("ab") as log:
            self.processes[name] = subprocess.Popen(command, env=self.environment(name), stdout=log, stderr=log)
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                urllib.request.urlopen(self.url(name) + "/readyz", timeout=5)
                return
            except OSError:
                if self.processes[name].poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"{name} does not get ready:\n{self.log.read_text()[-2000:]}")
                time.sleep(0.2)

    def run(self, name: str, *arguments: str, **more: str):
        """A command of a service that ends: its CPU seconds and its largest resident memory in MiB."""
        prefix = name.upper().replace("-", "_")
        environment = self.environment(name) | {f"{prefix}_{key}": value for key, value in more.items()}
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen([self.binaries / name, *arguments], env=environment, stdout=output, stderr=output)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            if process.returncode != 0:
                raise SystemExit(f"{name} {arguments}: {output.read().decode()[-2000:]}")
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
