"""A room's page stays light."""

from tests.support.browsers.media_checks import shows_video
from tests.support.browsers.page_size import PageSize

MOST_REQUESTS, MOST_BYTES = 15, 150_000


def test_first_visit_that_joins_the_call_makes_few_requests(people):
    people.enter("Nova", "light", call=True)
    mira = people.page("Mira")
    size = PageSize(mira)
    mira.goto("/rooms/light/?nickname=Mira", wait_until="domcontentloaded")
    mira.click("#join-call")
    shows_video(mira, 1)
    assert any("pages/room" in address for address in size.addresses), "it looked away"
    assert len(size.addresses) <= MOST_REQUESTS, "\n".join(size.addresses)
    assert 10_000 < size.received_bytes <= MOST_BYTES
