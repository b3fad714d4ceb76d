"""What all tests need: no test leaves anything in the cache of the person who runs them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def caches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache of its own for this run of tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LGC_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield
