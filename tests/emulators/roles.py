"""Holds roles against calls: `roles.py URL STACK`.

Prints what a role of the stack's functions allows that its function has not asked for, and what a function has asked for
that its role does not allow. What was asked for is what the emulator has noted (`start.py`). What is given on standard input,
a line each, need not be asked for: a function or `*`, an action, and a table's name, the end of a resource, or `*`.
"""

import fnmatch
import json
import sys
import urllib.request

import boto3


def many(value):
    return value if isinstance(value, list) else [value]


def main(url, stack):
    def client(service):
        return boto3.client(
            service, endpoint_url=url, region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test"
        )

    functions, roles = client("lambda"), client("iam")
    with urllib.request.urlopen(f"{url}/_latchkey/calls") as answer:
        calls = json.load(answer)
    without = [line.split() for line in sys.stdin if line.strip()]
    resources = client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
    for resource in resources:
        if resource["ResourceType"] != "AWS::Lambda::Function":
            continue
        physical = resource["PhysicalResourceId"]
        role = functions.get_function_configuration(FunctionName=physical)["Role"].rsplit("/", 1)[1]
        allowed = set()
        policies = roles.list_role_policies(RoleName=role)["PolicyNames"]
        attached = roles.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        if attached or len(policies) != 1:
            print(f"{role}: it has {policies} and {attached}, and shall have one policy of its own")
        for policy in policies:
            document = roles.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            function = policy
            for statement in document["Statement"]:
                if statement["Effect"] != "Allow" or set(statement) != {"Effect", "Action", "Resource"}:
                    print(f"{function}: {statement} is of no known form")
                for arn in many(statement["Resource"]):
                    allowed.update((action, arn) for action in many(statement["Action"]))
        asked = {(action, end) for name, action, end in calls if name == physical}
        not_asked = [(action, end) for name, action, end in without if name in (function, "*")]

        def covers(pair, call):
            (action, arn), (asked_action, end) = pair, call
            if action != asked_action:
                return False
            # The emulator refers to a secret by its name, where AWS does by its ARN.
            if action.startswith("secretsmanager:"):
                return fnmatch.fnmatchcase(end, "secret:" + arn.split(":secret:")[-1])
            return arn.endswith(f":{end}")

        def excused(pair):
            (action, arn) = pair
            ends = [end for known, end in not_asked if known == action]
            return any(end == "*" or f"-{end}-" in arn or arn.endswith(end) for end in ends)

        for pair in sorted(allowed):
            if not excused(pair) and not any(covers(pair, call) for call in asked):
                print(f"{function}: spare: {pair[0]} on {pair[1]}")
        for call in sorted(asked):
            if not any(covers(pair, call) for pair in allowed):
                print(f"{function}: missing: {call[0]} on {call[1]}")


main(*sys.argv[1:])
