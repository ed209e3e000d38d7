"""Reports about the staff pages: behind proxies, with renewed certificates, codes typed as apps show them, H.265."""

from __future__ import annotations

import asyncio
import os
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pyotp
import pytest

from domain.time import HOUR_NS, NS, hour_of, to_iso
from pipeline.embedded.process import free_ports
from tests.browser.chromium import CHROMIUM, chromium
from tests.cases.shared import field_case
from tests.support.cameras.video import encoded, written
from tests.support.processes.started import Started, started, wait_for

pytestmark = [pytest.mark.services, pytest.mark.slow]
PASSWORD = "hunting the fault 77"
MORE = """certificate = "cert.pem"
key = "key.pem"
trusted_proxies = ["127.0.0.1"]
"""
CAMERA = """[[site.camera]]
name = "Hall"
url = "rtsp://127.0.0.1:9/none"
zone = "hall"
purpose = "a test"
assessment = "none"
"""


@dataclass(frozen=True, slots=True)
class Gym:
    """A gym with a certificate of its own, a trusted proxy, and people who sign in."""

    running: Started
    port: int
    secrets: dict[str, str]  # of the second factors, by user name

    @property
    def base(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def code(self, user_name: str, ahead_s: float = 0.0) -> str:
        """A code counts once: ``ahead_s`` gives one of the next half minute, which is taken already."""
        return pyotp.TOTP(self.secrets[user_name]).at(int(time.time() + ahead_s))

    def sign_in(self, user_name: str, code: str, password: str = PASSWORD, **headers: str) -> httpx.Response:
        body = {"user_name": user_name, "password": password, "code": code}
        with httpx.Client(base_url=self.base, verify=False, timeout=30, headers=headers) as client:
            return client.post("/v1/sign-in", json=body)


def certificate(folder: Path, name: str) -> None:
    """A new pair in place of what is there, as a renewal leaves it."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "30", "-subj", f"/CN={name}", "-keyout", "key.new", "-out", "cert.new"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)
    (folder / "key.new").chmod(0o600)
    (folder / "key.new").replace(folder / "key.pem")
    (folder / "cert.new").replace(folder / "cert.pem")


@pytest.fixture(scope="module")
def gym(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gym]:
    field_case("certificate-renewed")
    folder = tmp_path_factory.mktemp("pages")
    (port,) = free_ports(1)
    certificate(folder, "first")
    (folder / "tallenne.toml").write_text(
        f'data = "data"\n[[site]]\nname = "Cert"\n{CAMERA}[serve]\nhost = "127.0.0.1"\nport = {port}\n{MORE}'
    )
    with pytest.MonkeyPatch.context() as patch, started(folder) as running:
        patch.setenv("TALLENNE_NEW_PASSWORD", PASSWORD)
        secrets = {}
        for name in ("anna", "berit", "clara"):
            said = running.run("staff", "add", name, "--name", name.title(), "--role", "exporter")
            found = re.search(r"secret=(\w+)", said)
            assert found
            secrets[name] = found[1]
        yield Gym(running, port, secrets)


BLANKS = [("anna", " ", 0), ("anna", "\u00a0", 30), ("berit", "-", 0), ("berit", "\u2009", 30)]


@pytest.mark.parametrize(("user_name", "blank", "ahead_s"), BLANKS)
def test_code_typed_as_the_app_shows_it_signs_in(gym: Gym, user_name: str, blank: str, ahead_s: int) -> None:
    field_case("totp-blank")
    code = gym.code(user_name, ahead_s)
    assert gym.sign_in(user_name, code[:3] + blank + code[3:]).status_code == 200
    assert gym.sign_in(user_name, code).status_code == 401  # the control: it was that code, and counts once


def test_pages_behind_nginx_take_what_it_sends(gym: Gym) -> None:
    script = (field_case("proxy-host") / "origin.py").read_text().replace("28981", str(gym.port))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    said = {line.split(" 4")[0]: line for line in done.stdout.splitlines() if " 4" in line}
    for way in ("nginx default + X-Forwarded-*", "nginx $host on :8443", "Host kept (control)"):
        assert way in said, done.stdout
        assert f"{way} 401" in said[way], done.stdout


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("gym.example:443", "https://gym.example", 401),
        ("Gym.Example", "https://gym.example", 401),
        ("gym.example", "https://other.example", 403),
        ("gym.example", "http://gym.example", 403),
        ("gym.example:8443", "https://gym.example", 403),
    ],
)
def test_hosts_are_compared_as_rfc_6454_says(gym: Gym, host: str, origin: str, status: int) -> None:
    field_case("proxy-host")
    headers = {"Host": host, "Origin": origin, "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.9"}
    found = gym.sign_in("stranger", "000000", "wrong password!", **headers)
    assert found.status_code == status, found.text
    if status == 403:
        assert "X-Forwarded-Host" in found.json()["remedy"]


def test_renewed_certificate_is_served_without_a_restart(gym: Gym) -> None:
    field_case("certificate-renewed")

    def shown() -> str:
        return ssl.get_server_certificate(("127.0.0.1", gym.port)).strip()

    folder = gym.running.directory
    before = (folder / "cert.pem").read_text().strip()
    assert shown() == before
    pid = gym.running.statuses()["serve"]["pid"]
    certificate(folder, "second")
    after = (folder / "cert.pem").read_text().strip()
    assert after != before
    wait_for(lambda: shown() == after, 120)
    assert gym.running.statuses()["serve"]["pid"] == pid


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's Chromium is not installed")
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # Playwright leaves its own transports to the collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_browser_without_h265_shows_it_converted_and_says_nothing_of_loading(gym: Gym, tmp_path: Path) -> None:
    field_case("player-loading")
    film = written(tmp_path / "film.mp4", encoded(10.0, codec="libx265"), codec="hevc")
    start_ns = hour_of(time.time_ns()) - 3 * HOUR_NS
    gym.running.run("import", str(film), "--camera", "Hall", "--start", to_iso(start_ns))
    (camera,) = gym.running.statuses()["ingest"]["cameras"]
    async with chromium() as browser:
        page = await browser.new_page(ignore_https_errors=True, locale="en-GB")
        await page.goto(f"{gym.base}/play?camera={camera}&at={to_iso(start_ns + 5 * NS)}")
        await page.fill("#user_name", "clara")
        await page.fill("#password", PASSWORD)
        await page.fill("#code", gym.code("clara"))
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#purpose button:enabled")
        await page.check("input[value=access]")
        await page.fill("#reason", "a test")
        await page.keyboard.press("Enter")
        await page.wait_for_selector(".tile:is([data-state=playing], [data-state=paused]) .converted")
        async with asyncio.timeout(30):  # a busy machine may say it for a moment, and not for as long as it plays
            while "Loading" in await page.inner_text("body"):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        if folder := os.environ.get("TALLENNE_SCREENSHOTS"):
            await page.screenshot(path=f"{folder}/h265.png")
