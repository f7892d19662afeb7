"""A worker that speaks be-api's HTTP protocol: registers, claims, runs, reports, drains. See docs/protocol.md."""

import json
import logging
import threading
import uuid

from be_api import Away, BlobBroken, Refused
from functions import Failure
from job import Job, Stopped, backoff
from profiles import Problem
from schema import with_defaults

log = logging.getLogger("task-server")
CLAIM_WAIT_MS = 20_000
INLINE_BYTES = 8192
REMEMBERED = 10_000


class TaskServer:
    """States: absent (registers, however long that takes) -> present -> draining (takes no more) -> left."""

    def __init__(self, api, registration, functions, profiles):
        self._api, self._registration = api, registration
        self._functions, self._profiles = functions, profiles
        self._slots = registration["slots"]
        self._free = threading.Condition()
        self._jobs = {}
        self._seen = {}
        self._worker_id = None
        self._registering = threading.Lock()
        self._heartbeat_s = 5.0
        self._draining = threading.Event()
        self._over = threading.Event()

    def run(self):
        """Works until it has drained and left."""
        self._register(None)
        beats = threading.Thread(target=self._beat, daemon=True)
        beats.start()
        self._claim_until_drained()
        with self._free:
            while self._jobs:
                self._free.wait(1.0)
        self._over.set()
        beats.join(20)
        self._leave()

    def drain(self):
        self._draining.set()

    def stop_jobs(self):
        """Ends what still runs: others go on with it."""
        with self._free:
            for job in self._jobs.values():
                job.stop("stopped")

    def tell_profiles(self):
        """Tells be-api of changed profiles; what fails here is made up for by the next registration or change."""
        path = f"/v1/worker-types/{self._registration['type']}/profiles"
        for failures in range(20):
            try:
                self._api.call("PUT", path, {"profiles": self._profiles.copies()})
                return
            except Refused as refused:
                log.warning("be-api refused the profiles: %s", refused)
                return
            except Away:
                if self._over.wait(backoff(failures)):
                    return

    def _register(self, known):
        """Registers, unless another thread has since `known`."""
        with self._registering:
            failures = 0
            while self._worker_id == known and not (self._draining.is_set() and known is not None):
                try:
                    body = {**self._registration, "profiles": self._profiles.copies()}
                    answer = self._api.call("POST", "/v1/workers", body)
                    self._worker_id, self._heartbeat_s = answer["workerId"], answer["heartbeatMs"] / 1000
                    log.info("registered as %s", self._worker_id)
                except (Away, Refused) as error:
                    log.warning("could not register: %s", error)
                    failures += 1
                    if self._draining.wait(backoff(failures, getattr(error, "retry_after", 0.0))):
                        return

    def _beat(self):
        failures = 0
        while not self._over.wait(self._heartbeat_s if failures == 0 else min(backoff(failures), self._heartbeat_s)):
            worker_id = self._worker_id
            with self._free:
                held = [self._held(job) for job in self._jobs.values()]
            body = {"freeSlots": max(self._slots - len(held), 0), "held": held, "draining": self._draining.is_set()}
            try:
                answer = self._api.call("POST", f"/v1/workers/{worker_id}/heartbeat", body, timeout=10.0)
            except Refused as refused:
                failures += 1
                if refused.status in (404, 410):
                    self._register(worker_id)
                continue
            except Away:
                failures += 1
                continue
            failures = 0
            self._stop_revoked(answer)
            if answer.get("drain"):
                self._draining.set()

    def _stop_revoked(self, answer):
        for reason, which in (("cancelled", answer.get("cancel", ())), ("stale", answer.get("stale", ()))):
            for one in which:
                self._stop(one["jobId"], one["attempt"], reason)

    def _claim_until_drained(self):
        request_id, failures = str(uuid.uuid4()), 0
        while not self._draining.is_set():
            with self._free:
                slots = self._slots - len(self._jobs)
                if slots <= 0:
                    self._free.wait(0.5)
                    continue
            worker_id = self._worker_id
            body = {"workerId": worker_id, "slots": slots, "waitMs": CLAIM_WAIT_MS, "requestId": request_id}
            try:
                answer = self._interruptible(lambda: self._api.call(
                    "POST", "/v1/jobs/claim", body, timeout=CLAIM_WAIT_MS / 1000 + 10))
            except Refused as refused:
                if refused.status in (404, 410):
                    self._register(worker_id)
                failures += 1
                self._draining.wait(backoff(failures))
                request_id = str(uuid.uuid4())
                continue
            except Away as away:
                # The answer may have been lost with jobs in it: the same request gives them again.
                failures += 1
                self._draining.wait(backoff(failures, away.retry_after))
                continue
            if answer is None:
                return
            request_id, failures = str(uuid.uuid4()), 0
            self._stop_revoked(answer)
            for message in answer["jobs"]:
                self._accept(message)
            if answer.get("drain"):
                self._draining.set()

    def _interruptible(self, call):
        """The call's answer; None when the server is to drain first. What is claimed then is not acknowledged."""
        outcome = {}

        def run():
            try:
                outcome["answer"] = call()
            except Exception as error:  # handed to the caller below
                outcome["error"] = error

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        while thread.is_alive() and not self._draining.is_set():
            thread.join(0.05)
        if "error" in outcome:
            raise outcome["error"]
        return outcome.get("answer")

    def _accept(self, message):
        key = message["jobId"], message["attempt"]
        with self._free:
            if key in self._jobs or key in self._seen:
                return
            job = Job(self._api, message)
            self._jobs[key] = job
        threading.Thread(target=self._work, args=(job, message), daemon=True).start()

    def _work(self, job, message):
        try:
            if self._say(job, message, "ack") and self._say(job, message, "start"):
                self._report(job, message, self._outcome(job, message))
        except Stopped:
            log.info("job %s attempt %s was stopped before it began", *job.key)
        except Exception:  # whatever it is, the slot must come free; the lease lapses and others go on
            log.exception("job %s attempt %s", *job.key)
        finally:
            with self._free:
                self._jobs.pop(job.key, None)
                self._seen[job.key] = True
                if len(self._seen) > REMEMBERED:
                    self._seen.pop(next(iter(self._seen)))
                self._free.notify_all()

    def _say(self, job, message, what):
        """Acknowledges or starts; False when the job is not ours (any more)."""
        for failures in range(8):
            try:
                self._api.call("POST", f"/v1/jobs/{message['jobId']}/{what}", None, message["lease"])
                return True
            except Refused as refused:
                log.info("job %s attempt %s is not ours: %s", *job.key, refused)
                return False
            except Away as away:
                job.sleep(backoff(failures, away.retry_after))
        return False

    def _outcome(self, job, message):
        """The end to report: ('complete' or 'fail', body)."""
        try:
            function = self._functions.get(message["function"])
            if function is None:
                raise Failure("permanent", "unknown_function", f"there is no function {message['function']}")
            profile = self._profiles.revision(message["profileId"], message["profileRevision"])
            job.settings = with_defaults(function.settings_schema, profile["settings"])
            value = function.run(job)
            text = json.dumps(value)
            if len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()) > INLINE_BYTES:
                value = job.write(text.encode(), "application/json")
            return "complete", {"value": value}
        except Stopped:
            if job.stop_reason != "stopped":
                return None
            failure = Failure("retryable", "runner_stopped", "the worker had to stop", 0)
        except Failure as known:
            failure = known
        except Problem as problem:
            failure = Failure("permanent", "unknown_profile", problem.detail)
        except (Away, BlobBroken) as error:
            failure = Failure("retryable", "blobs_unavailable", str(error))
        except Refused as refused:
            failure = Failure("permanent" if refused.status in (404, 413, 422) else "retryable", refused.code or "refused", str(refused))
        except Exception as error:
            log.exception("the function failed")
            failure = Failure("retryable", "function_error", f"{type(error).__name__}: {error}")
        body = {"kind": failure.kind, "code": failure.code[:100], "message": failure.message[:4000]}
        if failure.retry_after_ms is not None:
            body["retryAfterMs"] = failure.retry_after_ms
        if job.checkpoint is not None:
            body["context"] = job.checkpoint
        return "fail", body

    def _report(self, job, message, end):
        """Sends the end, the same bytes again, until it is recorded or refused for good."""
        failures = 0
        while end is not None:
            what, body = end
            try:
                self._api.call("POST", f"/v1/jobs/{message['jobId']}/{what}", body, message["lease"], timeout=20.0)
                return
            except Refused as refused:
                log.info("the end of job %s attempt %s was refused: %s", *job.key, refused)
                return
            except Away as away:
                failures += 1
                if job.stop_reason in ("cancelled", "stale"):
                    return
                threading.Event().wait(backoff(failures, away.retry_after))

    def _stop(self, job_id, attempt, reason):
        with self._free:
            job = self._jobs.get((job_id, attempt))
        if job:
            job.stop(reason)

    @staticmethod
    def _held(job):
        held = {"jobId": job.key[0], "attempt": job.key[1]}
        return held if job.fraction is None else {**held, "progress": job.fraction}

    def _leave(self):
        for failures in range(4):
            try:
                self._api.call("DELETE", f"/v1/workers/{self._worker_id}", timeout=3.0)
                return
            except Refused:
                return
            except Away:
                threading.Event().wait(backoff(failures))
