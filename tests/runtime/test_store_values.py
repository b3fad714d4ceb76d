"""Large values: taken out of texts and put back byte for byte, under the same address wherever they stand."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgc.runtime.errors import CheckpointCorrupted, LgcError, SerializationError
from lgc.runtime.store import SqliteStore
from lgc.runtime.store.codec import JsonCodec
from lgc.runtime.store.encrypted import EncryptedCodec
from lgc.runtime.store.records import Commit
from lgc.runtime.store.values import (
    LARGE,
    Addressing,
    addresses,
    decode_value,
    encode_value,
    large_spans,
    may_be_large,
    pack,
    unpack,
)
from lgc.runtime.testing.subject import a_snapshot, a_step, begun, log
from lgc.runtime.testing.value_checks import a_value, around, read_back, used

CODEC = JsonCodec()
CODECS: list[Addressing] = [CODEC, EncryptedCodec(b"k" * 32)]


def repeated(text: str, size: int) -> str:
    return text * (size // len(text) + 1)


pieces = st.text(st.sampled_from('aé"\\\n\u2028😀[]{},'), min_size=1, max_size=9)
large_texts: st.SearchStrategy[str] = st.builds(repeated, pieces, st.integers(LARGE // 4, LARGE * 2))
small: st.SearchStrategy[object] = st.none() | st.booleans() | st.integers() | st.text(max_size=20)


def nested(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)


trees = st.recursive(small | large_texts, nested, max_leaves=12)


def whole(codec: Addressing, text: str) -> str:
    packed = pack(codec, text, "r@1 mutations")
    if packed is None:
        return text
    assert set(addresses(packed.column)) == set(packed.values)
    kept = {address: encode_value(codec, address, value) for address, value in packed.values.items()}
    values = {address: decode_value(codec, address, data) for address, data in kept.items()}
    return unpack(codec, packed.column, values, "r@1 mutations")


@settings(max_examples=60, deadline=None)
@given(trees, st.booleans(), st.sampled_from([None, 1]), st.sampled_from(CODECS))
def test_a_text_comes_back_byte_for_byte(
    tree: object, escaped: bool, indent: int | None, codec: Addressing
) -> None:
    text = json.dumps(tree, ensure_ascii=escaped, indent=indent)
    assert whole(codec, text) == text


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from('[]{}"\\,a\0é'), max_size=400), st.integers(1, 400))
def test_what_is_no_json_comes_back_too(text: str, times: int) -> None:
    assert whole(CODEC, text * times) == text * times


@pytest.mark.parametrize("codec", CODECS, ids=["json", "encrypted"])
def test_very_deep_and_very_many(codec: Addressing) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    assert whole(codec, deep) == deep
    many = json.dumps([str(number) * LARGE for number in range(40)])
    assert whole(codec, many) == many
    packed = pack(codec, many, "x")
    assert packed is not None
    assert len(packed.values) == 40
    assert len(packed.column) < 40 * 40 + 300


def test_a_value_is_the_smallest_part_that_is_large() -> None:
    def parts(tree: object) -> list[str]:
        data = json.dumps(tree, ensure_ascii=False).encode()
        return [data[start:end].decode() for start, end in large_spans(data)]

    at_most, over = "x" * (LARGE - 2), "x" * (LARGE - 1)
    assert parts([1, over, {"a": over}]) == [f'"{over}"'] * 2
    assert parts([1, [2, at_most]]) == [json.dumps([2, at_most])]
    assert parts({"a": [over, at_most[1:]], "b": ["x"] * 10}) == [f'"{over}"']
    assert parts({"a": ["some words"] * 4000, "b": 1}) == [json.dumps(["some words"] * 4000)]
    assert parts("é" * (LARGE // 2)) == [json.dumps("é" * (LARGE // 2), ensure_ascii=False)]
    assert parts(["x" * 30_000, "y"]) == []


@settings(max_examples=30, deadline=None)
@given(large_texts, small, st.sampled_from(CODECS))
def test_a_value_has_one_address_wherever_it_stands(text: str, other: object, codec: Addressing) -> None:
    value = json.dumps(text, ensure_ascii=False)
    rest = json.dumps(other)
    places = (
        f'[{{"m":"add","p":{{"text":{value},"n":{rest}}}}}]',
        f'{{"text":{value}}}',
        f'{{"frames":[{{"state":{{"a":[{rest},{value}]}}}}]}}',
    )
    found = [packed.values for packed in (pack(codec, place, "x") for place in places) if packed is not None]
    if len(value.encode()) > LARGE:
        assert found == [{codec.address(value): value}] * 3


def test_addresses_need_the_key() -> None:
    text = json.dumps("x" * LARGE)
    names = {codec.address(text) for codec in (*CODECS, EncryptedCodec(b"o" * 32))}
    assert len(names) == 3
    assert {len(name) for name in names} == {32}


def test_short_texts_are_not_even_looked_at() -> None:
    assert not may_be_large("[" * LARGE)
    assert may_be_large("[" * (LARGE + 1))
    assert not may_be_large("é" * (LARGE // 4))
    assert may_be_large("é" * (LARGE // 2))
    assert pack(CODEC, "\ud800" * 10, "x") is None


def test_half_a_character_is_refused_with_its_place() -> None:
    with pytest.raises(SerializationError, match=r"r@3 detail: character 40000 is the lone surrogate"):
        pack(CODEC, "x" * 40_000 + "\ud800", "r@3 detail")


@pytest.mark.parametrize("codec", CODECS, ids=["json", "encrypted"])
def test_a_value_is_checked_against_its_address(codec: Addressing) -> None:
    text = json.dumps("x" * LARGE)
    address = codec.address(text)
    data = encode_value(codec, address, text)
    assert decode_value(codec, address, data) == text
    other = codec.address(text + " ")
    for name, bad in (
        (address, data[:-2] + b"y" + data[-1:]),
        (address, data[:-1]),
        (address, b""),
        (other, data),
    ):
        with pytest.raises(CheckpointCorrupted, match=f"large value {name.hex()[:16]}"):
            decode_value(codec, name, bad)


def test_references_that_are_damaged_are_refused_and_never_give_another_text() -> None:
    texts = [json.dumps(letter * LARGE) for letter in "ab"]
    text = f"[{texts[0]}, {texts[1]}, 3]"
    for codec in CODECS:
        packed = pack(codec, text, "x")
        assert packed is not None
        column = packed.column
        swapped = column[:6] + column[38:70] + column[6:38] + column[70:]
        cut = [column[:size] for size in range(1, len(column))]
        newer = column[:1] + b"\x02" + column[2:]
        none = column[:2] + bytes(4) + column[70:]
        for bad in (*cut, newer, none, *([swapped] if codec is not CODEC else [])):
            with pytest.raises(LgcError):
                unpack(codec, bad, packed.values, "x")


# --- in a file ------------------------------------------------------------------------------------------


VALUE = a_value("v")


def inside(store: SqliteStore) -> sqlite3.Connection:
    return store._opened().database.connection  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize("codec", CODECS, ids=["json", "encrypted"])
def test_a_file_has_a_value_once(codec: Addressing, tmp_path: Path) -> None:
    path = tmp_path / "runs.db"

    async def main() -> None:
        async with SqliteStore(path, codec=codec) as store:
            for run in "abcdef":
                await used(store, VALUE, run, 10)
            assert (await store.stats()).values == 1
        assert path.stat().st_size < 300_000
        assert path.read_bytes().count(b"v" * 100) // 480 == (codec is CODEC)
        async with SqliteStore(path, codec=codec) as store:
            for run in "abcdef":
                await read_back(store, VALUE, run, range(1, 11))
            for run in "abcdef":
                await store.delete_run(run)
            assert (await store.stats()).values == 0
            assert not inside(store).execute("SELECT * FROM value_use").fetchall()
            await store.shrink()
        assert b"v" * 4000 not in path.read_bytes()

    asyncio.run(main())


def test_a_codec_that_gives_no_addresses_keeps_its_bytes_where_they_stand(tmp_path: Path) -> None:
    class Reversed:
        name = "reversed"

        def encode(self, text: str, place: str) -> bytes:
            return b"\x00" + text.encode()[::-1]

        def decode(self, data: bytes, place: str) -> str:
            return data[:0:-1].decode()

    async def main() -> None:
        async with SqliteStore(tmp_path / "runs.db", codec=Reversed()) as store:
            await used(store, VALUE, "r", 2)
            await read_back(store, VALUE, "r", [1, 2])
            assert (await store.stats()).values == 0

    asyncio.run(main())


def test_a_damaged_value_is_reported_with_its_place_and_mended_by_the_next_that_writes_it(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with SqliteStore(tmp_path / "runs.db") as store:
            fence = await used(store, VALUE, "r", 3)
            await begun(store, "s")
            damage = "UPDATE value SET data = CAST(replace(data, 'vvvv', 'wwww') AS BLOB)"
            inside(store).execute(damage)
            with pytest.raises(CheckpointCorrupted, match="large value") as caught:
                await log(store)
            assert (caught.value.run, caught.value.step) == ("r", 1)
            with pytest.raises(CheckpointCorrupted, match="large value") as caught:
                await store.get_run("r")
            assert caught.value.run == "r"
            assert [run.run for run in await store.list_runs()] == ["s"]
            assert "large value" in store.warnings()[0]
            with pytest.raises(CheckpointCorrupted, match="large value"):
                await store.decisions("r")
            assert await store.latest_snapshot("r") is None
            assert len(store.warnings()) == 3
            assert "run r" in (await store.verify())[0].what

            mutations, _, _ = around(VALUE)
            await store.commit(Commit("r", fence, a_step(step=4, mutations=mutations)))
            await read_back_again(store)

            inside(store).execute("DELETE FROM value")
            with pytest.raises(CheckpointCorrupted, match="is missing"):
                await log(store)

    async def read_back_again(store: SqliteStore) -> None:
        assert [record.step for record in await log(store)] == [1, 2, 3, 4]
        assert (await store.get_run("r")).input == around(VALUE)[2]

    asyncio.run(main())


def test_a_snapshot_whose_value_is_damaged_is_passed_over(tmp_path: Path) -> None:
    async def main() -> None:
        async with SqliteStore(tmp_path / "runs.db") as store:
            fence = await begun(store, steps=1)
            for step, letter in ((2, "a"), (3, "b")):
                snapshot = a_snapshot(step=step, snapshot=around(a_value(letter))[1])
                await store.commit(Commit("r", fence, a_step(step=step), snapshot=snapshot))
            inside(store).execute("UPDATE value SET seal = x'00' WHERE key = 2")
            found = await store.latest_snapshot("r")
            assert found is not None
            assert (found.step, found.snapshot) == (2, around(a_value("a"))[1])
            assert "r@3" in store.warnings()[0]

    asyncio.run(main())


def test_a_value_is_read_once_for_many_steps(tmp_path: Path) -> None:
    async def main() -> None:
        async with SqliteStore(tmp_path / "runs.db") as store:
            await used(store, VALUE, "r", 100)
            asked: list[str] = []
            inside(store).set_trace_callback(asked.append)
            assert len(await log(store)) == 100
            assert sum("FROM value" in sql for sql in asked) == 1

    asyncio.run(main())


def test_a_step_without_large_values_is_still_one_statement(tmp_path: Path) -> None:
    async def main() -> None:
        async with SqliteStore(tmp_path / "runs.db") as store:
            fence = await begun(store, steps=1)
            asked: list[str] = []
            inside(store).set_trace_callback(asked.append)
            await store.commit(Commit("r", fence, a_step(step=2, mutations="x" * 30_000)))
            assert [sql.split()[0] for sql in asked] == ["INSERT"]

    asyncio.run(main())
