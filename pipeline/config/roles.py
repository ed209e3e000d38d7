"""The settings of each role, from the configuration, the data directory and the services' addresses."""

from __future__ import annotations

import dataclasses
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
from live.settings import LiveSettings
from pipeline.config.callers import listen_of, place_of, uids_of
from pipeline.config.check import configured_store, secret_value
from pipeline.config.live import live_settings, turn_settings
from pipeline.config.load import Loaded
from pipeline.config.messages import mail_server, members_settings
from pipeline.config.model import Camera, Secret, Site
from pipeline.embedded.accounts import (
    CUSTODIAN,
    DATABASE,
    ECHO_TOPIC,
    INDEX_USER,
    KEEPER,
    OWNER,
    STORE_USER,
    store_settings,
)
from pipeline.errors import SetupError
from pipeline.installation import Installation
from pipeline.secret_files import read_secret
from runtime.settings import CustodianPlace, CustodianSettings, DatabaseSettings, SpoolSettings, StoreSettings
from storage.catalogue.inventory import CameraEntry, DoorEntry, Inventory, MappingEntry, SiteEntry
from upkeep.keeper.settings import KeeperSettings


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
    def custodian_socket(self) -> CustodianPlace:
        """Where this installation's roles ask the custodian: its socket, or a port of another machine."""
        return place_of(self.loaded) or self.own_socket

    @property
    def own_socket(self) -> Path:
        """Of a custodian that runs here: the configured socket, or the installation's."""
        return self._path(self.loaded.config.custodian.socket) or self.installation.custodian_socket

    @property
    def audit_heads(self) -> Path:
        """The configured file of signed heads, or the installation's."""
        return self._path(self.loaded.config.custodian.audit_heads) or self.installation.root / "audit-heads"

    # -- Services

    def database(self, role: str) -> DatabaseSettings:
        """role: "owner", "ingest", "index", "custodian", "serve" or "keeper"."""
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

    def store(self, user: str = STORE_USER) -> StoreSettings:
        """Settings of the configured store, or of the embedded one; ``user``: whose keys.

        The keys of a configured store are those in the role's own directory. The keeper, who may delete, has keys of
        its own there too.
        """
        own = self.loaded.config.store
        if own is None:
            place = self.endpoints["store"]
            return store_settings(self.installation.root / "store", place["endpoint"], place["bucket"], user)
        return configured_store(own, self.loaded.resolve, keeper=user == KEEPER)

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
                client_id=self.installation.client_id,
                echo_topic=ECHO_TOPIC,
            )
        return BrokerSettings(
            host=own.host,
            port=own.port,
            user_name=own.user_name,
            password=self._secret(own.password),
            client_id=own.client_id or self.installation.client_id,
            tls=own.tls,
            tls_ca=self._path(own.tls_ca),
        )

    # -- Roles

    def spool_of(self, worker: int) -> Path:
        """Each worker's own."""
        directory = self._path(self.loaded.config.spool.directory) or self.installation.root / "spool"
        return directory.with_name(f"{directory.name}-{worker}") if worker else directory

    def recorder_name(self, worker: int) -> str:
        """Under which the worker enrols, and keeps its identity."""
        name = self.loaded.config.ingest.recorder
        return f"{name}-{worker}" if worker else name

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
        name = self.recorder_name(worker)
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
            feed_uids=(uids_of(config.custodian).live,),
            upload_concurrency=config.ingest.uploads,
        )

    def cameras_without_secrets(self) -> list[CameraSettings]:
        """Return the settings of all cameras, for callers that connect to none."""
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
            quarantine_retention_s=self.loaded.config.retention.quarantine_d * 86_400,
        )

    def custodian(self) -> CustodianSettings:
        """User ids that may call the custodian: the installation's own, or those that the configuration names."""
        own = self.loaded.config.custodian
        uids = uids_of(own)
        return CustodianSettings(
            database=self.database("custodian"),
            directory=self._path(own.directory) or self.installation.root / "custodian",
            socket=self.own_socket,
            listen=listen_of(self.loaded),
            run_directory=self.run_directory,
            audit_heads=self.audit_heads,
            store=self.store(CUSTODIAN),
            allowed_uids=(uids.ingest, uids.index, uids.serve),
            enroller_uids=(uids.ingest,),
            opener_uids=(uids.serve,),
            live_uids=(uids.live,),
            intake_uids=() if own.users is not None else None,
            operator_uids=(uids.operator,),
            keyring_replicas=tuple(self.loaded.resolve(path) for path in own.keyring_replicas),
            expire_at_once=self.loaded.config.retention.camera_hours_at_once,
        )

    def serve(self) -> ServeSettings:
        """Settings of the staff API."""
        own = self.loaded.config.serve
        return ServeSettings(
            database=self.database("serve"),
            store=self.store(),
            custodian_socket=self.custodian_socket,
            run_directory=self.run_directory,
            live_uids=(uids_of(self.loaded.config.custodian).live,),
            turn=turn_settings(self.loaded.config.live, self._secret),
            members=members_settings(self.loaded.config, self.loaded.resolve, self._secret),
            secret_directory=self.installation.root / "serve",
            papers_directory=self.installation.papers,
            roles=tuple(self.loaded.config.expected_roles),
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

    def live(self) -> LiveSettings:
        """Settings of the role ``live``."""
        return live_settings(self.loaded.config, self.run_directory, self.custodian_socket)

    def keeper(self) -> KeeperSettings:
        """Settings of the role ``keeper``."""
        return KeeperSettings(
            database=self.database("keeper"),
            store=self.store(KEEPER),
            run_directory=self.run_directory,
            periods=self.loaded.config.retention.periods,
        )

    def alarms(self, *, secrets: bool = True) -> AlarmSettings:
        """``secrets``: False leaves them out, for users who may look but not read them; nothing can be sent then."""
        own, roles = self.loaded.config.alarms, self.loaded.config.expected_roles
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
        server = mail_server(own, self.loaded.resolve, self._secret if secrets else None)
        return MailSettings(**dataclasses.asdict(server), recipients=own.recipients)

    def _webhook(self, *, secrets: bool) -> WebhookSettings | None:
        own = self.loaded.config.alarms.webhook
        if own is None:
            return None
        secret = secret_bytes(self._secret(own.secret)) if secrets else b""
        return WebhookSettings(url=own.url, secret=secret, tls_ca=self._path(own.tls_ca))

    def inventory(self) -> Inventory:
        """Return the inventory for the database."""
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
            substream_url=camera.substream_url,
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


def _site_id(site: Site) -> SiteId:
    return SiteId(site.id) if site.id else site_id_of(site.name)


def _camera_id(site_id: SiteId, camera: Camera) -> CameraId:
    return CameraId(camera.id) if camera.id else camera_id_of(site_id, camera.name)


def _share(camera_id: CameraId, workers: int) -> int:
    """Which worker records a camera: always the same one, whatever other cameras there are."""
    return camera_id.int % workers
