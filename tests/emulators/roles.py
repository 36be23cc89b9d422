"""Holds roles against calls: `roles.py URL STACK`.

Prints what a role of the stack's functions allows that its function has not asked for, and what a function has asked for
that its role does not allow. What was asked for is what the emulator has noted (`recorder.py`). What is given on standard input,
a line each, need not be asked for: a function or `*`, and an action. A line that is not needed is printed as well.
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
    functions_seen = {"*"}
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
        functions_seen.add(function)
        asked = {(action, end) for name, action, end in calls if name == physical}
        not_asked = [line for line in without if line[0] in (function, "*")]

        def covers(pair, call):
            (action, arn), (asked_action, end) = pair, call
            if action != asked_action:
                return False
            # The emulator refers to a secret by its name, where AWS does by its ARN.
            if action.startswith("secretsmanager:"):
                return fnmatch.fnmatchcase(end, "secret:" + arn.split(":secret:")[-1])
            return arn.endswith(f":{end}")

        excused = set()
        for pair in sorted(allowed):
            if any(covers(pair, call) for call in asked):
                continue
            excuses = [line for line in not_asked if line[1] == pair[0]]
            excused.update(map(tuple, excuses))
            if not excuses:
                print(f"{function}: spare: {pair[0]} on {pair[1]}")
        for line in not_asked:
            if tuple(line) not in excused:
                print(f"{function}: needs no exception: {' '.join(line)}")
        for call in sorted(asked):
            if not any(covers(pair, call) for pair in allowed):
                print(f"{function}: missing: {call[0]} on {call[1]}")
    for line in without:
        if line[0] not in functions_seen:
            print(f"{line[0]}: there is no such function")


main(*sys.argv[1:])
