"""The profiles of this worker type in SQLite: every write is a new revision, and no revision is ever changed."""

import datetime
import hashlib
import json
import sqlite3
import threading

import schema
from be_api import new_id

TABLES = """
CREATE TABLE IF NOT EXISTS profiles (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, function TEXT NOT NULL, revision INTEGER NOT NULL,
  created_at TEXT NOT NULL, updated_at TEXT NOT NULL, deleted INTEGER NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX IF NOT EXISTS live_names ON profiles(name) WHERE deleted = 0;
CREATE TABLE IF NOT EXISTS revisions (
  profile_id TEXT NOT NULL, revision INTEGER NOT NULL, name TEXT NOT NULL, function TEXT NOT NULL,
  settings TEXT NOT NULL, created_at TEXT NOT NULL, PRIMARY KEY (profile_id, revision));
CREATE TABLE IF NOT EXISTS creations (key TEXT PRIMARY KEY, body_hash TEXT NOT NULL, profile_id TEXT NOT NULL,
  created_at TEXT NOT NULL);
"""


class Problem(Exception):
    """What the API answers as application/problem+json."""

    def __init__(self, status, code, detail, errors=None):
        super().__init__(detail)
        self.status, self.code, self.detail, self.errors = status, code, detail, errors or []


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Profiles:
    def __init__(self, path, functions, on_change):
        self._functions = functions
        self._on_change = on_change
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.executescript(TABLES)

    def list(self, limit=100, cursor="", name=None, function=None):
        rows = self._rows(
            "SELECT id FROM profiles WHERE deleted = 0 AND id > ? AND (? IS NULL OR name = ?)"
            " AND (? IS NULL OR function = ?) ORDER BY id LIMIT ?",
            (cursor, name, name, function, function, limit + 1),
        )
        items = [self.get(row["id"]) for row in rows[:limit]]
        return {"items": items, "nextCursor": items[-1]["id"] if len(rows) > limit else None}

    def get(self, profile_id):
        rows = self._rows(
            "SELECT p.*, r.settings FROM profiles p JOIN revisions r ON r.profile_id = p.id AND r.revision = p.revision"
            " WHERE p.id = ? AND p.deleted = 0", (profile_id,))
        if not rows:
            raise Problem(404, "not_found", "There is no such profile")
        row = rows[0]
        return {
            "id": row["id"], "name": row["name"], "function": row["function"],
            "settings": json.loads(row["settings"]), "revision": row["revision"],
            "createdAt": row["created_at"], "updatedAt": row["updated_at"],
        }

    def revision(self, profile_id, revision):
        """One revision, also of a deleted profile: running orders keep what they started with."""
        rows = self._rows("SELECT * FROM revisions WHERE profile_id = ? AND revision = ?", (profile_id, revision))
        if not rows:
            raise Problem(404, "not_found", "The profile never had this revision")
        return self._shown(rows[0])

    def revisions(self, profile_id, limit=100, before=2**31):
        rows = self._rows(
            "SELECT * FROM revisions WHERE profile_id = ? AND revision < ? ORDER BY revision DESC LIMIT ?",
            (profile_id, before, limit + 1))
        if not rows and before == 2**31:
            raise Problem(404, "not_found", "There is no such profile")
        items = [self._shown(row) for row in rows[:limit]]
        return {"items": items, "nextCursor": str(items[-1]["revision"]) if len(rows) > limit else None}

    def create(self, body, key=None):
        self._check(body)
        body_hash = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        with self._lock, self._transaction():
            known = key and self._db.execute("SELECT * FROM creations WHERE key = ?", (key,)).fetchone()
            if known and known["body_hash"] != body_hash:
                raise Problem(422, "idempotency_mismatch", "The Idempotency-Key was used with another body")
            profile_id = known["profile_id"] if known else new_id()
            if not known:
                self._refuse_taken(body["name"], profile_id)
                time = now()
                self._db.execute("INSERT INTO profiles VALUES (?, ?, ?, 1, ?, ?, 0)",
                                 (profile_id, body["name"], body["function"], time, time))
                self._write_revision(profile_id, 1, body, time)
                if key:
                    self._db.execute("INSERT INTO creations VALUES (?, ?, ?, ?)", (key, body_hash, profile_id, time))
        self._on_change()
        return self.get(profile_id)

    def replace(self, profile_id, if_match, body):
        self._check(body)
        with self._lock, self._transaction():
            before = self._expected(profile_id, if_match)
            if any(before[name] != body[name] for name in ("name", "function", "settings")):
                self._refuse_taken(body["name"], profile_id)
                time, revision = now(), before["revision"] + 1
                self._db.execute("UPDATE profiles SET name = ?, function = ?, revision = ?, updated_at = ? WHERE id = ?",
                                 (body["name"], body["function"], revision, time, profile_id))
                self._write_revision(profile_id, revision, body, time)
        self._on_change()
        return self.get(profile_id)

    def delete(self, profile_id, if_match):
        with self._lock, self._transaction():
            self._expected(profile_id, if_match)
            self._db.execute("UPDATE profiles SET deleted = 1, updated_at = ? WHERE id = ?", (now(), profile_id))
        self._on_change()

    def copies(self):
        """What be-api keeps of the profiles: all of them, deleted ones too, without their settings."""
        return [
            {"id": row["id"], "name": row["name"], "function": row["function"], "revision": row["revision"],
             "deleted": bool(row["deleted"])}
            for row in self._rows("SELECT * FROM profiles ORDER BY id", ())
        ]

    def _expected(self, profile_id, if_match):
        profile = self.get(profile_id)
        if if_match is None:
            raise Problem(428, "precondition_required", "If-Match is required")
        if if_match != f'"{profile["revision"]}"':
            raise Problem(412, "precondition_failed", f"The profile is at revision {profile['revision']}")
        return profile

    def _check(self, body):
        if not isinstance(body, dict) or set(body) != {"name", "function", "settings"}:
            raise Problem(400, "bad_request", "A profile is {name, function, settings}")
        if not isinstance(body["name"], str) or not schema.is_name(body["name"]):
            raise Problem(400, "bad_request", "The request is not valid", [{"path": "/name", "message": "is no name"}])
        function = self._functions.get(body["function"]) if isinstance(body["function"], str) else None
        if function is None:
            raise Problem(422, "unknown_function", "There is no such function")
        found = schema.faults(function.settings_schema, body["settings"])
        if found:
            raise Problem(422, "invalid_settings", "The settings do not fit the function", found)

    def _refuse_taken(self, name, profile_id):
        if self._db.execute("SELECT 1 FROM profiles WHERE name = ? AND deleted = 0 AND id <> ?",
                            (name, profile_id)).fetchone():
            raise Problem(409, "name_taken", f"There is a profile {name} already")

    def _write_revision(self, profile_id, revision, body, time):
        self._db.execute("INSERT INTO revisions VALUES (?, ?, ?, ?, ?, ?)",
                         (profile_id, revision, body["name"], body["function"], json.dumps(body["settings"]), time))

    @staticmethod
    def _shown(row):
        return {
            "profileId": row["profile_id"], "revision": row["revision"], "name": row["name"],
            "function": row["function"], "settings": json.loads(row["settings"]), "createdAt": row["created_at"],
        }

    def _rows(self, sql, values):
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def _transaction(self):
        return Transaction(self._db)


class Transaction:
    def __init__(self, db):
        self._db = db

    def __enter__(self):
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind, _error, _trace):
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")
