"""What a function in Python does to begin an authorisation, with the SDK of AWS: it makes a state and a PKCE pair, writes one
item, and answers with the authorise URL. With its own loop around the Runtime API."""

import base64
import hashlib
import http.client
import json
import os
import secrets
import time
import urllib.parse

import boto3

store = boto3.client("dynamodb")


def digest(text):
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def begin(event):
    instance = event["rawPath"].split("/")[3]
    return_url = json.loads(event["body"])["return_url"]
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    now = int(time.time())
    store.put_item(
        TableName=os.environ["LATCHKEY_TABLE_AUTHORISATIONS"],
        ConditionExpression="attribute_not_exists(id)",
        Item={
            "id": {"S": f"other#{digest(state)}"},
            "instance": {"S": instance},
            "verifier": {"S": verifier},
            "return_url": {"S": return_url},
            "created_at": {"N": str(now)},
            "expires_at": {"N": str(now + 600)},
        },
    )
    query = {
        "response_type": "code",
        "client_id": "client",
        "redirect_uri": os.environ["LATCHKEY_BASE_URL"] + "/oauth/authenticate",
        "scope": "read write",
        "state": state,
        "code_challenge": digest(verifier),
        "code_challenge_method": "S256",
    }
    return {
        "statusCode": 201,
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": json.dumps(
            {"authorise_url": "https://provider.example/authorise?" + urllib.parse.urlencode(query), "expires_at": now + 600}
        ),
    }


runtime = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])


def call(method, path, body=None):
    runtime.request(method, f"/2018-06-01/runtime/invocation/{path}", body)
    answer = runtime.getresponse()
    return answer.headers, answer.read()


while True:
    headers, text = call("GET", "next")
    request_id = headers["Lambda-Runtime-Aws-Request-Id"]
    try:
        call("POST", f"{request_id}/response", json.dumps(begin(json.loads(text))))
    except Exception as error:
        call("POST", f"{request_id}/error", json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)}))
