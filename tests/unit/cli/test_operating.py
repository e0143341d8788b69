"""How a one-shot command fails: once, with all that is known, and with no promise that nobody keeps."""

import pytest

from orderstream.errors import DependencyError
from orderstream_workers.cli.operating import OperationFailedError, failing_once


def test_nobody_tries_a_command_again() -> None:
    """What failed and why is kept word for word, the target is added, and the workers' promise is not."""
    error = DependencyError("dynamodb", "Query", "ResourceNotFoundException")
    with pytest.raises(OperationFailedError) as failed, failing_once("AWS account 1, region eu-west-1"):
        raise error
    sentence = str(failed.value)
    assert "dynamodb did not complete Query: ResourceNotFoundException" in sentence
    assert "AWS account 1, region eu-west-1" in sentence
    assert "tried again" not in sentence
    assert str(error).endswith("; it will be tried again")
