"""django-oauth-toolkit on loopback, as a provider for tests. Its clock can be moved:
POST /__clock with a number of seconds moves it on by as many.
Environment: REDIRECT_URIS (comma-separated), AT_TTL, ROTATE=1|0, REUSE_PROTECTION=1|0, DB (a new file).
It prints its base URL when it is ready, and ends when its standard input does."""
import os
import sys
import threading
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.conf import settings

settings.configure(
    DEBUG=False, SECRET_KEY="loopback-only", ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF=__name__, USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.AutoField", LOGIN_URL="/login/",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DB"], "OPTIONS": {"timeout": 20}}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
                    "django.contrib.messages", "oauth2_provider"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.csrf.CsrfViewMiddleware",
                "django.contrib.auth.middleware.AuthenticationMiddleware",
                "django.contrib.messages.middleware.MessageMiddleware"],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {
        "context_processors": ["django.template.context_processors.request", "django.contrib.auth.context_processors.auth",
                               "django.contrib.messages.context_processors.messages"],
        "loaders": [("django.template.loaders.locmem.Loader", {"registration/login.html":
                     "<form method=post>{% csrf_token %}{{ form }}<input type=hidden name=next value='{{ next }}'></form>"}),
                    "django.template.loaders.app_directories.Loader"]}}],
    OAUTH2_PROVIDER={
        "SCOPES": {"api:read": "read", "api:write": "write", "introspection": "introspect"},
        "PKCE_REQUIRED": True, "AUTHORIZATION_CODE_EXPIRE_SECONDS": 3600, "ACCESS_TOKEN_EXPIRE_SECONDS": int(os.environ["AT_TTL"]),
        "REFRESH_TOKEN_EXPIRE_SECONDS": 86400 * 30, "ROTATE_REFRESH_TOKEN": os.environ.get("ROTATE", "1") == "1",
        "REFRESH_TOKEN_REUSE_PROTECTION": os.environ.get("REUSE_PROTECTION", "1") == "1",
        "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 0, "ALLOWED_SCHEMES": ["http", "https"],
        "ALLOWED_REDIRECT_URI_SCHEMES": ["http", "https"],
    })

import datetime

import django
from django.utils import timezone

ahead = datetime.timedelta()
real_now = timezone.now
timezone.now = lambda: real_now() + ahead
django.setup()

from django.contrib.auth.views import LoginView
from django.core.wsgi import get_wsgi_application
from django.urls import include, path
from oauth2_provider.urls import metadata_urlpatterns

# RFC 8414 §3.1: the issuer is /o, so its metadata is at the root, with /o behind.
urlpatterns = [path("", include((metadata_urlpatterns, "metadata"))), path("login/", LoginView.as_view()), path("o/", include("oauth2_provider.urls", namespace="oauth2_provider"))]


def fill():
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from oauth2_provider.models import get_application_model
    call_command("migrate", verbosity=0)
    get_user_model().objects.create_user("alice", "alice@example.test", "alice-pw")
    application = get_application_model()
    for client, kind in (("basic", application.CLIENT_CONFIDENTIAL), ("public", application.CLIENT_PUBLIC)):
        application.objects.create(
            name=client, client_id=client, client_type=kind, authorization_grant_type=application.GRANT_AUTHORIZATION_CODE,
            redirect_uris=os.environ["REDIRECT_URIS"].replace(",", " "), skip_authorization=False,
            client_secret="conn-secret-0123456789-0123456789-abcdef")


def with_clock(site):
    def answer(environ, start_response):
        if environ["PATH_INFO"] != "/__clock":
            return site(environ, start_response)
        global ahead
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        ahead += datetime.timedelta(seconds=float(body))
        start_response("200 OK", [])
        return [b"ok"]
    return answer


class Threaded(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass

    def address_string(self):
        return self.client_address[0]


if __name__ == "__main__":
    fill()
    server = make_server("127.0.0.1", 0, with_clock(get_wsgi_application()), Threaded, Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()
