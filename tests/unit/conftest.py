"""The stores of presence, fresh for each test."""

import pytest

from tests.unit.presence_stores import InRedis, Memory


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.live)])
async def presence(request):
    if request.param == "memory":
        yield Memory()
        return
    store = InRedis(request.getfixturevalue("redis_url"))
    await store.redis.flushall()
    yield store
    await store.close()


@pytest.fixture
async def two(redis_url):
    """The presence of two processes in one Redis."""
    first, second = InRedis(redis_url), InRedis(redis_url)
    await first.redis.flushall()
    yield first, second
    await first.close()
    await second.close()
