"""The tables of all WooCommerce stores."""

from __future__ import annotations

SCHEMA = """
CREATE TABLE IF NOT EXISTS stores (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    version TEXT NOT NULL,
    settings TEXT NOT NULL,
    store_uuid TEXT NOT NULL,
    failed_logins INTEGER NOT NULL DEFAULT 0,
    next_key_id INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS prefixes (
    prefix TEXT PRIMARY KEY,
    store_id INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS users (
    store_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    login TEXT NOT NULL,
    password_hash BLOB NOT NULL,
    display_name TEXT NOT NULL,
    mail TEXT NOT NULL,
    role TEXT NOT NULL,
    keys_per_page INTEGER,
    PRIMARY KEY (store_id, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS users_by_login ON users (store_id, login);
CREATE TABLE IF NOT EXISTS sessions (
    token_hash BLOB PRIMARY KEY,
    store_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sessions_by_user ON sessions (store_id, user_id);
CREATE TABLE IF NOT EXISTS api_keys (
    store_id INTEGER NOT NULL,
    key_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    description TEXT NOT NULL,
    permissions TEXT NOT NULL,
    consumer_key TEXT NOT NULL,
    consumer_secret TEXT NOT NULL,
    truncated_key TEXT NOT NULL,
    last_access INTEGER,
    PRIMARY KEY (store_id, key_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS api_keys_by_consumer ON api_keys (store_id, consumer_key);
CREATE TABLE IF NOT EXISTS oauth_nonces (
    store_id INTEGER NOT NULL,
    key_id INTEGER NOT NULL,
    nonce TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    PRIMARY KEY (store_id, key_id, nonce)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS application_passwords (
    store_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    uuid TEXT NOT NULL,
    name TEXT NOT NULL,
    password_hash BLOB NOT NULL,
    created INTEGER NOT NULL,
    last_used INTEGER,
    last_ip TEXT,
    PRIMARY KEY (store_id, user_id, uuid)
) WITHOUT ROWID;
"""

STORE_TABLES = ("prefixes", "users", "sessions", "api_keys", "oauth_nonces", "application_passwords")
