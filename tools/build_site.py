"""Build the public page, in which netcount itself runs: python tools/build_site.py FOLDER

The folder can be put on any server of files.  Pyodide comes from npm, once for each version, and is kept in
`build/`; netcount and click are the ones of this Python.  The page asks for nothing but what is in the folder, and
for what a reader names with `?url=`.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click

import netcount
from netcount.cli.serve import asker
from netcount.core.samples import sample_names, sample_path
from netcount.report.page import engine_script, site_page
from netcount.serve.vocabulary import vocabulary

ROOT = Path(__file__).resolve().parent.parent
PYODIDE = "314.0.7"
INTEGRITY = "sha512-0YvXxEhfEdpLfb/XkM2BFAeMROq0iMUX2bzzH9pOttyMcWkwq+HbE5uyuGD82LN7y2q+SNvi/6V5JEsOlD2R1A=="
"""Of the package of that version: what npm calls its integrity."""
ENGINE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
FIRST = "squeezenet_v1.1.prototxt"
"""The sample that is seen at once."""
MOST_BYTES = 2**24
BEGIN = "from netcount.cli.serve import answerer; answerer()"
FOLDER = "/lib/python3.14/site-packages"


class Missing(Exception):
    """What the site needs cannot be had here."""


def pyodide(cache: Path = ROOT / "build") -> Path:
    """The folder of Pyodide's package; npm loads it where it is not there yet.

    Raises:
        Missing: npm is not here, or cannot load it.
    """
    folder = cache / f"pyodide-{PYODIDE}"
    if folder.is_dir():
        return folder
    npm = shutil.which("npm")
    if npm is None:
        raise Missing("npm is not installed")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as work:
        done = subprocess.run(
            [npm, "pack", "--silent", "--prefer-offline", "--fetch-retries=0", f"pyodide@{PYODIDE}"],
            cwd=work,
            capture_output=True,
            text=True,
            check=False,
        )
        packages = list(Path(work).glob("*.tgz"))
        if done.returncode or not packages:
            raise Missing(f"npm cannot load pyodide {PYODIDE}")
        content = packages[0].read_bytes()
        digest = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
        if digest != INTEGRITY:
            raise SystemExit(f"build_site: what npm gave as pyodide {PYODIDE} is {digest}, not {INTEGRITY}")
        unpacked = Path(work) / "unpacked"
        unpacked.mkdir()
        with tarfile.open(fileobj=io.BytesIO(content)) as package:
            for name in ENGINE:
                stream = package.extractfile(f"package/{name}")
                assert stream is not None
                (unpacked / name).write_bytes(stream.read())
        try:
            unpacked.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was faster
                raise
    return folder


def files_of(package: ModuleType) -> Iterator[tuple[str, bytes]]:
    """The files of a package, by their paths beside it: those that its wheel has."""
    top = Path(str(package.__file__)).parent
    for path in sorted(top.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            yield path.relative_to(top.parent).as_posix(), path.read_bytes()


def archive(package: ModuleType) -> bytes:
    """A package as a zip, the same bytes for the same files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as zipped:
        for name, content in files_of(package):
            zipped.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, 9)
    return made.getvalue()


def sample(name: str) -> dict[str, object]:
    """What the page is told of a sample: its name, its text, and what netcount answers to it."""
    text = Path(str(sample_path(name))).read_text(encoding="utf-8")
    ask = asker()
    data = {**ask.answer(text, name)["data"], **ask.reasons(text, name)}
    return {"name": name, "text": text, "stamp": "", "data": data}


def build(folder: Path, cache: Path = ROOT / "build") -> None:
    """Write the site.

    Raises:
        Missing: Pyodide cannot be had.
    """
    engine = pyodide(cache)
    for part in ("pyodide", "samples"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for name in ENGINE:
        shutil.copyfile(engine / name, folder / "pyodide" / name)
    samples = {name: sample(name) for name in sample_names()}
    for name, document in samples.items():
        (folder / "samples" / f"{name}.json").write_text(_compact(document), encoding="utf-8")
    archives = {f"{package.__name__}.zip": archive(package) for package in (netcount, click)}
    for name, content in archives.items():
        (folder / name).write_bytes(content)
    boot = {
        "files": [samples[FIRST]],
        "words": vocabulary(),
        "diff": False,
        "samples": list(samples),
        "most": MOST_BYTES,
        "engine": {
            "archives": list(archives),
            "folder": FOLDER,
            "begin": BEGIN,
            "bytes": sum([(engine / name).stat().st_size for name in ENGINE if not name.endswith(".mjs")])
            + sum(map(len, archives.values())),
        },
    }
    (folder / "engine.js").write_text(engine_script(), encoding="utf-8")
    (folder / "index.html").write_text(site_page(boot).text, encoding="utf-8")


def _compact(document: object) -> str:
    return json.dumps(document, separators=(",", ":"))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    try:
        build(Path(sys.argv[1]))
    except Missing as missing:
        raise SystemExit(f"build_site: {missing}") from None
