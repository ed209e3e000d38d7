"""The next and previous event of the same member, kind or door in the player, over the real API without footage."""

from __future__ import annotations

import pytest

from domain.time import NS
from tests.browser.chromium import MARKS
from tests.browser.counter import Counter, wait

pytestmark = [*MARKS]


async def reached(counter: Counter, at_ns: int) -> None:
    async def there() -> bool:
        return abs(int(await counter.page.get_attribute("#player", "data-time-ms") or 0) - at_ns // 1_000_000) <= 1

    await wait(there, "the time of the event")


@pytest.mark.slow
async def test_the_next_of_the_same_member_kind_and_door(counter: Counter) -> None:
    page, gym = counter.page, counter.gym
    granted_ns, entered_ns = gym.now_ns - 3600 * NS, gym.now_ns - 3598 * NS
    await gym.event("granted", gym.now_ns - 3599 * NS, member=gym.onni)
    await counter.go(f"/visit/{gym.granted}", "#player[data-state=ready]")
    # The footage begins before the event: it is this page's event all the same that one goes on from.
    await page.select_option("#jump-by", "member")
    await page.click("#next-event")
    await reached(counter, entered_ns)
    await page.select_option("#jump-by", "kind")
    await page.click("#next-event")
    await page.wait_for_selector("#toast.shown:has-text('no further one')")
    await page.select_option("#jump-by", "member")
    await page.click("#previous-event")
    await reached(counter, granted_ns)
    await page.select_option("#jump-by", "door")
    await page.click("#next-event")
    await reached(counter, gym.now_ns - 3599 * NS)
    # The next one that is granted is at another site: its own page shows it.
    await page.select_option("#jump-by", "kind")
    await page.click("#next-event")
    await page.wait_for_url(f"**/visit/{gym.south}")
