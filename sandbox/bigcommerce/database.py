"""The tables of all BigCommerce stores. Of tokens and client secrets only keyed hashes are kept."""

from __future__ import annotations

SCHEMA = """
CREATE TABLE IF NOT EXISTS stores (
    id INTEGER PRIMARY KEY,
    store_hash TEXT NOT NULL UNIQUE,
    account_uuid TEXT NOT NULL,
    settings TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS users (
    store_id INTEGER NOT NULL,
    id INTEGER PRIMARY KEY,
    mail TEXT NOT NULL,
    role TEXT NOT NULL,
    permissions TEXT NOT NULL,
    password_hash BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS users_by_mail ON users (store_id, mail);
CREATE TABLE IF NOT EXISTS sessions (
    token_hash BLOB PRIMARY KEY,
    store_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    store_id INTEGER NOT NULL,
    title TEXT NOT NULL,
    token_type TEXT NOT NULL,
    levels TEXT NOT NULL,
    client_id TEXT NOT NULL,
    token_hash BLOB NOT NULL UNIQUE,
    created REAL NOT NULL,
    deleted REAL
);
CREATE INDEX IF NOT EXISTS accounts_by_store ON accounts (store_id);
CREATE TABLE IF NOT EXISTS webhooks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    store_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    scope TEXT NOT NULL,
    destination TEXT NOT NULL,
    is_active INTEGER NOT NULL,
    created INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS resources (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    store_id INTEGER NOT NULL,
    collection TEXT NOT NULL,
    owner_client_id TEXT,
    archived INTEGER NOT NULL DEFAULT 0,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS resources_by_collection ON resources (store_id, collection);
CREATE TABLE IF NOT EXISTS storefront_tokens (
    token_hash BLOB PRIMARY KEY,
    store_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    channels TEXT NOT NULL,
    origins TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created REAL NOT NULL,
    expires REAL NOT NULL,
    revoked REAL
) WITHOUT ROWID;
"""

STORE_TABLES = ("users", "sessions", "accounts", "webhooks", "resources", "storefront_tokens")
