"""The templates that prices are reckoned from are those that synthesis makes."""

from collections.abc import Mapping
from typing import Any

from billed import billed, kept


def test_the_kept_templates_are_those_of_the_stacks(
    templates: Mapping[str, Any], small: Mapping[str, Any]
) -> None:
    """Whatever changes the bill changes `infra/billed`; `make infra-policies` writes it anew."""
    synthesized = {"standard": templates, "small": small}
    assert kept() == {
        size: {stack: billed(template) for stack, template in found.items()}
        for size, found in synthesized.items()
    }
