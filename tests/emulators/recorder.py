"""What functions ask of the emulator: it is noted, and can be made to fail.

A function's requests have its name for a session token (`start.py`).
"""

import asyncio
import json

CALLS, FAULTS = "/_latchkey/calls", "/_latchkey/faults"


def recorded(app):
    """The emulator's application, which notes what functions ask for, once each, and fails as it is told.

    What was noted is at `CALLS`. `FAULTS` takes what a function's calls are to suffer from now on, in place of what it
    was told before: `{"function": NAME, "faults": {ACTION: FAULT}}`. A fault is

    - `"refuse"`: the service is down, and nothing is done;
    - `"hold"`: nothing is done until the fault is lifted;
    - an error's name: it is done, and answered with that error.

    The same path tells for each function how many of its calls are held.
    """
    calls, faults, held = set(), {}, {}
    changed = asyncio.Condition()

    def told(function, actions):
        return next((fault for action, fault in faults.get(function, {}).items() if action in actions), None)

    async def while_held(function, actions):
        held[function] = held.get(function, 0) + 1
        async with changed:
            await changed.wait_for(lambda: told(function, actions) != "hold")
        held[function] -= 1

    async def application(scope, receive, send):
        if scope.get("path") == CALLS:
            await answer(send, 200, [json.loads(call) for call in sorted(calls)])
            return
        if scope.get("path") == FAULTS:
            if scope["method"] == "POST":
                wanted = json.loads(await body_of(receive))
                async with changed:
                    faults[wanted["function"]] = wanted["faults"]
                    changed.notify_all()
            await answer(send, 200, held)
            return
        headers = dict(scope.get("headers", []))
        function, target = headers.get(b"x-amz-security-token"), headers.get(b"x-amz-target")
        if scope["type"] != "http" or not function or not target:
            await app(scope, receive, send)
            return
        function, body = function.decode(), await body_of(receive)
        asks = asked(target.decode(), json.loads(body or b"{}"))
        calls.update(json.dumps([function, action, resource]) for action, resource in asks)
        actions = {action for action, _ in asks}
        fault = told(function, actions)
        if fault == "hold":
            await while_held(function, actions)
        if fault == "refuse":
            await answer(send, 500, {"__type": "InternalServerError"})
            return
        whole = [{"type": "http.request", "body": body, "more_body": False}]

        async def again():
            return whole.pop() if whole else await receive()

        if fault in (None, "hold"):
            await app(scope, again, send)
            return

        async def dropped(_):
            pass

        await app(scope, again, dropped)
        await answer(send, 400, {"__type": fault})

    return application


async def body_of(receive):
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def answer(send, status, body):
    headers = [(b"content-type", b"application/x-amz-json-1.1")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


def asked(target, body):
    """The actions of IAM that a request needs, each with the end of its resource's ARN."""
    service, operation = target.split(".", 1)
    if service.startswith("DynamoDB"):
        if operation == "TransactWriteItems":
            names = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
            parts = [(names[kind], part["TableName"]) for item in body["TransactItems"] for kind, part in item.items()]
        else:
            index = f"/index/{body['IndexName']}" if "IndexName" in body else ""
            parts = [(operation, body["TableName"] + index)]
        return [(f"dynamodb:{name}", f"table/{resource}") for name, resource in parts]
    if service == "secretsmanager":
        name = body.get("SecretId") or body["Name"]
        return [(f"secretsmanager:{operation}", "secret:" + name.split(":secret:")[-1])]
    if service == "AWSEvents":
        return [(f"events:{operation}", f"event-bus/{entry['EventBusName']}") for entry in body["Entries"]]
    if service == "AmazonSQS":
        # One action for a message and for several.
        return [(f"sqs:{operation.removesuffix('Batch')}", body["QueueUrl"].rsplit("/", 1)[1])]
    return [(target, "")]
