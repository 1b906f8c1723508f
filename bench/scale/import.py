"""How many images a second `promptsales import` takes in: made-up pictures and texts, a fresh home, the real thing.

    bench/scale/import.py --promptsales target/release/promptsales --images 5000

Pictures are PNG files of coloured areas with a grain, so that no two look alike and decoding them is work.
"""

import argparse
import json
import random
import subprocess
import tempfile
import time
import tomllib
import zlib
from pathlib import Path

SCENES = Path(__file__).with_name("scenes.toml")
# In the order in which they make a sentence.
PARTS = ["subjects", "actions", "places", "objects", "lights", "moods"]
START_SECONDS = 120


def png(width: int, height: int, chance: random.Random) -> bytes:
    """An image of 8-bit RGB: bands of colour, crossed by blocks, with a grain."""
    colour = lambda: bytes(chance.randrange(256) for _ in range(3))
    grain = chance.randbytes(64 * 3)
    rows, y = [], 0
    while y < height:
        tall = min(chance.randint(20, 120), height - y)
        cuts = sorted(chance.sample(range(1, width), 5))
        widths = [b - a for a, b in zip([0, *cuts], [*cuts, width])]
        band = b"".join(colour() * wide for wide in widths)
        for line in range(tall):
            at = 3 * chance.randrange(width - 64)
            # Filter type 0, then the pixels.
            rows.append(b"\0" + band[:at] + (grain if line % 3 == 0 else band[at:at + 192]) + band[at + 192:])
        y += tall
    chunk = lambda kind, data: len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)
    header = width.to_bytes(4) + height.to_bytes(4) + bytes([8, 2, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"".join(rows), 1)) + chunk(b"IEND", b"")


def make(folder: Path, images: int, seed: int) -> Path:
    chance, scenes = random.Random(seed), tomllib.loads(SCENES.read_text())
    table = folder / "catalogue.jsonl"
    with table.open("w") as lines:
        for number in range(images):
            name = f"{number:06}.png"
            (folder / name).write_bytes(png(960, 640, chance))
            parts = [chance.choice(scenes[part]) for part in PARTS]
            row = {"image": name, "id": f"scene-{number:06}"}
            for place, language in enumerate(["es", "en"]):
                row[f"{language}.description"] = " ".join(part[place] for part in parts)
                row[f"{language}.hashtags"] = ["escena" if language == "es" else "scene"]
            lines.write(json.dumps(row) + "\n")
    return table


def memory(pid: int) -> dict[str, int]:
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {key: int(lines[key].split()[0]) // 1024 for key in ("VmRSS", "RssAnon", "VmHWM")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--promptsales", type=Path, required=True, help="the binary")
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="promptsales-import-") as place:
        folder, home = Path(place) / "images", Path(place) / "home"
        folder.mkdir()
        table = make(folder, options.images, options.seed)
        size = sum(file.stat().st_size for file in folder.glob("*.png"))
        command = [options.promptsales.resolve(), "--data-dir", home]
        with (Path(place) / "up.log").open("wb") as log:
            system = subprocess.Popen([*command, "up", "--no-examples"], stdout=log, stderr=log)
        try:
            wait_for(home / "endpoints.json", system, Path(place) / "up.log")
            arguments = ["import", table, "--approve", "--holder", "Bench", "--licence", "CC0-1.0", "--json"]
            begun = time.monotonic()
            done = subprocess.run([*command, *arguments], stdout=subprocess.PIPE, text=True)
            seconds = time.monotonic() - begun
            used = memory(system.pid)
            begun = time.monotonic()
            again = subprocess.run([*command, *arguments], stdout=subprocess.PIPE, text=True)
            repeated = time.monotonic() - begun
        finally:
            system.terminate()
            system.wait(60)
    if done.returncode or again.returncode:
        raise SystemExit(f"import failed:\n{done.stdout[-2000:]}\n{again.stdout[-2000:]}")
    report = {"images": options.images, "MiB": round(size / 2**20), "seconds": round(seconds, 1),
              "a second": round(options.images / seconds, 1), "again, seconds": round(repeated, 1),
              "up, MiB": used, "said": said(done.stdout), "said again": said(again.stdout)}
    print(json.dumps(report, indent=1))


def wait_for(file: Path, system: subprocess.Popen, log: Path):
    until = time.monotonic() + START_SECONDS
    while not file.exists():
        if system.poll() is not None or time.monotonic() > until:
            raise SystemExit(f"the system does not get ready:\n{log.read_text()[-2000:]}")
        time.sleep(0.2)


def said(text: str):
    """The figures of the import's own report."""
    report = json.loads(text)
    return {key: value if isinstance(value, int | float | str) else len(value) for key, value in report.items()}


if __name__ == "__main__":
    main()
