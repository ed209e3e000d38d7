"""The settings of each role, from the configuration, the data directory and the services' addresses."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alarms.conditions import DELAYS_S
from alarms.send.http import secret_bytes
from alarms.settings import AlarmSettings, MailSettings, RuleSettings, WatchSettings, WebhookSettings
from api.settings import ServeSettings
from domain.ids import CameraId, DoorId, SiteId, camera_id_of, door_id_of, site_id_of
from domain.time import seconds_to_ns
from indexer.settings import BrokerSettings, DoorSettings, IndexSettings, TopicRule
from ingest.settings import CameraSettings, IngestSettings, SourceKind, TlsLevel, Transport
from pipeline.config.check import secret_value
from pipeline.config.load import Loaded
from pipeline.config.model import Camera, Secret, Site, Users
from pipeline.embedded.broker import ECHO_TOPIC, INDEX_USER
from pipeline.embedded.postgres import DATABASE, OWNER
from pipeline.errors import SetupError
from pipeline.installation import Installation
from pipeline.secret_files import read_secret
from runtime.settings import CustodianSettings, DatabaseSettings, SpoolSettings, StoreSettings
from storage.catalogue.inventory import CameraEntry, DoorEntry, Inventory, MappingEntry, SiteEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSettings:
    """Builds every role's settings. SetupError when a secret is missing."""

    loaded: Loaded
    installation: Installation
    endpoints: dict[str, Any]

    @property
    def run_directory(self) -> Path:
        """Where the roles' status files are."""
        return run_directory_of(self.loaded, self.installation)

    @property
    def custodian_socket(self) -> Path:
        """The configured socket, or the installation's."""
        return self._path(self.loaded.config.custodian.socket) or self.installation.custodian_socket

    @property
    def audit_heads(self) -> Path:
        """The configured file of signed heads, or the installation's."""
        return self._path(self.loaded.config.custodian.audit_heads) or self.installation.root / "audit-heads"

    # -- Services

    def database(self, role: str) -> DatabaseSettings:
        """role: "owner", "ingest", "index", "custodian" or "serve"."""
        own = self.loaded.config.database
        user = OWNER if role == "owner" else f"tallenne_{role}"
        if own is None:
            place = self.endpoints["database"]
            if role == "owner":
                password = read_secret(self.installation.root / "postgres" / "owner.secret")
            else:
                password = self.installation.role_password(user)
            return DatabaseSettings(
                host=place["host"], port=place["port"], database=DATABASE, user=user, password=password
            )
        return DatabaseSettings(
            host=own.host,
            port=own.port,
            database=own.name,
            user=own.owner if role == "owner" else user,
            password=self._secret(getattr(own, f"{role}_password")),
            tls_ca=self._path(own.tls_ca),
        )

    def store(self) -> StoreSettings:
        """Settings of the configured store, or of the embedded one."""
        own = self.loaded.config.store
        if own is None:
            place = self.endpoints["store"]
            folder = self.installation.root / "store"
            return StoreSettings(
                endpoint=place["endpoint"],
                secure=False,
                bucket=place["bucket"],
                access_key=read_secret(folder / "access-key.secret"),
                secret_key=read_secret(folder / "secret-key.secret"),
            )
        return StoreSettings(
            endpoint=own.endpoint,
            secure=own.tls,
            bucket=own.bucket,
            access_key=self._secret(own.access_key),
            secret_key=self._secret(own.secret_key),
            region=own.region,
            tls_ca=self._path(own.tls_ca),
        )

    def broker(self) -> BrokerSettings:
        """Settings of the configured broker, or of the embedded one."""
        own = self.loaded.config.broker
        if own is None:
            place = self.endpoints["broker"]
            password = read_secret(self.installation.root / "broker" / f"{INDEX_USER}.secret")
            return BrokerSettings(
                host=place["host"],
                port=place["port"],
                user_name=INDEX_USER,
                password=password,
                client_id=self._client_id,
                echo_topic=ECHO_TOPIC,
            )
        return BrokerSettings(
            host=own.host,
            port=own.port,
            user_name=own.user_name,
            password=self._secret(own.password),
            client_id=own.client_id or self._client_id,
            tls=own.tls,
            tls_ca=self._path(own.tls_ca),
        )

    @property
    def _client_id(self) -> str:
        """Of this installation's indexer: 23 letters and digits, which every broker accepts (MQTT 3.1.1, 3.1.3.1)."""
        return f"tallenneindex{self.installation.identity}"

    # -- Roles

    def spool_of(self, worker: int) -> Path:
        """Each worker's own."""
        directory = self._path(self.loaded.config.spool.directory) or self.installation.root / "spool"
        return directory.with_name(f"{directory.name}-{worker}") if worker else directory

    def ingest(self, worker: int = 0) -> IngestSettings:
        """``worker``: of as many as the configuration says; each records its share of the cameras."""
        config = self.loaded.config
        workers = config.ingest.workers
        cameras = [
            self._camera(site, camera)
            for site in config.site
            for camera in site.camera
            if _share(_camera_id(_site_id(site), camera), workers) == worker
        ]
        spool, directory = config.spool, self.spool_of(worker)
        name = f"{config.ingest.recorder}-{worker}" if worker else config.ingest.recorder
        return IngestSettings(
            cameras=tuple(cameras),
            spool=SpoolSettings(
                directory=directory,
                max_bytes=int(spool.max_gib * (1 << 30)) // workers,
                fsync=spool.fsync,
                when_full=spool.when_full,
            ),
            store=self.store(),
            database=self.database("ingest"),
            custodian_socket=self.custodian_socket,
            recorder_directory=self.installation.root / "recorder" / name,
            recorder_name=name,
            run_directory=self.run_directory,
            upload_concurrency=config.ingest.uploads,
        )

    def cameras_without_secrets(self) -> list[CameraSettings]:
        """All of them, for what does not connect to any."""
        sites = self.loaded.config.site
        return [self._camera(site, camera, secrets=False) for site in sites for camera in site.camera]

    def topics(self) -> tuple[TopicRule, ...]:
        """Which messages at the broker are door events, and how they are read."""
        sites = {site.name: _site_id(site) for site in self.loaded.config.site}
        return tuple(
            TopicRule(
                pattern=system.topic,
                decoder=system.decoder,
                site_id=sites[system.site],
                ids_restart=system.ids_restart,
            )
            for system in self.loaded.config.door_system
        )

    def index(self) -> IndexSettings:
        """Settings of the indexer."""
        doors = [
            DoorSettings(door_id=entry.door_id, site_id=entry.site_id, name=entry.name, external_id=entry.external_id)
            for entry in self.inventory().doors
        ]
        return IndexSettings(
            database=self.database("index"),
            broker=self.broker(),
            topics=self.topics(),
            doors=tuple(doors),
            custodian_socket=self.custodian_socket,
            run_directory=self.run_directory,
        )

    def custodian(self) -> CustodianSettings:
        """User ids that may call the custodian: the installation's own, or those that the configuration names."""
        own = self.loaded.config.custodian
        me = str(os.geteuid())
        apart = own.users is not None
        users = own.users or Users(ingest=me, index=me, serve=me, operator=me)
        ingest, index, serve = (_uid(name) for name in (users.ingest, users.index, users.serve))
        return CustodianSettings(
            database=self.database("custodian"),
            directory=self._path(own.directory) or self.installation.root / "custodian",
            socket=self.custodian_socket,
            run_directory=self.run_directory,
            audit_heads=self.audit_heads,
            allowed_uids=(ingest, index, serve),
            enroller_uids=(ingest,),
            opener_uids=(serve,),
            intake_uids=() if apart else None,
            operator_uids=(_uid(users.operator),),
            keyring_replicas=tuple(self.loaded.resolve(path) for path in own.keyring_replicas),
        )

    def serve(self) -> ServeSettings:
        """Settings of the staff API."""
        own = self.loaded.config.serve
        return ServeSettings(
            database=self.database("serve"),
            store=self.store(),
            custodian_socket=self.custodian_socket,
            run_directory=self.run_directory,
            secret_directory=self.installation.root / "serve",
            roles=tuple(self.loaded.config.roles),
            host=own.host,
            port=own.port or self.endpoints.get("serve", {}).get("port", 0),
            tls_certificate=self._path(own.certificate),
            tls_key=self._path(own.key),
            default_language=own.language,
            metrics_token=self._secret(own.metrics_token) if own.metrics_token else "",
            trusted_proxies=own.trusted_proxies,
            connections_max=own.connections_max,
            connections_per_address=own.connections_per_address,
        )

    def alarms(self, *, secrets: bool = True) -> AlarmSettings:
        """``secrets``: False leaves them out, for users who may look but not read them; nothing can be sent then."""
        own, roles = self.loaded.config.alarms, self.loaded.config.roles
        zones = {site.time_zone for site in self.loaded.config.site}
        disks = {"data": self.installation.root}
        if "ingest" in roles:
            disks["spool"] = self.spool_of(0)
        return AlarmSettings(
            name=own.name,
            time_zone=zones.pop() if len(zones) == 1 else "UTC",
            run_directory=self.run_directory,
            directory=self.installation.alarms,
            disks=disks,
            roles=tuple(roles),
            dead_man_url=own.dead_man_url or "",
            watch=WatchSettings(
                off=frozenset(own.off),
                disk_full_h=own.disk_full_h,
                spool_full_h=own.spool_full_h,
                keys_left_h=own.keys_left_h,
                door_silent_h=own.door_silent_h,
                quarantine_per_h=own.quarantine_per_h,
                restarts=own.restarts,
            ),
            rules=RuleSettings(
                delays_s={**DELAYS_S, **own.delay_s}, hold_s=own.hold_s, group_s=own.group_s, remind_h=own.remind_h
            ),
            mail=self._mail(secrets=secrets),
            webhook=self._webhook(secrets=secrets),
        )

    def _mail(self, *, secrets: bool) -> MailSettings | None:
        own = self.loaded.config.alarms.mail
        if own is None:
            return None
        return MailSettings(
            host=own.host,
            port=own.port,
            sender=own.sender,
            recipients=own.recipients,
            tls=own.tls,
            tls_ca=self._path(own.tls_ca),
            user_name=own.user_name,
            password=self._secret(own.password) if own.password and secrets else "",
        )

    def _webhook(self, *, secrets: bool) -> WebhookSettings | None:
        own = self.loaded.config.alarms.webhook
        if own is None:
            return None
        secret = secret_bytes(self._secret(own.secret)) if secrets else b""
        return WebhookSettings(url=own.url, secret=secret, tls_ca=self._path(own.tls_ca))

    def inventory(self) -> Inventory:
        """What the database is to know of the configuration."""
        sites, cameras, doors, mappings = [], [], [], []
        for site in self.loaded.config.site:
            site_id = _site_id(site)
            sites.append(SiteEntry(site_id=site_id, name=site.name, time_zone=site.time_zone))
            ids = {camera.name: _camera_id(site_id, camera) for camera in site.camera}
            cameras += [
                CameraEntry(
                    camera_id=ids[camera.name],
                    site_id=site_id,
                    name=camera.name,
                    retention_s=camera.retention_h * 3600,
                )
                for camera in site.camera
            ]
            for door in site.door:
                door_id = DoorId(door.id) if door.id else door_id_of(site_id, door.name)
                doors.append(DoorEntry(door_id=door_id, site_id=site_id, name=door.name, external_id=door.external_id))
                mappings += [
                    MappingEntry(
                        door_id=door_id,
                        camera_id=ids[seen.name],
                        before_ns=seconds_to_ns(seen.before_s),
                        after_ns=seconds_to_ns(seen.after_s),
                    )
                    for seen in door.cameras
                ]
        return Inventory(sites=tuple(sites), cameras=tuple(cameras), doors=tuple(doors), mappings=tuple(mappings))

    def _camera(self, site: Site, camera: Camera, *, secrets: bool = True) -> CameraSettings:
        site_id = _site_id(site)
        tls = camera.url.startswith("rtsps:")
        return CameraSettings(
            camera_id=_camera_id(site_id, camera),
            site_id=site_id,
            name=camera.name,
            url=camera.url,
            user_name=camera.user_name,
            password=self._secret(camera.password) if camera.password and secrets else "",
            source=SourceKind(camera.source),
            transport=Transport.TLS if tls else Transport(camera.transport),
            tls_ca=self._path(camera.tls_ca),
            tls_fingerprint=camera.tls_fingerprint,
            tls_level=TlsLevel(camera.tls_level),
            basic_auth=camera.basic_auth,
            audio=camera.audio,
            audio_reason=camera.audio_reason,
            segment_s=camera.segment_s,
            segment_max_s=camera.segment_max_s,
            allowed_networks=camera.networks,
        )

    def _secret(self, secret: Secret) -> str:
        return secret_value(secret, self.loaded.resolve)

    def _path(self, path: Path | None) -> Path | None:
        return None if path is None else self.loaded.resolve(path)


def run_directory_of(loaded: Loaded, installation: Installation) -> Path:
    """The configuration's, shared by roles under several users, or the data directory's own. SetupError."""
    if loaded.config.run is None:
        return installation.run
    path = loaded.resolve(loaded.config.run)
    if not path.is_dir():
        raise SetupError(f"The run directory {path} is not there.", f"Make it: install -d -m 1777 {path}")
    return path


def _uid(name: str) -> int:
    if name.isdigit():
        return int(name)
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        raise SetupError(
            f"There is no user {name!r} on this machine.", f"Make it: useradd --system {name}; or correct its name."
        ) from None


def _site_id(site: Site) -> SiteId:
    return SiteId(site.id) if site.id else site_id_of(site.name)


def _camera_id(site_id: SiteId, camera: Camera) -> CameraId:
    return CameraId(camera.id) if camera.id else camera_id_of(site_id, camera.name)


def _share(camera_id: CameraId, workers: int) -> int:
    """Which worker records a camera: always the same one, whatever other cameras there are."""
    return camera_id.int % workers
