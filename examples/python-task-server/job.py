"""One attempt of one job, as its function sees it."""

import hashlib
import os
import tempfile
import threading
import time

from be_api import Away, BlobBroken, new_id

TRIES = 6


class Stopped(Exception):
    """The work no longer counts (cancelled, replaced) or must be left to others (the server stops)."""


class Job:
    def __init__(self, api, message):
        self._api = api
        self._message = message
        self._stop = threading.Event()
        self.stop_reason = None
        self.fraction = None
        self.checkpoint = None
        self.settings = {}
        self.params = message.get("params", {})
        self.context = message.get("context")
        self.input = self._input()

    @property
    def key(self):
        return self._message["jobId"], self._message["attempt"]

    def stop(self, reason):
        if self.stop_reason is None:
            self.stop_reason = reason
            self._stop.set()

    def check(self):
        if self._stop.is_set():
            raise Stopped(self.stop_reason)

    def sleep(self, seconds):
        self._stop.wait(seconds)
        self.check()

    def progress(self, fraction, checkpoint=None):
        """How far it is. A checkpoint (a blob) is told at once; the fraction alone goes with the next heartbeat."""
        self.check()
        self.fraction = min(max(fraction, 0.0), 1.0)
        if checkpoint is None:
            return
        self.checkpoint = checkpoint
        body = {"progress": self.fraction, "context": checkpoint}
        answer = self._again(lambda: self._api.call("POST", f"/v1/jobs/{self.key[0]}/heartbeat", body, self._message["lease"]))
        if answer["cancel"] or answer["stale"]:
            self.stop("cancelled" if answer["cancel"] else "stale")

    @staticmethod
    def is_blob(value):
        return isinstance(value, dict) and {"blobId", "mediaType", "size", "sha256"} <= set(value)

    def read(self, ref):
        """The bytes of a blob in chunks, checked at the end. Where the connection breaks, it is gone on from there."""
        digest, size, failures = hashlib.sha256(), 0, 0
        while size < ref["size"] or size == 0:
            try:
                for chunk in self._api.read_blob(self._message, ref, size):
                    self.check()
                    size += len(chunk)
                    digest.update(chunk)
                    yield chunk
                break
            except Away as away:
                failures += 1
                if failures == TRIES:
                    raise
                self.sleep(max(0.1 * 2**failures, away.retry_after))
        if size != ref["size"] or digest.hexdigest() != ref["sha256"]:
            raise BlobBroken(f"blob {ref['blobId']} is not what its reference says")

    def write(self, data, media_type):
        """Stores bytes as a blob; its reference. The same id is used until it is stored."""
        blob_id = new_id()
        with tempfile.NamedTemporaryFile(delete=False) as file:
            file.write(data)
        try:
            return self._again(lambda: self._api.write_blob(self._message, blob_id, file.name, media_type))
        finally:
            os.unlink(file.name)

    def _again(self, call):
        for attempt in range(TRIES):
            try:
                return call()
            except Away as away:
                if attempt == TRIES - 1:
                    raise
                self.sleep(max(0.1 * 2**attempt, away.retry_after))
        raise AssertionError("unreachable")

    def _input(self):
        message = self._message
        if "blobId" in message:
            return {**message["blob"], "blobId": message["blobId"]}
        if "file" in message:
            return {"file": message["file"]}
        return message.get("value")


def backoff(failures, retry_after=0.0):
    """How long to wait after so many failures in a row, in seconds: at most five, so a be-api that is back is noticed."""
    return max(min(0.25 * 2 ** min(failures, 10), 5.0) * (0.75 + (time.monotonic() % 0.5)), retry_after)
