"""What a deployment is asked for."""

import pytest
from aws_cdk import App, Environment, Stack

from orderstream_infra.app import CONTEXT, settings_of
from orderstream_infra.deployment import Deployment, DeploymentError
from orderstream_infra.resources.policies import arn_of
from orderstream_infra.rights import Right
from orderstream_infra.synth import main

GOOD = {
    "account": "111122223333",
    "region": "eu-central-1",
    "image": f"111122223333.dkr.ecr.eu-central-1.amazonaws.com/orderstream@sha256:{'a' * 64}",
    "payments_api_url": "https://payments.example.com",
    "mail_sender": "orders@example.com",
    "jwt_issuer": "https://issuer.example.com/",
    "jwt_audience": "orders",
    "jwt_keys": "https://keys.example.com/jwks.json",
}


def test_words_make_a_deployment() -> None:
    """Words of a command line become a deployment; what is left out has its default."""
    made = Deployment.of(GOOD)
    assert (made.account, made.new_shards, made.operators_email) == ("111122223333", 4, None)
    assert Deployment.of({**GOOD, "shards": "8"}).new_shards == 8
    assert Deployment.of({**GOOD, "size": "small"}).new_shards == 1
    assert Deployment.of({**GOOD, "capacity": "on-demand"}).new_shards is None
    assert (made.stopped, Deployment.of({**GOOD, "stopped": "yes"}).stopped) == (False, True)
    assert (made.traced, Deployment.of({**GOOD, "traced": "0.05"}).traced) == (None, 0.05)
    assert made.jwt_scope_prefix == ""
    assert Deployment.of({**GOOD, "jwt_scope_prefix": "orders/"}).jwt_scope_prefix == "orders/"


@pytest.mark.parametrize("name", GOOD)
def test_what_is_missing_is_named(name: str) -> None:
    """Account, region, image, addresses and whose tokens are taken are never guessed."""
    without = {key: value for key, value in GOOD.items() if key != name}
    with pytest.raises(DeploymentError, match=f"{name} is missing"):
        Deployment.of(without)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("account", "1234"),
        ("region", "Frankfurt"),
        ("image", "registry.example.com/orderstream:latest"),
        ("image", "111122223333.dkr.ecr.eu-central-1.amazonaws.com/orderstream@sha256:short"),
        ("image", f"registry.example.com/orderstream@sha256:{'a' * 64}"),
        ("payments_api_url", "http://payments.example.com"),
        ("payments_api_url", "https://payments.example.com:8443"),
        ("jwt_issuer", "issuer.example.com"),
        ("jwt_keys", "http://keys.example.com/jwks.json"),
        ("jwt_keys", "/etc/keys.json"),
        ("mail_sender", "nobody"),
        ("operators_email", "nobody"),
        ("shards", "0"),
        ("shards", "many"),
        ("size", "huge"),
        ("capacity", "endless"),
        ("stopped", "perhaps"),
        ("traced", "0"),
        ("traced", "1.5"),
        ("traced", "nan"),
        ("traced", "all"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(name: str, value: str) -> None:
    """A wrong value ends synthesis with a sentence that names it: an image by its tag, for one."""
    with pytest.raises(DeploymentError, match=name):
        Deployment.of({**GOOD, name: value})


def test_shards_on_demand_are_refused() -> None:
    """Who names shards on demand would wait for them in vain."""
    with pytest.raises(DeploymentError, match="shards are for capacity=provisioned"):
        Deployment.of({**GOOD, "capacity": "on-demand", "shards": "8"})


def test_the_command_says_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    """The command ends with 1 and one sentence, before the CDK is started."""
    assert main(["account"]) == 1
    assert main([f"{name}={value}" for name, value in GOOD.items() if name != "image"]) == 1
    form, missing = capsys.readouterr().err.splitlines()
    assert "name=value" in form
    assert "image is missing" in missing


@pytest.mark.parametrize("region", ["eu-central-1", "cn-north-1", "us-gov-west-1"])
def test_arns_begin_with_the_partition_of_the_region(region: str) -> None:
    """In China and in GovCloud an ARN that begins with ``arn:aws:`` names nothing; and both sources agree."""
    deployment = Deployment.of({**GOOD, "region": region})
    app = App(context=CONTEXT)
    stack = Stack(app, "Any", env=Environment(account=deployment.account, region=region))
    arn = arn_of(stack, Right("sqs", "queue", "letters", ("SendMessage",)))
    assert arn == f"arn:{stack.partition}:sqs:{region}:{deployment.account}:letters"
    assert deployment.partition == stack.partition
    assert settings_of(deployment).operators_topic.startswith(f"arn:{stack.partition}:sns:")
