"""The demo's configuration: a gym of simulated cameras and doors, with passwords of its own made at first start."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from demo.members import write_members_csv
from demo.settings import DemoCamera, DemoDoor, DemoSettings
from pipeline.embedded.accounts import DOORS_USER
from pipeline.embedded.process import can_listen, free_ports
from pipeline.installation import Installation
from pipeline.secret_files import read_secret, secret
from runtime.private_files import write_private

CAMERA_NAMES = ("Entrance", "Reception", "Free weights", "Cardio", "Back door", "Functional", "Stairs", "Corridor")
SITE, SITE_TOPIC = "Demo gym", "demo"
RTSP_USER = "recorder"
STAFF_USER = "demo"
_MAIN, _BACK = ("main", "Main door"), ("back", "Back door")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoGym:
    """The parameters of the demo, stored so that a later start continues with the same gym."""

    cameras: int
    rtsp_port: int
    mail_port: int

    def name(self, number: int) -> str:
        """Of camera ``number``, from 1."""
        return CAMERA_NAMES[number - 1] if number <= len(CAMERA_NAMES) else f"Camera {number}"

    def doors_of(self, number: int) -> tuple[str, ...]:
        """External ids of the doors that camera ``number`` sees."""
        back = number == 5 if self.cameras >= 5 else number == self.cameras > 2
        return (_BACK[0],) if back else (_MAIN[0],) if number <= 2 else ()

    @property
    def doors(self) -> tuple[tuple[str, str], ...]:
        """Names and ids of the doors; a second one from three cameras on."""
        return (_MAIN, _BACK) if self.cameras > 2 else (_MAIN,)


def make_demo(installation: Installation, cameras: int | None) -> tuple[DemoGym, Path]:
    """The demo's configuration file, written anew at every start: the ports may have changed."""
    folder = installation.root / "demo"
    folder.mkdir(mode=0o700, exist_ok=True)
    kept = folder / "gym.json"
    known: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
    ports = {name: known.get(name, 0) for name in ("rtsp_port", "mail_port")}
    for name, port in ports.items():
        if not port or not can_listen(port):
            (ports[name],) = free_ports(1)
    gym = DemoGym(cameras=cameras or known.get("cameras", 4), **ports)
    write_private(kept, json.dumps(dataclasses.asdict(gym)).encode())
    secret(installation.secrets / "demo-camera.secret")
    if not (folder / "members.csv").exists():
        write_members_csv(folder / "members.csv")
    configuration = folder / "tallenne.toml"
    write_private(configuration, _toml(gym, installation).encode())
    return gym, configuration


def demo_settings(gym: DemoGym, installation: Installation, endpoints: dict[str, Any], **more: Any) -> DemoSettings:
    """Settings of the demo role."""
    return DemoSettings(
        cameras=tuple(
            DemoCamera(
                number=number,
                name=gym.name(number),
                path=f"/camera/{number}",
                door_external_ids=gym.doors_of(number),
            )
            for number in range(1, gym.cameras + 1)
        ),
        doors=tuple(DemoDoor(external_id=external, site=SITE_TOPIC, name=name) for external, name in gym.doors),
        rtsp_port=gym.rtsp_port,
        mail_port=gym.mail_port,
        rtsp_user=RTSP_USER,
        rtsp_password=read_secret(installation.secrets / "demo-camera.secret"),
        broker_host=endpoints["broker"]["host"],
        broker_port=endpoints["broker"]["port"],
        broker_user=DOORS_USER,
        broker_password=read_secret(installation.root / "broker" / f"{DOORS_USER}.secret"),
        run_directory=installation.run,
        members_csv=installation.root / "demo" / "members.csv",
        **more,
    )


def kept_gym(installation: Installation) -> DemoGym | None:
    """The gym of this data directory, if it is a demo's."""
    try:
        body = json.loads((installation.root / "demo" / "gym.json").read_text())
    except OSError:
        return None
    return DemoGym(**body)


def _toml(gym: DemoGym, installation: Installation) -> str:
    lines = [
        "# The simulated gym. Written at every start; your own configuration: `tallenne config example`.",
        f"data = {_quoted(str(installation.root))}",
        "",
        "[[site]]",
        f'name = "{SITE}"',
        'time_zone = "Europe/Helsinki"',
    ]
    for number in range(1, gym.cameras + 1):
        lines += [
            "",
            "[[site.camera]]",
            f'name = "{gym.name(number)}"',
            f'url = "rtsp://127.0.0.1:{gym.rtsp_port}/camera/{number}"',
            f'user_name = "{RTSP_USER}"',
            f"password = {{ file = {_quoted(str(installation.secrets / 'demo-camera.secret'))} }}",
            'zone = "simulated"',
            'purpose = { fi = "DEMO: ohjelman esittely", en = "DEMO: showing the program" }',
            'assessment = "DEMO: no balancing test, no DPIA; the cameras are simulated"',
        ]
    for external, name in gym.doors:
        seen = [number for number in range(1, gym.cameras + 1) if external in gym.doors_of(number)]
        cameras = ", ".join(f'{{ name = "{gym.name(number)}" }}' for number in seen)
        lines += ["", "[[site.door]]", f'name = "{name}"', f'external_id = "{external}"', f"cameras = [{cameras}]"]
    lines += [
        "",
        "[[door_system]]",
        f'site = "{SITE}"',
        f'topic = "access/{SITE_TOPIC}/+"',
        'decoder = "native"',
        "",
        "[ingest]",
        'recorder = "demo"',
        "",
        "[members]",
        f'name = "{SITE}"',
        'consents = ["My picture may be shown in the newsletter"]',
        "[members.mail]",
        'host = "127.0.0.1"',
        f"port = {gym.mail_port}",
        'tls = "none"',
        'sender = "gym@demo.example"',
        "",
        files("pipeline.demo").joinpath("controller.toml").read_text(encoding="utf-8"),
    ]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
