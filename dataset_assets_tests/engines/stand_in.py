"""Slurm's commands as one program, called by the name of each: jobs are processes of this machine.

Named by links `sbatch`, `squeue`, `scancel` and `scontrol` in a folder with `jobs/`. Files in that folder say
how the cluster is: `silent` where the controller does not answer, `full` where jobs wait.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(sys.argv[0]).parent
JOBS = FOLDER / "jobs"


def option(arguments: list[str], name: str) -> str:
    return next((each.split("=", 1)[1] for each in arguments if each.startswith(f"{name}=")), "")


def fail(message: str) -> None:
    print(message, file=sys.stderr)
    sys.exit(1)


def sbatch(arguments: list[str]) -> None:
    if option(arguments, "--partition") == "nope":
        print("sbatch: error: invalid partition specified: nope", file=sys.stderr)
        fail("sbatch: error: Batch job submission failed: Invalid partition name specified")
    number = str(len(list(JOBS.iterdir())) + 1)
    job = JOBS / number
    job.mkdir()
    (job / "arguments").write_text("\n".join(arguments), encoding="utf-8")
    command = [sys.executable, __file__, "run", str(job), *arguments[arguments.index("--wrap") + 1 :]]
    subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    print(number)


def run(job: Path, command: str) -> None:
    """What a node does: waits for room, runs the job, and notes its end."""
    while (job.parents[1] / "full").exists():
        if (job / "cancelled").exists():
            return
        time.sleep(0.02)
    output = option((job / "arguments").read_text(encoding="utf-8").splitlines(), "--output")
    with Path(output.replace("%%", "%")).open("ab") as file:
        process = subprocess.Popen(["sh", "-c", command], stdout=file, stderr=file, start_new_session=True)
    (job / "pid").write_text(str(process.pid), encoding="utf-8")
    _, status = os.waitpid(process.pid, 0)
    (job / "status").write_text(str(status), encoding="utf-8")


def squeue(arguments: list[str]) -> None:
    with (FOLDER / "asked").open("a", encoding="utf-8") as file:
        file.write(".")
    assert option(arguments, "--Format"), arguments
    for job in JOBS.iterdir():
        status = (job / "status").read_text(encoding="utf-8") if (job / "status").exists() else ""
        if (job / "state").exists():
            state = (job / "state").read_text(encoding="utf-8")
        elif status or ((job / "cancelled").exists() and not (job / "pid").exists()):
            is_cancelled = (job / "cancelled").exists()
            state = "CANCELLED" if is_cancelled else "COMPLETED" if status == "0" else "FAILED"
        else:
            state = "RUNNING" if (job / "pid").exists() else "PENDING"
        if state != "FORGOTTEN":
            print(f"{job.name}|{state}|{status or 0}|None|")


def scancel(arguments: list[str]) -> None:
    job = JOBS / arguments[-1]
    (job / "cancelled").touch()
    if (job / "pid").exists():
        os.killpg(int((job / "pid").read_text(encoding="utf-8")), signal.SIGTERM)


def scontrol(arguments: list[str]) -> None:
    (FOLDER / "controlled").write_text(" ".join(arguments), encoding="utf-8")


def main() -> None:
    name, arguments = Path(sys.argv[0]).name, sys.argv[1:]
    if sys.argv[1:2] == ["run"]:
        run(Path(sys.argv[2]), sys.argv[3])
        return
    if (FOLDER / "silent").exists():
        fail(f"{name}: error: Unable to contact slurm controller (connect failure)")
    {"sbatch": sbatch, "squeue": squeue, "scancel": scancel, "scontrol": scontrol}[name](arguments)


if __name__ == "__main__":
    main()
