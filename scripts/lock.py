"""`make lock`: turn requirements/*.in into hashed locks that name no address. Takes the newest versions allowed."""

import subprocess
import sys

from scripts.environment import LOCKS, ROOT, VENV


def main() -> None:
    for name in LOCKS:
        command = [
            str(VENV / "bin" / "uv"), "pip", "compile", "--quiet", "--upgrade", "--universal",
            "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate",
            "--no-emit-index-url", "--no-emit-find-links",
            f"requirements/{name}.in", "--output-file", f"requirements/{name}.txt",
        ]  # fmt: skip
        if name != LOCKS[0]:
            command += ["--constraints", f"requirements/{LOCKS[0]}.txt"]
        done = subprocess.run(command, cwd=ROOT)
        if done.returncode:
            sys.exit(done.returncode)
        print(f"requirements/{name}.txt")


if __name__ == "__main__":
    main()
