"""`python -m config.probe`: the container's healthcheck. Exits 0 when the web server beside it is well."""

import http.client
import os
import sys


def main() -> int:
    host = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].strip()
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8000")), timeout=4)
    try:
        connection.request("GET", "/healthz", headers={"Host": host})
        response = connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        print(f"The web server does not answer: {error}")
        return 1
    print(response.read().decode())
    return 0 if response.status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
