"""usage: publish.py TOPIC JSON      prints the id of the event; nothing but Python 3 is needed"""

import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid

URL = os.environ.get("MILLRACE_URL", "http://127.0.0.1:3000") + "/events"


def publish(topic, data, *, attempts=6, **fields):
    """Stores one event and returns its id. Raises RuntimeError with the hub's own words when it refuses."""
    # The same key on every attempt: what was stored although its answer got lost is not stored twice.
    event = {"topic": topic, "data": data, "dedupeKey": str(uuid.uuid4()), **fields}
    body = json.dumps(event).encode()
    request = urllib.request.Request(URL, body, {"Content-Type": "application/json"})
    for attempt in range(attempts):
        wait = min(2**attempt, 30)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return json.load(response)["ids"][0]
        except urllib.error.HTTPError as error:
            why = detail_of(error)
            later = error.headers.get("Retry-After")
            seconds = int(later) if later and later.isdigit() else None
            # A 429 passes within a minute, or it is a bound that no waiting mends.
            if error.code < 500 and not (error.code == 429 and seconds is not None and seconds < 60):
                raise RuntimeError(why) from None
            if seconds is not None:
                wait = min(seconds, 60)
        except (OSError, http.client.HTTPException, ValueError, LookupError) as error:  # nobody there, cut, or no hub
            why = f"No answer from {URL}: {error!r}"
        if attempt + 1 < attempts:
            time.sleep(wait)
    raise RuntimeError(why)


def detail_of(error):
    try:
        return json.load(error)["detail"]
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):  # a proxy's page, or cut
        return f"{URL} answered {error.code}"


if __name__ == "__main__":
    try:
        print(publish(sys.argv[1], json.loads(sys.argv[2])))
    except RuntimeError as error:
        sys.exit(str(error))
