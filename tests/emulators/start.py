"""Starts an emulator of AWS on a free port of this machine alone: `start.py moto|ministack`.

Prints its URL when it answers. Ends when its standard input does, and so with whoever started it.
"""

import asyncio
import logging
import os
import socket
import sys
import threading
import time
import urllib.error
import urllib.request


def load(url):
    """Has the emulator load what it loads at the first request, for which no client would wait."""
    scope = "test/20200101/us-east-1/secretsmanager/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "secretsmanager.ListSecrets",
    }
    with urllib.request.urlopen(urllib.request.Request(url, b"{}", headers), timeout=60):
        pass


def one_by_one(app):
    """moto's application, asked for one thing of DynamoDB at a time.

    It looks at a condition and then writes, with nothing that keeps others out between the two.
    """
    lock = threading.Lock()

    def application(environ, start_response):
        if environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB"):
            with lock:
                return app(environ, start_response)
        return app(environ, start_response)

    return application


def moto():
    from moto.moto_server.threaded_moto_server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    server._server.app = one_by_one(server._server.app)
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    load(url)
    print(url, flush=True)
    sys.stdin.read()


def named(runtime):
    """Has the emulator give each function its name for a session token."""
    credentials = runtime.execution_credentials
    runtime.execution_credentials = lambda config: {**credentials(config), "AWS_SESSION_TOKEN": config["FunctionName"]}


def ministack():
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    port = listener.getsockname()[1]
    os.environ.update(
        GATEWAY_PORT=str(port),
        LOG_LEVEL="ERROR",
        # Nothing but what is asked for: no further listeners, and no Docker even if there is one.
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        DOCKER_HOST="unix:///nonexistent",
        # Where the functions that it runs find it.
        AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}",
    )
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.core import lambda_runtime
    from recorder import recorded

    named(lambda_runtime)
    from ministack.app import app

    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = 75
    config.loglevel = "ERROR"

    def announce():
        url = f"http://127.0.0.1:{port}"
        while True:
            try:
                with urllib.request.urlopen(f"{url}/_ministack/health", timeout=5):
                    break
            except (OSError, urllib.error.URLError):
                time.sleep(0.05)
        load(url)
        print(url, flush=True)
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=announce, daemon=True).start()
    asyncio.run(serve(recorded(app), config))


{"moto": moto, "ministack": ministack}[sys.argv[1]]()
