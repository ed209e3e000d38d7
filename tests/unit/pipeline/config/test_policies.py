"""What each role may reach: its own directories, and no key or secret of another role's."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config.load import load
from pipeline.config.model import ROLES
from pipeline.config.policies import policy_of
from pipeline.config.roles import RoleSettings
from pipeline.installation import Installation
from runtime.sandbox import kernel
from runtime.sandbox.role import RolePolicy, rights

_SECRETS = (
    *("custodian/keyring", "custodian/custodian-keys", "postgres/owner.secret", "store/access-key.secret"),
    *("secrets/database-tallenne_custodian.secret", "serve/api.key", "recorder/main/identity", "tallenne.toml"),
)
_OWN = {
    "custodian": set(_SECRETS),  # heads of the audit chain lie in the data directory itself
    "serve": {"serve/api.key"},
    "ingest": {"recorder/main/identity"},
    # Its copies are sealed at once. The custodian's own keys are among them, the keyring is not.
    "backup": set(_SECRETS) - {"custodian/keyring"},
}


def policy(root: Path, role: str) -> RolePolicy:
    (root / "tallenne.toml").write_text('[[site]]\nname = "Gym"\n[ingest]\nrecorder = "main"\n')
    for name in _SECRETS:
        (root / name).parent.mkdir(exist_ok=True, parents=True)
        (root / name).touch()
    return policy_of(
        role, RoleSettings(loaded=load(root / "tallenne.toml"), installation=Installation(root), endpoints={})
    )


@pytest.mark.parametrize("role", [*ROLES, "backup"])
def test_role_reads_no_secret_but_its_own(tmp_path: Path, role: str) -> None:
    found = policy(tmp_path, role)
    for directory in found.writes:
        directory.mkdir(exist_ok=True, parents=True)
    allowed = rights(found)
    readable = {
        name
        for name in _SECRETS
        if any(which & kernel.READ_FILE for path, which in allowed.items() if (tmp_path / name).is_relative_to(path))
    }
    assert readable == _OWN.get(role, set())


@pytest.mark.parametrize("role", [*ROLES, "backup"])
def test_every_role_writes_its_state_and_temporary_files(tmp_path: Path, role: str) -> None:
    found = policy(tmp_path, role)
    assert {tmp_path / "run", tmp_path / "tmp"} <= set(found.writes)
    assert found.workers is (role in ("ingest", "serve", "live"))


def test_live_starts_no_process_where_it_converts_nothing(tmp_path: Path) -> None:
    (tmp_path / "tallenne.toml").write_text('[[site]]\nname = "Gym"\n[live]\nconversions_max = 0\n')
    loaded = load(tmp_path / "tallenne.toml")
    settings = RoleSettings(loaded=loaded, installation=Installation(tmp_path), endpoints={})
    assert not policy_of("live", settings).workers


def test_workers_of_ingest_have_a_spool_each(tmp_path: Path) -> None:
    (tmp_path / "tallenne.toml").write_text('[[site]]\nname = "Gym"\n[ingest]\nworkers = 2\n')
    loaded = load(tmp_path / "tallenne.toml")
    settings = RoleSettings(loaded=loaded, installation=Installation(tmp_path), endpoints={})
    first, second = (policy_of("ingest", settings, worker=number) for number in (0, 1))
    assert tmp_path / "spool" in first.writes
    assert tmp_path / "spool-1" in second.writes
    assert not {tmp_path / "spool"} & set(second.writes)


def test_key_of_the_custodians_port_is_read_by_the_custodian_alone(tmp_path: Path) -> None:
    port = 'tls_ca = "tls/authority.pem"\ncertificate = "tls/certificate.pem"\nkey = "tls/key.pem"\n'
    text = f'[[site]]\nname = "Gym"\n[custodian.listen]\nhost = "192.0.2.1"\ncallers = {{}}\n{port}'
    (tmp_path / "tallenne.toml").write_text(text)
    (tmp_path / "data").mkdir()
    (tmp_path / "tls").mkdir()
    for name in ("authority", "certificate", "key"):
        (tmp_path / "tls" / f"{name}.pem").touch()
    loaded = load(tmp_path / "tallenne.toml")
    settings = RoleSettings(loaded=loaded, installation=Installation(tmp_path / "data"), endpoints={})
    key = tmp_path / "tls" / "key.pem"
    readers = {role for role in ROLES if any(key.is_relative_to(path) for path in policy_of(role, settings).reads)}
    assert readers == {"custodian"}
