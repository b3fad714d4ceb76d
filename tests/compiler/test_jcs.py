"""RFC 8785: the vectors of the RFC and of its number test, and what must be refused."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgc.compiler.canonical import jcs

NUMBERS = [  # RFC 8785, appendix B: the bits of a double and its text
    ("0000000000000000", "0"),
    ("8000000000000000", "0"),
    ("0000000000000001", "5e-324"),
    ("8000000000000001", "-5e-324"),
    ("7fefffffffffffff", "1.7976931348623157e+308"),
    ("ffefffffffffffff", "-1.7976931348623157e+308"),
    ("4340000000000000", "9007199254740992"),
    ("c340000000000000", "-9007199254740992"),
    ("4430000000000000", "295147905179352830000"),
    ("44b52d02c7e14af5", "9.999999999999997e+22"),
    ("44b52d02c7e14af6", "1e+23"),
    ("44b52d02c7e14af7", "1.0000000000000001e+23"),
    ("444b1ae4d6e2ef4e", "999999999999999700000"),
    ("444b1ae4d6e2ef4f", "999999999999999900000"),
    ("444b1ae4d6e2ef50", "1e+21"),
    ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
    ("3eb0c6f7a0b5ed8d", "0.000001"),
    ("41b3de4355555553", "333333333.3333332"),
    ("41b3de4355555554", "333333333.33333325"),
    ("41b3de4355555555", "333333333.3333333"),
    ("41b3de4355555556", "333333333.3333334"),
    ("41b3de4355555557", "333333333.33333343"),
    ("becbf647612f3696", "-0.0000033333333333333333"),
    ("43143ff3c1cb0959", "1424953923781206.2"),
]


@pytest.mark.parametrize(("bits", "text"), NUMBERS)
def test_numbers_are_written_as_ecmascript_does(bits: str, text: str) -> None:
    value: float = struct.unpack(">d", bytes.fromhex(bits))[0]
    assert jcs.number(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_reads_back_as_itself(value: float) -> None:
    assert float(jcs.number(value)) == value


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), float("-inf"), 2**53, -(2**53), "\ud800", {"\udfff": 1}]
)
def test_what_has_no_canonical_form_is_refused(value: jcs.Json) -> None:
    with pytest.raises(ValueError, match="canonical form"):
        jcs.write([value])


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        jcs.write({1: 2})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError):
        jcs.write([object()])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]


def test_the_example_of_section_3_2_2() -> None:
    value: jcs.Json = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"\u002f",
        "literals": [None, True, False],
    }
    assert jcs.write(value) == (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_keys_are_sorted_by_utf16_code_units() -> None:
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\x80", "\u00f6"]
    assert list(json.loads(jcs.write(dict.fromkeys(keys, 0)))) == [
        "\r", "1", "\x80", "\u00f6", "\u20ac", "\U0001f600", "\ufb33",
    ]  # fmt: skip


def test_only_what_must_be_escaped_is() -> None:
    assert (
        jcs.write('\b\t\n\f\r\x00\x1f\x7f"\\/\u2028é😀')
        == '"\\b\\t\\n\\f\\r\\u0000\\u001f\x7f\\"\\\\/\u2028é😀"'
    )


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8", max_codepoint=0xD7FF)), inner)
    ),
)


@given(values)
def test_without_floats_it_is_the_standard_librarys_sorted_text(value: jcs.Json) -> None:
    """What lets the canonical form use the faster writer (below the surrogates the two key orders agree)."""
    assert jcs.write(value) == json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def test_depth_is_no_limit() -> None:
    value: jcs.Json = 0
    for _ in range(50_000):
        value = [value]
    assert jcs.write(value) == "[" * 50_000 + "0" + "]" * 50_000
