"""KCL's processes import what they run; what they cannot import is refused where it is handed over."""

import json

import pytest

from orderstream_consumer import ConsumerConfig, HandlerNotImportableError
from orderstream_consumer.consumer.importable import load, name_of
from orderstream_consumer.consumer.shard_command import VARIABLE, shard_variable


def test_a_function_of_a_module_has_a_name_that_finds_it() -> None:
    """Also a static method, and a name stays what it is."""
    for given in (json.dumps, json.JSONDecoder.decode):
        assert load("handler", name_of("handler", given)) is given
    assert name_of("handler", "json:dumps") == "json:dumps"


def of_the_script() -> None:
    """As if it stood in the script that was started."""


of_the_script.__module__ = "__main__"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (lambda _: None, "no name"),
        (of_the_script, "the script that was started"),
        (7, "no function of a module"),
        ("json", "module:function"),
        ("json:nothing", "nothing"),
        ("no_such_module:handle", "no_such_module"),
    ],
)
def test_what_a_process_could_not_import_is_refused_with_the_reason(given: object, why: str) -> None:
    """At construction, and not by a process that nobody looks at."""
    with pytest.raises(HandlerNotImportableError, match=why):
        name_of("handler", given)


def test_what_shards_are_told_names_everything() -> None:
    """It is text, and has the settings that the processors need."""
    told = shard_variable(
        "billing",
        "orders",
        handler=json.dumps,
        batch_handler=None,
        on_failure=json.loads,
        config=ConsumerConfig(engine="kcl", retries=7, outages=(ConnectionError,)),
    )
    content = json.loads(told[VARIABLE])
    assert content["handler"] == "json:dumps"
    assert (content["on_failure"], content["failure_handler"]) == (None, "json:loads")
    assert content["config"]["retries"] == 7
    assert content["config"]["outages"] == ["builtins:ConnectionError"]
