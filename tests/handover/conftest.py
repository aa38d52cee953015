"""Certificates for the mail servers of these tests."""

from __future__ import annotations

from pathlib import Path

import certifi
import pytest

from tests.http.authority import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("mail-authority") / "own")


@pytest.fixture(scope="session")
def certificate(authority: Authority) -> Path:
    return authority.issue("mail", ("localhost",))


@pytest.fixture(autouse=True)
def few_authorities(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """One public authority in the place of the world's, which take long to read."""
    public = Authority(tmp_path_factory.mktemp("public-authority"))
    monkeypatch.setattr(certifi, "where", lambda: str(public.file))
