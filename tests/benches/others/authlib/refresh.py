"""Refreshes by Authlib: so many for each line of the standard input, one after another over one
connection; then says how many were granted."""

import os
import sys

from authlib.integrations.requests_client import OAuth2Session

# The provider is on this machine.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
token_url, count = sys.argv[1], int(sys.argv[2])
session = OAuth2Session("client", "client-secret", token_endpoint_auth_method="client_secret_basic")


def granted() -> bool:
    token = session.refresh_token(token_url, refresh_token="first-refresh-token")
    return "access_token" in token


print("ready", flush=True)
for _ in sys.stdin:
    print(sum(granted() for _ in range(count)), flush=True)
