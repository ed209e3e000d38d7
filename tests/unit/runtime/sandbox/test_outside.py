"""A function that runs outside of the sandbox gives its answer and its errors, and ends with the process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_CHILD = """
import os, signal, sys
from pathlib import Path
from domain.errors import MisuseError, RetryableError, TallenneError
from runtime.sandbox.outside import Outside
from runtime.sandbox.role import RolePolicy, confine_role
path = Path(sys.argv[1])
def read():
    text = path.read_text()
    if text == "wrong":
        raise MisuseError("It is wrong.", "Mend it.")
    return {"pid": os.getpid(), "text": text}
outside = Outside(read)
confine_role(RolePolicy(writes=(path.parent / "own",)))
found = outside.call()
assert found["pid"] == outside.pid != os.getpid()
print(found["text"], flush=True)
input()
try:
    outside.call()
except TallenneError as error:
    print(error, flush=True)

print(outside.pid, flush=True)
"""


def test_answers_errors_and_end(tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_text("first")
    words = [sys.executable, "-c", _CHILD, str(file)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "first\n"
        file.with_name("new").write_text("wrong")
        file.with_name("new").replace(file)  # as editors do
        print(file=process.stdin, flush=True)
        assert process.stdout.readline() == "It is wrong. Mend it.\n"
        pid = int(process.stdout.readline())
    assert process.returncode == 0
    status = Path(f"/proc/{pid}/status")
    assert not status.exists() or "Z (zombie)" in status.read_text()
