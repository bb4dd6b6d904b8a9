"""Measures the disk space of affectd's base install: python tools/install_size.py FOLDER.

Makes a fresh virtual environment in FOLDER, installs the checkout into it without extras, as on a device, and
lists the size of each package, including the bytecode that pip compiles. Needs virtualenv, which comes with
nox.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GOAL_MB = 180
"""Largest size that the base install may have, bytecode included."""

LIST_FILES = """
import importlib.metadata, json
print(json.dumps({d.metadata["Name"]: [str(d.locate_file(f)) for f in d.files or ()]
                  for d in importlib.metadata.distributions()}))
"""


def installed_bytes(files: list[str]) -> tuple[int, int]:
    """Bytes of all files, and of the bytecode among them; a file that is listed twice counts once."""
    sizes = {path: path.stat().st_size for path in {Path(name).resolve() for name in files} if path.is_file()}
    return sum(sizes.values()), sum(size for path, size in sizes.items() if path.suffix == ".pyc")


def main(folder: Path) -> int:
    """Measure and print; returns 1 if the goal is missed."""
    subprocess.run([sys.executable, "-m", "virtualenv", "--quiet", "--clear", folder], check=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--compile", ROOT], check=True)
    listing = subprocess.run([python, "-c", LIST_FILES], capture_output=True, text=True, check=True)
    rows = sorted(
        ((*installed_bytes(files), name) for name, files in json.loads(listing.stdout).items()), reverse=True
    )
    environment = sum(
        path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink()
    )

    out = csv.writer(sys.stdout, delimiter="\t", lineterminator="\n")
    out.writerow(["MB", "of which bytecode", "package"])
    for size, bytecode, name in rows:
        out.writerow([f"{size / 1e6:.1f}", f"{bytecode / 1e6:.1f}", name])
    total = sum(size for size, _, _ in rows)
    bytecode = sum(part for _, part, _ in rows)
    out.writerow([f"{total / 1e6:.1f}", f"{bytecode / 1e6:.1f}", "all packages"])
    out.writerow([f"{environment / 1e6:.1f}", "", "the whole environment"])
    sys.stdout.write(f"goal: at most {GOAL_MB} MB, {'met' if environment <= GOAL_MB * 1e6 else 'MISSED'}\n")
    return int(environment > GOAL_MB * 1e6)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1])))
