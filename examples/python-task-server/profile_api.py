"""The worker type's own API at its apiUrl: profiles, functions, health. Only the gateway calls it."""

import hmac
import json
import re
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import schema
from profiles import Problem

MAX_BODY_BYTES = 1024 * 1024
ONE = re.compile(r"/v1/profiles/([0-9a-f-]{36})")
REVISIONS = re.compile(r"/v1/profiles/([0-9a-f-]{36})/revisions")
REVISION = re.compile(r"/v1/profiles/([0-9a-f-]{36})/revisions/([1-9][0-9]{0,8})")


def serve(port, profiles, functions, gateway_key):
    """An HTTP server on the loopback interface; `serve_forever` runs it."""

    class Handler(ProfileApi):
        pass

    Handler.profiles, Handler.functions, Handler.gateway_key = profiles, functions, gateway_key
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    return server


class ProfileApi(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    profiles = None
    functions = {}
    gateway_key = ""

    def do_GET(self):
        self._answer(self._get)

    def do_POST(self):
        self._answer(self._post)

    def do_PUT(self):
        self._answer(self._put)

    def do_DELETE(self):
        self._answer(self._delete)

    def _get(self, path, query):
        if path in ("/live", "/ready"):
            return 200, {"status": "ok"}, {}
        self._authenticate()
        if path == "/v1/functions":
            return 200, {"items": [self._function(one) for one in self.functions.values()]}, {}
        if path == "/v1/profiles":
            page = self.profiles.list(self._limit(query), query.get("cursor", ""), query.get("name"), query.get("function"))
            return 200, page, {}
        if match := REVISION.fullmatch(path):
            return 200, self.profiles.revision(match[1], int(match[2])), {}
        if match := REVISIONS.fullmatch(path):
            before = query.get("cursor", str(2**31))
            if not before.isdigit():
                raise Problem(400, "bad_request", "The cursor is none of ours")
            return 200, self.profiles.revisions(match[1], self._limit(query), int(before)), {}
        if match := ONE.fullmatch(path):
            return self._profile(200, self.profiles.get(match[1]))
        raise Problem(404, "not_found", f"There is nothing at {path}")

    def _post(self, path, _query):
        self._authenticate()
        if path != "/v1/profiles":
            raise Problem(404, "not_found", f"There is nothing at {path}")
        profile = self.profiles.create(self._body(), self.headers.get("Idempotency-Key"))
        status, body, headers = self._profile(201, profile)
        return status, body, {**headers, "Location": f"/v1/profiles/{profile['id']}"}

    def _put(self, path, _query):
        self._authenticate()
        match = ONE.fullmatch(path)
        if not match:
            raise Problem(404, "not_found", f"There is nothing at {path}")
        return self._profile(200, self.profiles.replace(match[1], self.headers.get("If-Match"), self._body()))

    def _delete(self, path, _query):
        self._authenticate()
        match = ONE.fullmatch(path)
        if not match:
            raise Problem(404, "not_found", f"There is nothing at {path}")
        self.profiles.delete(match[1], self.headers.get("If-Match"))
        return 204, None, {}

    @staticmethod
    def _profile(status, profile):
        return status, profile, {"ETag": f'"{profile["revision"]}"'}

    def _function(self, function):
        misfits = [
            {"profileId": one["id"], "name": one["name"], "revision": one["revision"], "errors": found}
            for one in self.profiles.list(limit=500, function=function.name)["items"]
            if (found := schema.faults(function.settings_schema, one["settings"]))
        ]
        return {**function.described(), "cacheable": False, "misfits": misfits}

    @staticmethod
    def _limit(query):
        limit = query.get("limit", "100")
        if not limit.isdigit() or not 1 <= int(limit) <= 500:
            raise Problem(400, "bad_request", "limit must be 1 to 500")
        return int(limit)

    def _authenticate(self):
        shown = self.headers.get("Authorization", "")
        if not hmac.compare_digest(shown.encode(), f"Bearer {self.gateway_key}".encode()):
            raise Problem(401, "unauthenticated", "The key is not that of the gateway")

    def _body(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            raise Problem(400, "bad_request", "The body's length is missing")
        if int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            raise Problem(413, "too_large", f"At most {MAX_BODY_BYTES} bytes")
        self._unread = 0
        try:
            return json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            raise Problem(400, "malformed_json", "The body is not JSON") from None

    def _answer(self, handle):
        address = urllib.parse.urlsplit(self.path)
        length = self.headers.get("Content-Length", "0")
        self._unread = int(length) if length.isdigit() else 0
        media_type = "application/json"
        try:
            status, body, headers = handle(address.path, dict(urllib.parse.parse_qsl(address.query)))
        except Problem as problem:
            status, headers, media_type = problem.status, {}, "application/problem+json"
            body = {"type": f"urn:connecta:problem:{problem.code}", "title": problem.code.replace("_", " "),
                    "status": status, "code": problem.code, "detail": problem.detail}
            if problem.errors:
                body["errors"] = problem.errors
        data = b"" if body is None else json.dumps(body).encode()
        if self._unread:
            # A body that nobody read would be taken for the next request.
            self.close_connection = True
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if body is not None:
            self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_args):
        """Requests are not worth a line."""
