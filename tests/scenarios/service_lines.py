"""What a service in a process of its own prints, line by line."""

import subprocess


def until(process: subprocess.Popen[str], said: str) -> list[str]:
    """The lines up to the one in which that is said."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if said in line:
            return lines
    raise AssertionError(f"never said: {said}\n{''.join(lines)}")
