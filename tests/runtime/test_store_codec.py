"""Codecs: what is stored is readable by default, and unreadable without the key where one is given."""

from __future__ import annotations

import asyncio
import itertools
import os
import sqlite3
from pathlib import Path

import pytest

from lgc.runtime.errors import SerializationError, StorageError
from lgc.runtime.store import SqliteStore
from lgc.runtime.store.codec import JsonCodec
from lgc.runtime.testing import CHECKS, Check, Subject
from lgc.runtime.testing.subject import a_decision, a_snapshot, a_step, begun, log


def test_json_is_readable_and_refuses_what_is_not_text() -> None:
    codec = JsonCodec()
    assert codec.encode('["größe"]', "r@1") == '["größe"]'.encode()
    assert codec.decode('["größe"]'.encode(), "r@1") == '["größe"]'
    with pytest.raises(SerializationError, match=r"r@1 mutations: character 2 is the lone surrogate U\+D800"):
        codec.encode('["\ud800"]', "r@1 mutations")
    with pytest.raises(StorageError, match="not UTF-8"):
        codec.decode(b"\xff", "r@1")
    with pytest.raises(StorageError, match="encrypted") as caught:
        codec.decode(b"\x01\x01abc", "r@1")
    assert "EncryptedCodec" in caught.value.hint


def test_encryption_refuses_everything_else() -> None:
    pytest.importorskip("cryptography")
    from lgc.runtime.store.encrypted import EncryptedCodec

    key, other = EncryptedCodec(b"k" * 32), EncryptedCodec(b"o" * 32)
    data = key.encode('{"secret":"größe"}', "r@1")
    assert b"secret" not in data
    assert key.encode('{"secret":"größe"}', "r@1") != data
    assert key.decode(data, "r@1") == '{"secret":"größe"}'
    altered = data[:-1] + bytes([data[-1] ^ 1])
    for codec, bad, place in (
        (other, data, "r@1"),
        (key, data, "r@2"),
        (key, altered, "r@1"),
        (key, data[:9], "r@1"),
        (key, b"\x01", "r@1"),
        (key, b"\x01\x02" + data[2:], "r@1"),
        (key, b'{"secret":1}', "r@1"),
        (key, b"", "r@1"),
    ):
        with pytest.raises(StorageError):
            codec.decode(bad, place)
    with pytest.raises(StorageError, match="16, 24 or 32 bytes"):
        EncryptedCodec(b"short")


def test_nothing_secret_is_in_the_file(tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    from lgc.runtime.store.encrypted import EncryptedCodec

    path, codec = tmp_path / "runs.db", EncryptedCodec(os.urandom(32))
    secret = '"the password is swordfish"'

    async def main() -> None:
        from lgc.runtime.store.records import Commit

        async with SqliteStore(path, codec=codec) as store:
            fence = await begun(store)
            record = a_step(mutations=secret, detail=secret)
            await store.commit(Commit("r", fence, record, snapshot=a_snapshot(snapshot=secret)))
            await store.add_decision(a_decision(arguments=secret, mutations=secret))
            assert await log(store) == [record]
        with pytest.raises(StorageError, match="written with the codec `aes-gcm`, not `json`"):
            async with SqliteStore(path):
                pass
        async with SqliteStore(path, codec=EncryptedCodec(os.urandom(32))) as store:
            with pytest.raises(StorageError, match="not encrypted with this key"):
                await log(store)
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE meta SET value = 'json' WHERE name = 'codec'")
        connection.close()
        async with SqliteStore(path) as store:
            with pytest.raises(StorageError, match="is encrypted"):
                await log(store)

    asyncio.run(main())
    assert b"swordfish" not in path.read_bytes()


@pytest.mark.parametrize("check", [one for one in CHECKS if not one.needs], ids=lambda check: check.name)
def test_an_encrypted_store_keeps_its_promise(check: Check, tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    from lgc.runtime.store.encrypted import EncryptedCodec

    codec, numbers = EncryptedCodec(b"k" * 32), itertools.count()
    asyncio.run(check(Subject(lambda: SqliteStore(tmp_path / f"{next(numbers)}.db", codec=codec))))
