"""Deploys `template.yaml` into MiniStack: `deploy.py URL STACK TEMPLATE BINARIES [NAME=VALUE…]`.

Makes the stack, or updates it if it is there, with the parameters that are given. Prints its outputs as JSON, with the
operator's first key. The template is deployed as it is, but for what an emulator on this machine needs:

- the code is in a bucket, and the template too, where `sam deploy` would put them;
- the API is reached over http, below `localhost`;
- `LATCHKEY_MODE` says that providers may be on this machine;
- MiniStack hands a parameter on as text, even where its own poller of queues wants a number.
"""

import io
import json
import re
import sys
import time

import boto3

from package import FUNCTIONS, package

BUCKET = "latchkey-code"


def changed(text, pattern, to):
    """The text with every match changed; there must be one."""
    text, count = re.subn(pattern, to, text)
    if count == 0:
        sys.exit(f"the template has no {pattern}")
    return text


def main(url, stack, template, binaries, *parameters):
    def client(service):
        return boto3.client(
            service, endpoint_url=url, region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test"
        )

    port = url.rsplit(":", 1)[1]
    with open(template, encoding="utf-8") as file:
        text = file.read()
    given = dict(parameter.split("=", 1) for parameter in parameters)
    most = re.search(r"\n  RefresherConcurrency:\n    Type: Number\n    Default: (\d+)", text).group(1)
    text = changed(text, "!Ref RefresherConcurrency", given.get("RefresherConcurrency", most))
    text = changed(
        text, r"https://\$\{Api\}\.execute-api\.\$\{AWS::Region\}\.\$\{AWS::URLSuffix\}", f"http://${{Api}}.execute-api.localhost:{port}"
    )
    text = changed(text, r"\n        LATCHKEY_LOG:", "\n        LATCHKEY_MODE: emulated\n        LATCHKEY_LOG:")
    storage = client("s3")
    try:
        storage.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    except storage.exceptions.BucketAlreadyOwnedByYou:
        # By another stack's deployment, or an earlier one of this.
        pass
    for name in FUNCTIONS:
        text = changed(text, rf"CodeUri: functions/{name}\n", f"CodeUri: s3://{BUCKET}/{name}.zip\n")
        zipped = io.BytesIO()
        package(f"{binaries}/{name}", zipped)
        storage.put_object(Bucket=BUCKET, Key=f"{name}.zip", Body=zipped.getvalue())

    storage.put_object(Bucket=BUCKET, Key=f"{stack}.yaml", Body=text.encode())

    stacks = client("cloudformation")
    names = [found["StackName"] for found in stacks.describe_stacks()["Stacks"]]
    act = stacks.update_stack if stack in names else stacks.create_stack
    act(
        StackName=stack,
        TemplateURL=f"{url}/{BUCKET}/{stack}.yaml",
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
    )
    while True:
        found = stacks.describe_stacks(StackName=stack)["Stacks"][0]
        if not found["StackStatus"].endswith("IN_PROGRESS"):
            break
        time.sleep(0.2)
    if found["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        events = stacks.describe_stack_events(StackName=stack)["StackEvents"]
        failed = [event for event in events if "FAILED" in event["ResourceStatus"]]
        sys.exit(f"{found['StackStatus']}: {json.dumps(failed, default=str)}")
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}
    secret = re.search(r"--secret-id (\S+)", outputs["FirstApiKey"]).group(1)
    key = client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    print(json.dumps({"url": outputs["Url"], "callback_url": outputs["CallbackUrl"], "key": f"lk_{key}"}))


main(*sys.argv[1:])
