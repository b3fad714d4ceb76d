"""From user's text to Python literals, docstrings and comments that nothing can escape from."""

from __future__ import annotations

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}


def literal(text: str) -> str:
    """A string literal, in the quotes that formatters prefer; what cannot be seen is escaped."""
    if text.isprintable() and "\\" not in text and '"' not in text:
        return f'"{text}"'
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + "".join(f"\\{char}" if char == quote else _escaped(char) for char in text) + quote


def _escaped(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def bytes_literal(value: bytes) -> str:
    """A bytes literal."""
    quote = "'" if value.count(b'"') > value.count(b"'") else '"'
    parts: list[str] = []
    for code in value:
        char = chr(code)
        if char == quote:
            parts.append(f"\\{char}")
        elif code < 0x80:
            parts.append(_escaped(char))
        else:
            parts.append(f"\\x{code:02x}")
    return f"b{quote}{''.join(parts)}{quote}"


def comment(text: str) -> str:
    """Text that stays in one comment line."""
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def docstring(text: str, indent: int) -> str:
    """A docstring of one or more lines, indented, without a line end."""
    margin = " " * indent
    lines = [_docline(line) for line in text.strip().split("\n")]
    if len(lines) == 1:
        only = lines[0] or "-"
        if only.endswith('"') and '"""' not in text:
            only = only[:-1] + '\\"'  # a quote before the closing ones would join them
        return f'{margin}"""{only}"""'
    body = "\n".join(margin + line if line else "" for line in lines[1:])
    return f'{margin}"""{lines[0]}\n{body}\n{margin}"""'


def _docline(line: str) -> str:
    shown = "".join(" " if char in "\t\r" else _escaped(char) for char in line).rstrip()
    return shown.replace('"', '\\"') if '"""' in shown else shown
