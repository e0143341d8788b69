"""Which rule prices a resource: every type that is not here is named as one that no rule prices."""

from collections.abc import Callable, Mapping
from typing import Final

from shard_sizing.model.template import compute, network, observed, stores
from shard_sizing.model.template.cloudformation import Resource
from shard_sizing.model.template.priced import Priced

_RULES: Final[Mapping[str, Callable[[Resource], Priced]]] = {
    "AWS::ApiGatewayV2::Api": compute.gateway,
    "AWS::ApplicationAutoScaling::ScalingPolicy": observed.scaling_policy,
    "AWS::CloudWatch::Alarm": observed.alarm,
    "AWS::CloudWatch::CompositeAlarm": observed.composite_alarm,
    "AWS::CloudWatch::Dashboard": observed.dashboard,
    stores.TABLE: stores.table,
    "AWS::EC2::EIP": network.address,
    "AWS::EC2::FlowLog": network.flow_log,
    "AWS::EC2::NatGateway": network.nat_gateway,
    "AWS::EC2::VPCEndpoint": network.endpoint,
    "AWS::ECR::Repository": compute.registry,
    "AWS::ECS::Cluster": compute.cluster,
    compute.SERVICE: compute.service_of_tasks,
    "AWS::ECS::TaskDefinition": compute.task_definition,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": compute.load_balancer,
    "AWS::KMS::Key": stores.key,
    stores.STREAM: stores.stream_of_records,
    "AWS::Kinesis::StreamConsumer": stores.stream_consumer,
    "AWS::Logs::LogGroup": observed.log_group,
    "AWS::Logs::MetricFilter": observed.metric_filter,
    "AWS::NetworkFirewall::Firewall": network.firewall,
    "AWS::RDS::DBCluster": compute.database_cluster,
    "AWS::RDS::DBInstance": compute.database_instance,
    "AWS::S3::Bucket": stores.bucket,
    "AWS::SES::EmailIdentity": stores.sender,
    "AWS::SNS::Subscription": stores.subscription,
    "AWS::SNS::Topic": stores.topic,
    "AWS::SQS::Queue": stores.queue,
    "AWS::SecretsManager::Secret": stores.secret,
    "AWS::ServiceDiscovery::PrivateDnsNamespace": network.names,
}

_ROUTING: Final = "routes and subnets are; traffic between zones is not, and is not counted"
_SECRETS: Final = "secrets are priced"
_RIGHTS: Final = "rights and rules are"
_OF_AN_API: Final = "it is part of an API, which is priced by request"
_OF_A_DATABASE: Final = "settings of a database are"

_FREE: Final[Mapping[str, str]] = {
    "AWS::ApiGatewayV2::Authorizer": _OF_AN_API,
    "AWS::ApiGatewayV2::Integration": _OF_AN_API,
    "AWS::ApiGatewayV2::Route": _OF_AN_API,
    "AWS::ApiGatewayV2::Stage": _OF_AN_API,
    "AWS::ApiGatewayV2::VpcLink": "links of HTTP APIs are",
    "AWS::ApplicationAutoScaling::ScalableTarget": "the tasks of the desired count are priced",
    "AWS::CDK::Metadata": "it makes nothing",
    "AWS::EC2::InternetGateway": _ROUTING,
    "AWS::EC2::Route": _ROUTING,
    "AWS::EC2::RouteTable": _ROUTING,
    "AWS::EC2::SecurityGroup": _RIGHTS,
    "AWS::EC2::SecurityGroupEgress": _RIGHTS,
    "AWS::EC2::SecurityGroupIngress": _RIGHTS,
    "AWS::EC2::Subnet": _ROUTING,
    "AWS::EC2::SubnetRouteTableAssociation": _ROUTING,
    "AWS::EC2::VPC": _ROUTING,
    "AWS::EC2::VPCGatewayAttachment": _ROUTING,
    "AWS::IAM::ManagedPolicy": _RIGHTS,
    "AWS::IAM::Policy": _RIGHTS,
    "AWS::IAM::Role": _RIGHTS,
    "AWS::KMS::Alias": _RIGHTS,
    "AWS::Logs::QueryDefinition": "a kept query is; what it reads when it is run is not, and is not counted",
    "AWS::NetworkFirewall::FirewallPolicy": "the firewall's endpoints are priced",
    "AWS::NetworkFirewall::RuleGroup": "the firewall's endpoints are priced",
    "AWS::RDS::DBClusterParameterGroup": _OF_A_DATABASE,
    "AWS::RDS::DBParameterGroup": _OF_A_DATABASE,
    "AWS::RDS::DBSubnetGroup": _OF_A_DATABASE,
    "AWS::S3::BucketPolicy": _RIGHTS,
    "AWS::SNS::TopicPolicy": _RIGHTS,
    "AWS::SQS::QueuePolicy": _RIGHTS,
    "AWS::SecretsManager::RotationSchedule": _SECRETS,
    "AWS::SecretsManager::SecretTargetAttachment": _SECRETS,
    "AWS::ServiceDiscovery::Service": "the namespace's hosted zone is priced",
}
"""Types that cost nothing by themselves, and why."""


def priced(resource: Resource) -> Priced:
    """Return what a resource costs.

    Raises:
        InputError: Its price depends on what the templates do not say.
    """
    if (rule := _RULES.get(resource.type)) is not None:
        return rule(resource)
    if (why := _FREE.get(resource.type)) is not None:
        return Priced(free=why)
    return Priced(missing=("no rule prices this type",))
