"""CPU milliseconds of each process per request, latency and resident memory, for each kind of request."""

import argparse
import http.client
import itertools
import json
import os
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from services import AUDIENCE, Home, NAMES, START_SECONDS, Services

ROOT = Path(__file__).resolve().parents[2]
TICK = os.sysconf("SC_CLK_TCK")
IDLE_SECONDS = 10
# Images that content-api stores at its first start.
CATALOGUE = 66


def stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def cpu(pid: int, with_children: bool = False) -> float:
    """Seconds of user and system time so far; of its living and dead children too, if asked for."""
    fields = stat(pid)
    ticks = int(fields[11]) + int(fields[12])
    if with_children:
        ticks += int(fields[13]) + int(fields[14])
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            try:
                ticks += sum(map(int, stat(int(child))[11:13]))
            except FileNotFoundError:
                pass  # It ended just now; its time is the parent's next.
    return ticks / TICK


def memory(pid: int) -> dict[str, float]:
    """MiB: resident now, of that not backed by a file, and resident at its most."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {key: int(lines[key].split()[0]) / 1024 for key in ("VmRSS", "RssAnon", "VmHWM")}


def lines_of(pattern: str):
    for path in sorted(ROOT.glob(pattern)):
        yield from map(json.loads, path.read_text().splitlines())


class Requests:
    """Bodies for each kind. Nothing that should be computed is asked twice."""

    def __init__(self, services: Services, home: Home):
        self.services = services
        self.api, self.mcp = home.token("promptsales-cli", AUDIENCE), home.token("promptsales-cli", home.gateway + "/mcp")
        self.texts = [line["text"] for line in lines_of("embedder/eval/search.jsonl")]
        kept = lines_of("sales-warehouse/questions/eval/dev*.jsonl")
        self.questions = [line["text"] for line in kept if line["expect"]["kind"] == "answer"]
        self.number = itertools.count()

    def wait_for_the_index(self):
        """Until the catalogue is in: the publisher embeds it at the start."""
        until = time.monotonic() + START_SECONDS
        headers = {"Authorization": f"Bearer {self.api}"}
        while True:
            request = urllib.request.Request(self.services.url("embedder") + "/v1/index/status", headers=headers)
            with urllib.request.urlopen(request, timeout=10) as answer:
                if all(index["documents"] >= CATALOGUE for index in json.load(answer)["indexes"]):
                    return
            if time.monotonic() > until:
                raise SystemExit("the catalogue is not indexed")
            time.sleep(0.2)

    def description(self):
        number = next(self.number)
        return f"{self.texts[number % len(self.texts)]} {number}"

    def question(self):
        return self.questions[next(self.number) % len(self.questions)]

    def tool(self, name, arguments):
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
        return "mcp-gateway", "POST", "/mcp", body

    def of(self, kind: str):
        if kind == "embeddings":
            return "embedder", "POST", "/v1/embeddings", {"input": self.description()}
        if kind == "getContent, new":
            return "content-api", "POST", "/v1/getContent", {"description": self.description()}
        if kind == "getContent, cached":
            return "content-api", "POST", "/v1/getContent", {"description": self.texts[0]}
        if kind == "rendition, new":
            path = f"/v1/content/running-shoes-sunrise-track/image?width={200 + next(self.number) % 800}"
            return "content-api", "GET", path, None
        if kind == "question":
            return "sales-warehouse", "POST", "/v1/questions", {"text": self.question()}
        if kind == "MCP ask, figures":
            return self.tool("ask", {"question": self.question()})
        if kind == "MCP ask, images":
            return self.tool("ask", {"question": "images of " + self.description()})
        raise KeyError(kind)

    def send(self, connections: dict, kind: str) -> tuple[float, bool]:
        """The seconds that an answer took, and whether it was a refusal for want of capacity (503)."""
        service, method, path, body = self.of(kind)
        if service not in connections:
            connections[service] = http.client.HTTPConnection("127.0.0.1", self.services.ports[service], timeout=60)
        headers = {"Authorization": f"Bearer {self.mcp if service == 'mcp-gateway' else self.api}"}
        if service == "mcp-gateway":
            headers |= {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        begun = time.perf_counter()
        connections[service].request(method, path, body and json.dumps(body), headers)
        answer = connections[service].getresponse()
        content = answer.read()
        took = time.perf_counter() - begun
        refused = answer.status == 503
        if answer.status != 200 and not refused or service == "mcp-gateway" and b'"error"' in content[:60]:
            raise SystemExit(f"{kind}: {answer.status}: {content[:500]!r}")
        return took, refused


def drive(requests: Requests, kind: str, count: int, clients: int) -> list[tuple[float, bool]]:
    """What `send` says of each of `count` requests, from so many clients, each one at a time."""
    took, left, lock, failed = [], iter(range(count)), threading.Lock(), []

    def client():
        connections = {}
        try:
            while True:
                with lock:
                    if next(left, None) is None:
                        return
                one = requests.send(connections, kind)
                with lock:
                    took.append(one)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise SystemExit(str(failed[0]))
    return took


class Meter:
    def __init__(self, services: Services, home: Home):
        self.pids = {name: services.processes[name].pid for name in NAMES}
        self.postmaster = home.postmaster
        self.idle = dict.fromkeys([*NAMES, "postgres"], 0.0)

    def now(self) -> dict[str, float]:
        return {name: cpu(pid) for name, pid in self.pids.items()} | {"postgres": cpu(self.postmaster, True)}

    def rest(self):
        before = self.now()
        time.sleep(IDLE_SECONDS)
        self.idle = {name: (after - before[name]) / IDLE_SECONDS for name, after in self.now().items()}

    def measure(self, requests: Requests, kind: str, count: int, clients: int) -> dict:
        drive(requests, kind, max(clients, count // 20), clients)
        before, begun = self.now(), time.perf_counter()
        answers = drive(requests, kind, count, clients)
        seconds, after = time.perf_counter() - begun, self.now()
        spent = {name: 1000 * max(0.0, after[name] - before[name] - self.idle[name] * seconds) / count for name in after}
        took = sorted(seconds for seconds, refused in answers if not refused)
        if not took:
            raise SystemExit(f"{kind}: all {count} requests of {clients} clients were refused")
        at = lambda share: round(1000 * took[int(share * (len(took) - 1))], 2)
        return {"kind": kind, "requests": count, "clients": clients, "refused": count - len(took), "per second": round(len(took) / seconds, 1),
                "cpu ms": {name: round(ms, 2) for name, ms in spent.items()}, "p50 ms": at(0.5), "p95 ms": at(0.95)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--binaries", type=Path, required=True)
    parser.add_argument("--requests", type=int, default=600)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    home = Home(options.home)
    count = options.requests
    with tempfile.NamedTemporaryFile() as log, Services(home, options.binaries, Path(log.name)) as services:
        requests, meter = Requests(services, home), Meter(services, home)
        requests.wait_for_the_index()
        started = {name: memory(pid) for name, pid in meter.pids.items()}
        meter.rest()
        results = [meter.measure(requests, kind, of, clients) for kind, of, clients in [
            ("embeddings", count, 2), ("getContent, new", count, 2), ("getContent, cached", 5 * count, 4),
            ("rendition, new", count // 2, 2), ("question", count, 2), ("MCP ask, figures", count // 2, 2),
            ("MCP ask, images", count // 2, 2), ("getContent, cached", 10 * count, 300), ("getContent, new", count, 300),
        ]]
        served = {name: memory(pid) for name, pid in meter.pids.items()}
        sources = {"PROMPTADS_URL": home.database("promptads"), "PROMPTCRM_URL": home.database("promptcrm")}
        before = cpu(home.postmaster, True)
        seconds, most = services.run("sales-warehouse", "etl", "--once", **sources)
        run = {"cpu s": round(seconds, 2), "postgres cpu s": round(cpu(home.postmaster, True) - before, 2), "MiB": round(most)}
    report = {"results": results, "memory": {"started": started, "served": served}, "etl": run}
    if options.out:
        options.out.write_text(json.dumps(report, indent=1) + "\n")
    show(report)


def show(report: dict):
    names = [*NAMES, "postgres"]
    print(f"| request | clients | answered | refused | p50 ms | p95 ms | a second | {' | '.join(f'{name}, CPU ms' for name in names)} |")
    print("|---" * (7 + len(names)) + "|")
    for one in report["results"]:
        spent = " | ".join(str(one["cpu ms"][name]) for name in names)
        print(f"| {one['kind']} | {one['clients']} | {one['requests'] - one['refused']} | {one['refused']} | {one['p50 ms']} | {one['p95 ms']} | {one['per second']} | {spent} |")
    print("\n| service | MiB when started | of that its own | MiB at most |\n|---|---|---|---|")
    for name in NAMES:
        started, served = report["memory"]["started"][name], report["memory"]["served"][name]
        print(f"| {name} | {started['VmRSS']:.0f} | {started['RssAnon']:.0f} | {served['VmHWM']:.0f} |")
    print(f"\netl --once: {report['etl']}")


if __name__ == "__main__":
    main()
