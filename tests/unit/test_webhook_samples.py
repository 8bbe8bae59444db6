"""The sample verifiers, run as their readers would: what is genuine is believed, replayed or tampered ones are not."""

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.webhooks.signature import signature_headers

SAMPLES = Path(__file__).parents[2] / "docs" / "samples" / "webhooks"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEWER = "whsec_c2VjcmV0LW51bWJlci10d28taXMtbmV3ZXI="
STRANGER = "whsec_c29tZWJvZHktZWxzZXMtc2VjcmV0LWVudGlyZWx5"
BODY = '{"data":{"title":"Réunion 张伟"},"meta":{}}'


def find_compiler() -> str | None:
    """Return Mono's C# compiler, where it has the library by which the sample reads JSON: they are packages apart."""
    compiler, mono = shutil.which("mcs"), shutil.which("mono")
    if compiler is None or mono is None:
        return None
    libraries = Path(mono).resolve().parents[1] / "lib" / "mono"
    return compiler if any(libraries.rglob("System.Runtime.Serialization.dll")) else None


RUNTIMES = {
    name: found
    for name, found in {
        "verify.py": sys.executable,
        "verify.js": shutil.which("node"),
        "verify.php": shutil.which("php"),
        "Verify.cs": find_compiler(),
    }.items()
    if found
}
"""What runs each sample, as far as it is at hand. C# is compiled and run by Mono, the .NET that distributions have."""


def command(name: str, directory: Path) -> list[str]:
    """Return what runs a sample; C# is compiled into *directory* before."""
    if name != "Verify.cs":
        return [RUNTIMES[name], str(SAMPLES / name)]
    program = str(directory / "Verify.exe")
    compiler = [RUNTIMES[name], "-r:System.Runtime.Serialization", f"-out:{program}", str(SAMPLES / name)]
    done = subprocess.run(compiler, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return ["mono", program]


def message(
    number: int, *, body: str = BODY, sent: str | None = None, age: float = 0.0, secrets: tuple[str, ...] = (SECRET,)
) -> dict[str, object]:
    """Return a message as it arrives; `sent` is what arrives in the place of what was signed."""
    at = datetime.now(UTC) - timedelta(seconds=age)
    headers = signature_headers(f"msg_{number}", at, body.encode(), secrets=secrets, header="X-Lapin-Signature")
    return {"headers": headers, "body": sent if sent is not None else body}


def without(name: str, whole: dict[str, object]) -> dict[str, object]:
    headers = whole["headers"]
    assert isinstance(headers, dict)
    return {**whole, "headers": {key: value for key, value in headers.items() if key != name}}


def with_header(name: str, value: str, whole: dict[str, object]) -> dict[str, object]:
    headers = whole["headers"]
    assert isinstance(headers, dict)
    return {**whole, "headers": {**headers, name: value}}


def arrivals() -> list[tuple[dict[str, object], str]]:
    """Return messages, signed just now, with what is to be said of each."""
    first = message(1)
    return [
        (first, "genuine"),
        (first, "refused: seen before"),
        (message(2, sent=BODY.replace("Réunion", "Réunion!")), "refused: wrong signature"),
        (message(3, age=400), "refused: too old"),
        (message(4, age=-400), "refused: too old"),
        (message(5, secrets=(STRANGER,)), "refused: wrong signature"),
        (with_header("webhook-id", "msg_99", message(6)), "refused: wrong signature"),
        (with_header("webhook-timestamp", "soon", message(7)), "refused: no id or timestamp"),
        (without("webhook-signature", message(8)), "refused: wrong signature"),
        (without("webhook-id", message(9)), "refused: no id or timestamp"),
        (with_header("X-Lapin-Signature", "0" * 64, message(10)), "refused: wrong X-Lapin-Signature"),
        (message(11, secrets=(STRANGER, NEWER)), "refused: wrong X-Lapin-Signature"),
        (message(12, secrets=(NEWER, STRANGER)), "genuine"),
        (message(2), "genuine"),
    ]


@pytest.mark.parametrize("name", RUNTIMES)
def test_a_sample_believes_what_is_genuine_and_nothing_else(name: str, tmp_path: Path) -> None:
    """The last one shows that a refused message does not spoil the genuine one of the same id."""
    run = command(name, tmp_path)
    expected = arrivals()
    lines = "".join(json.dumps(sent) + "\n" for sent, _ in expected)
    environment = {**os.environ, "WEBHOOK_SECRETS": f"{SECRET},{NEWER}"}

    done = subprocess.run(
        run,
        input=lines, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=90, check=False,
    )  # fmt: skip

    assert done.stderr == ""
    assert done.stdout.splitlines() == [verdict for _, verdict in expected]
