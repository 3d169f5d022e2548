"""Make `.venv` hold exactly what the locks say.

    python3 -m scripts.environment [base|dev]

`base` is what it takes to run Marelle, `dev` adds what it takes to prove it. Nothing is done while the lock, the
project's declaration and the interpreter are the same as the last time. Runs on any Python ≥ 3.11 with nothing
installed; where the system keeps `venv` in a package of its own (Debian), root gets it installed, anybody else is
told the one command.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
ADMIN = VENV / "bin" / "marelle-admin"
LOCKS = ("base", "dev")  # each holds everything of the one before, at the same versions
OLDEST = (3, 11)


def lock(name: str) -> Path:
    return ROOT / "requirements" / f"{name}.txt"


def fingerprint(*paths: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def install_packages(packages: Sequence[str], *, why: str) -> None:
    """Install Debian packages when root; otherwise leave with the one command that does.

    Exits with status 1 when it cannot.
    """
    names = " ".join(packages)
    if shutil.which("apt-get") is None:
        sys.exit(f"Missing: {names} ({why}). Install it with your system's own package manager, then try again.")
    if os.geteuid() != 0:
        sys.exit(f"Missing: {names} ({why}). Run this, then try again:\n\n    sudo apt-get install {names}\n")
    print(f"Installing {names} ({why})…", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
    ):
        done = subprocess.run(command, env=quiet, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode and command[1] == "install":
            sys.exit(f"{done.stdout}{done.stderr}\n{' '.join(command)} failed.")


def works(python: Path) -> bool:
    """Whether this interpreter still starts, is new enough and has pip: a moved or half-made one does not."""
    probe = f"import sys, pip; sys.exit(sys.version_info < {OLDEST})"
    return python.exists() and subprocess.run([python, "-c", probe], capture_output=True).returncode == 0


def ensure(name: str = "base") -> None:
    """Bring `.venv` to the state of the named lock. Exits with a sentence when it cannot."""
    if sys.version_info < OLDEST:
        sys.exit(f"Marelle needs Python {'.'.join(map(str, OLDEST))} or newer; this is {sys.version.split()[0]}.")
    if not works(PYTHON):
        if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
            install_packages(["python3-venv"], why="Python's own virtual environments")
        print("Making .venv…", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)

    wanted = {held: fingerprint(lock(held)) for held in LOCKS}
    stamps = {held: VENV / f"marelle-{held}.stamp" for held in LOCKS}
    enough = LOCKS[LOCKS.index(name) :]
    if not any(stamps[held].exists() and stamps[held].read_text() == wanted[held] for held in enough):
        print(f"Installing what requirements/{name}.txt lists…", flush=True)
        for stamp in stamps.values():
            stamp.unlink(missing_ok=True)
        pip("install", "--require-hashes", "-r", str(lock(name)))
        stamps[name].write_text(wanted[name])

    declared = fingerprint(ROOT / "pyproject.toml")
    stamp = VENV / "marelle-project.stamp"
    if not (ADMIN.exists() and stamp.exists() and stamp.read_text() == declared):
        pip("install", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
        stamp.write_text(declared)


def pip(*arguments: str) -> None:
    """Run `.venv`'s pip; what it says is shown only when it fails."""
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}\npip {' '.join(arguments)} failed.")


def main(arguments: Sequence[str]) -> None:
    name = arguments[0] if arguments else "base"
    if name not in LOCKS:
        sys.exit(f"No lock is called {name!r}: say one of {', '.join(LOCKS)}.")
    ensure(name)


if __name__ == "__main__":
    main(sys.argv[1:])
