"""be-api as a worker sees it: JSON calls, and blobs that are streamed. Standard library only."""

import hashlib
import http.client
import json
import os
import socket
import time
import urllib.error
import urllib.parse
import urllib.request

CHUNK_BYTES = 256 * 1024


class Refused(Exception):
    """be-api understood the call and answered a problem; sending the same again changes nothing."""

    def __init__(self, status, document):
        super().__init__(f"{status} {document.get('code')}: {document.get('detail')}")
        self.status = status
        self.code = document.get("code")
        self.document = document


class Away(Exception):
    """No answer, or one that says that it passes (5xx, 429): the same call is to be sent again."""

    def __init__(self, reason, retry_after=0.0):
        super().__init__(reason)
        self.retry_after = retry_after


class BlobBroken(Exception):
    """The bytes that came are not those that the reference promised."""


def new_id():
    """A UUIDv7: what blobs are named by."""
    value = int(time.time() * 1000) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class BeApi:
    def __init__(self, url, key):
        self._url = url.rstrip("/")
        self._key = key

    def call(self, method, path, body=None, lease=None, timeout=15.0):
        """One call; its answer as JSON. Raises Refused or Away."""
        data = None if body is None else json.dumps(body).encode()
        headers = {} if data is None else {"Content-Type": "application/json"}
        with self._open(method, path, data, headers, lease, timeout) as response:
            text = self._read(response)
        return json.loads(text) if text else None

    def read_blob(self, job, ref, offset=0):
        """The bytes of a blob in chunks, from an offset on. Raises Away when it breaks off: go on from there."""
        size = offset
        path = f"/v1/jobs/{job['jobId']}/blobs/{ref['blobId']}"
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        with self._open("GET", path, None, headers, job["lease"], 60.0) as response:
            if offset and response.status != 206:
                raise Away("the range was not honoured")
            while True:
                try:
                    chunk = response.read(CHUNK_BYTES)
                except (OSError, http.client.HTTPException) as error:
                    raise Away(f"the blob broke off: {error}") from error
                if not chunk:
                    break
                size += len(chunk)
                yield chunk
        if size < ref["size"]:
            raise Away("the blob broke off")

    def write_blob(self, job, blob_id, path, media_type):
        """Stores a file's bytes under an id of ours; the same again is the same blob."""
        with open(path, "rb") as source:
            digest = hashlib.sha256()
            for chunk in iter(lambda: source.read(CHUNK_BYTES), b""):
                digest.update(chunk)
            size = source.tell()
            source.seek(0)
            headers = {"Content-Type": media_type, "Content-Length": str(size), "Connecta-Sha256": digest.hexdigest()}
            target = f"/v1/jobs/{job['jobId']}/blobs/{blob_id}"
            with self._open("PUT", target, source, headers, job["lease"], 300.0) as response:
                return json.loads(self._read(response))

    def _open(self, method, path, data, headers, lease, timeout):
        request = urllib.request.Request(self._url + path, data=data, method=method, headers=headers)
        request.add_header("Authorization", f"Bearer {self._key}")
        if lease is not None:
            request.add_header("Connecta-Lease", lease)
        try:
            return urllib.request.urlopen(request, timeout=timeout)
        except urllib.error.HTTPError as error:
            with error:
                raise self._problem(error) from None
        except (OSError, http.client.HTTPException) as error:
            raise Away(f"be-api does not answer: {error}") from error

    @staticmethod
    def _read(response):
        try:
            return response.read()
        except (OSError, http.client.HTTPException, socket.timeout) as error:
            raise Away(f"the answer broke off: {error}") from error

    @staticmethod
    def _problem(error):
        try:
            document = json.loads(error.read())
        except (ValueError, OSError, http.client.HTTPException):
            document = {}
        if not isinstance(document, dict):
            document = {}
        if error.code >= 500 or error.code == 429:
            after = error.headers.get("Retry-After", "0")
            return Away(f"{error.code} {document.get('code')}", float(after) if after.isdigit() else 0.0)
        return Refused(error.code, document)
