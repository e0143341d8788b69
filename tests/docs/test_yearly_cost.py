"""What the pages say of the cost is what templates, counted orders and prices come to."""

import pytest

from docs.yearly_cost import LOADS, PAGES, PUBLISHED, ROOT, SIZES, rendered, usd
from shard_sizing.model.cost.monthly import HOURS
from shard_sizing.model.data_files import load_prices


@pytest.mark.parametrize("page", PAGES)
def test_the_figures_are_current(page: str) -> None:
    """``make yearly-cost`` writes them anew."""
    assert (ROOT / page).read_text(encoding="utf-8") == rendered(page)


def test_the_floor_is_said_as_it_is() -> None:
    """Two shards for a year cost more than the published figure, and every size more than its shards."""
    shards = usd("`small`", *LOADS[1], "first_year", ("shard_hour",))
    assert shards == pytest.approx(262.80)
    assert shards > PUBLISHED
    retained = usd("`small`", *LOADS[1], "first_year", ("extended_shard_hour",))
    assert retained == pytest.approx(350.40)
    for size in SIZES:
        for load in LOADS:
            assert usd(size, *load, "first_year") > shards + retained
    guide = (ROOT / "docs" / "sizing.md").read_text(encoding="utf-8")
    assert f"{shards:.2f} USD in twelve months without a record" in guide
    assert f"another {retained:.2f}" in guide
    left = (PUBLISHED - shards / 2) / 12
    assert f"{shards / 2:.2f}, which leaves {left:.2f} a month" in guide
    prices = load_prices().region("us-east-1")
    task = (0.25 * prices["fargate_arm_vcpu_hour"] + 0.5 * prices["fargate_arm_gb_hour"]) * HOURS
    assert f"{task:.2f} of that" in guide
