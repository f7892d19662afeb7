"""Starts the task server: its profile API, its presence at be-api, its work."""

import logging
import os
import signal
import sys
import threading

from be_api import BeApi
from functions import FUNCTIONS, SAMPLES
from profile_api import serve
from profiles import Problem, Profiles
from task_server import TaskServer


def setting(name, default=None):
    value = os.environ.get(name, default)
    if value is None:
        sys.exit(f"{name} is not set")
    return value


def main():
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    data_dir = setting("WORKER_DATA_DIR", ".")
    worker_type = setting("WORKER_TYPE", "python-text")
    holder = {}

    def on_change():
        if "server" in holder:
            threading.Thread(target=holder["server"].tell_profiles, daemon=True).start()

    profiles = Profiles(os.path.join(data_dir, f"{worker_type}.sqlite3"), FUNCTIONS, on_change)
    for sample in SAMPLES:
        try:
            profiles.create(sample, f"sample {sample['name']}")
        except Problem as problem:
            # A sample that somebody renamed over or deleted stays as they left it.
            if problem.code not in ("name_taken", "not_found"):
                raise
    api_server = serve(int(setting("WORKER_API_PORT", "4730")), profiles, FUNCTIONS, setting("CONNECTA_GATEWAY_KEY"))
    threading.Thread(target=api_server.serve_forever, daemon=True).start()
    registration = {
        "type": worker_type, "role": "both", "instance": f"{worker_type}-{os.uname().nodename}-{os.getpid()}"[:200],
        "version": "1.0.0", "language": "python", "transport": "http", "protocolVersion": 1,
        "apiUrl": setting("WORKER_API_URL", f"http://127.0.0.1:{api_server.server_address[1]}"),
        "slots": int(setting("SLOTS", "4")),
        "owner": {"team": setting("OWNER_TEAM", "Examples"), "contact": setting("OWNER_CONTACT", "examples@example.org")},
        "functions": [function.described() for function in FUNCTIONS.values()],
    }
    server = TaskServer(BeApi(setting("BE_API_URL"), setting("SERVICE_ACCOUNT_KEY")), registration, FUNCTIONS, profiles)
    holder["server"] = server

    def stop(_number, _frame):
        server.drain()
        # What does not end within the bound is left to others.
        late = threading.Timer(float(setting("STOP_TIMEOUT_MS", "25000")) / 1000, server.stop_jobs)
        late.daemon = True
        late.start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    server.run()
    api_server.shutdown()


main()
