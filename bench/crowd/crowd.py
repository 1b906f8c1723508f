"""Many MCP clients at once, in both eras, each thinking between its requests: every answer is checked and timed."""

import argparse
import http.client
import itertools
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cost"))
from cost import Requests, cpu, memory  # noqa: E402
from services import NAMES, Home, Services  # noqa: E402

LEGACY, MODERN = "2025-11-25", "2026-07-28"
# How often each kind is asked, of a hundred.
MIX = {"ask, figures": 30, "ask, images": 20, "getContent": 20, "query_sales": 15, "describe_sales": 5, "rendition": 5, "tools/list": 5}
# One of the catalogue's.
IMAGE = "running-shoes-sunrise-track"
SAMPLE_SECONDS = 5
# Of the measured time, at the start: caches fill, pools grow.
WARM_SHARE = 0.2


class Client:
    """One MCP client: its connection, its era, its own choice of what to ask."""

    def __init__(self, number: int, crowd: "Crowd"):
        self.crowd, self.random = crowd, random.Random(number)
        self.era = MODERN if number % 2 else LEGACY
        self.connection = http.client.HTTPConnection("127.0.0.1", crowd.port, timeout=60)
        self.ids = itertools.count(1)

    def call(self, method: str, params: dict, name: str | None = None) -> dict:
        """The result of one request. Anything else is an exception that says what came."""
        headers = {"Authorization": f"Bearer {self.crowd.token()}", "Content-Type": "application/json",
                   "Accept": "application/json, text/event-stream", "MCP-Protocol-Version": self.era}
        if self.era == MODERN:
            headers["Mcp-Method"] = method
            if name:
                headers["Mcp-Name"] = name
            meta = {"protocolVersion": MODERN, "clientInfo": {"name": "crowd", "version": "1"}, "clientCapabilities": {}}
            params = params | {"_meta": {f"io.modelcontextprotocol/{key}": value for key, value in meta.items()}}
        body = {"jsonrpc": "2.0", "id": next(self.ids), "method": method, "params": params}
        self.connection.request("POST", "/mcp", json.dumps(body), headers)
        answer = self.connection.getresponse()
        content = answer.read().decode()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status} {content[:200]}")
        if answer.getheader("Content-Type", "").startswith("text/event-stream"):
            content = next(line[5:] for line in content.splitlines() if line.startswith("data:") and '"id"' in line)
        message = json.loads(content)
        if "result" not in message or message["result"].get("isError"):
            raise RuntimeError(content[:300])
        return message["result"]

    def tool(self, name: str, arguments: dict) -> dict:
        return self.call("tools/call", {"name": name, "arguments": arguments}, name)

    def ask(self, kind: str):
        requests = self.crowd.requests
        if kind == "ask, figures":
            self.tool("ask", {"question": requests.question()})
        elif kind == "ask, images":
            self.tool("ask", {"question": "images of " + requests.description()})
        elif kind == "getContent":
            self.tool("getContent", {"description": requests.description(), "limit": 3})
        elif kind == "query_sales":
            query = {"metrics": [self.random.choice(["revenue", "roas", "spend", "leads"])],
                     "dimensions": [self.random.choice(["channel", "market", "campaign"])],
                     "time": {"from": "2026-01-01", "to": f"2026-{self.random.randint(2, 11):02}-01"}}
            self.tool("query_sales", query)
        elif kind == "describe_sales":
            self.tool("describe_sales", {})
        elif kind == "rendition":
            uri = f"promptsales://images/{IMAGE}/renditions/{self.random.randint(64, 1024)}"
            self.call("resources/read", {"uri": uri}, uri)
        else:
            self.call("tools/list", {})

    def live(self):
        crowd = self.crowd
        kinds, weights = list(MIX), list(MIX.values())
        # Not all at once.
        crowd.stop.wait(self.random.uniform(0, crowd.think))
        while not crowd.stop.is_set():
            kind = self.random.choices(kinds, weights)[0]
            begun = time.monotonic()
            try:
                self.ask(kind)
                crowd.done(kind, begun, None)
            except Exception as error:  # Whatever it is, it is counted and shown.
                crowd.done(kind, begun, f"{kind}: {type(error).__name__}: {error}")
                self.connection.close()
            crowd.stop.wait(self.random.expovariate(1 / crowd.think))


class Crowd:
    def __init__(self, services: Services, home: Home, think: float):
        self.home, self.think, self.port = home, think, services.ports["mcp-gateway"]
        self.requests = Requests(services, home)
        self.stop, self.lock = threading.Event(), threading.Lock()
        self.took, self.errors = defaultdict(list), Counter()
        self.renew()

    def renew(self):
        self.bearer, self.renewed = self.home.token("promptsales-cli", self.home.gateway + "/mcp"), time.monotonic()

    def token(self) -> str:
        with self.lock:
            if time.monotonic() - self.renewed > 120:
                self.renew()
            return self.bearer

    def done(self, kind: str, begun: float, error: str | None):
        with self.lock:
            if error:
                self.errors[error] += 1
            else:
                self.took[kind].append(time.monotonic() - begun)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--binaries", type=Path, required=True)
    parser.add_argument("--clients", type=int, default=300)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--think", type=float, default=30, help="mean seconds between an answer and the client's next request")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    home = Home(options.home)
    with tempfile.NamedTemporaryFile() as log, Services(home, options.binaries, Path(log.name)) as services:
        crowd = Crowd(services, home, options.think)
        crowd.requests.wait_for_the_index()
        clients = [Client(number, crowd) for number in range(options.clients)]
        threads = [threading.Thread(target=client.live, daemon=True) for client in clients]
        pids = {name: services.processes[name].pid for name in NAMES}
        before, begun, samples = {name: cpu(pid) for name, pid in pids.items()}, time.monotonic(), []
        for thread in threads:
            thread.start()
        while (passed := time.monotonic() - begun) < options.seconds:
            samples.append({"s": round(passed)} | {name: round(memory(pid)["RssAnon"], 1) for name, pid in pids.items()})
            time.sleep(SAMPLE_SECONDS)
        crowd.stop.set()
        for thread in threads:
            thread.join(90)
        seconds = time.monotonic() - begun
        spent = {name: round((cpu(pid) - before[name]) / seconds, 2) for name, pid in pids.items()}
    report = {"clients": options.clients, "seconds": round(seconds), "think s": options.think, "requests": rows(crowd, seconds),
              "errors": dict(crowd.errors), "cores": spent, "memory": settled(samples), "samples": samples}
    if options.out:
        options.out.write_text(json.dumps(report, indent=1) + "\n")
    show(report)
    if crowd.errors:
        raise SystemExit(1)


def rows(crowd: Crowd, seconds: float) -> list[dict]:
    def row(kind: str, took: list[float]) -> dict:
        took = sorted(took)
        at = lambda share: round(1000 * took[int(share * (len(took) - 1))])
        return {"kind": kind, "answered": len(took), "a second": round(len(took) / seconds, 2),
                "p50 ms": at(0.5), "p95 ms": at(0.95), "p99 ms": at(0.99), "most ms": at(1)}
    every = [one for took in crowd.took.values() for one in took]
    return [row(kind, crowd.took[kind]) for kind in MIX if crowd.took[kind]] + ([row("all", every)] if every else [])


def settled(samples: list[dict]) -> dict:
    """MiB that a process has for itself: when the crowd came, once warm, in the end; and what it grew by an hour after that."""
    warm = samples[int(len(samples) * WARM_SHARE):]
    found = {}
    for name in NAMES:
        mean_s = sum(one["s"] for one in warm) / len(warm)
        mean = sum(one[name] for one in warm) / len(warm)
        spread = sum((one["s"] - mean_s) ** 2 for one in warm) or 1
        slope = sum((one["s"] - mean_s) * (one[name] - mean) for one in warm) / spread
        found[name] = {"first": samples[0][name], "warm": warm[0][name], "last": warm[-1][name],
                       "most": max(one[name] for one in samples), "MiB an hour": round(3600 * slope, 1)}
    return found


def show(report: dict):
    print("| request | answered | a second | p50 ms | p95 ms | p99 ms | most ms |\n|---|---|---|---|---|---|---|")
    for one in report["requests"]:
        print("| " + " | ".join(str(value) for value in one.values()) + " |")
    print("\n| service | cores | MiB first | warm | last | most | MiB an hour |\n|---|---|---|---|---|---|---|")
    for name in NAMES:
        print(f"| {name} | {report['cores'][name]} | " + " | ".join(str(value) for value in report["memory"][name].values()) + " |")
    print(f"\nerrors: {sum(report['errors'].values())}")
    for error, times in list(report["errors"].items())[:10]:
        print(f"  {times} x {error}")


if __name__ == "__main__":
    main()
