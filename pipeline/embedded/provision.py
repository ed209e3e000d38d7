"""Roles and the database inside PostgreSQL: one login role per process, the owner for migrations only."""

from __future__ import annotations

from collections.abc import Mapping

import asyncpg

from pipeline.embedded.accounts import DATABASE, ROLES
from runtime.database import connect
from runtime.settings import DatabaseSettings


async def provision(owner: DatabaseSettings, passwords: Mapping[str, str], database: str = DATABASE) -> None:
    """Make the database and the roles that are missing, and set the roles' passwords. Safe to repeat.

    owner: a connection to any database of the cluster, allowed to create roles and databases.
    """
    conn = await connect(owner, application_name="tallenne provision")
    try:
        for role in ROLES:
            await _make_role(conn, role, passwords[role])
        if not await conn.fetchval("SELECT true FROM pg_database WHERE datname = $1", database):
            await conn.execute(await _quoted(conn, "CREATE DATABASE %I ENCODING 'UTF8' TEMPLATE template0", database))
            await conn.execute(await _quoted(conn, "REVOKE ALL ON DATABASE %I FROM PUBLIC", database))
            for role in ROLES:
                await conn.execute(await _quoted(conn, "GRANT CONNECT ON DATABASE %I TO %I", database, role))
    finally:
        await conn.close()


async def _make_role(conn: asyncpg.Connection, role: str, password: str) -> None:
    if not await conn.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role):
        await conn.execute(await _quoted(conn, "CREATE ROLE %I LOGIN", role))
    await conn.execute(await _quoted(conn, "ALTER ROLE %I PASSWORD %L", role, password))


async def _quoted(conn: asyncpg.Connection, form: str, *values: str) -> str:
    """DDL takes no parameters: the server itself quotes."""
    places = ", ".join(f"${number + 2}::text" for number in range(len(values)))
    said: str = await conn.fetchval(f"SELECT format($1::text, {places})", form, *values)
    return said
