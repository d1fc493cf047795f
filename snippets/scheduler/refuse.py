"""Stand in for a Dagster that refuses every run, on a free port: python refuse.py serve"""

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

ANSWER = {
    "data": {
        "launchRun": {"__typename": "RunConfigValidationInvalid", "errors": [{"message": "Missing config entry ops"}]},
        "runsOrError": {"__typename": "Runs", "results": []},
    }
}


class Refuse(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps(ANSWER).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if sys.argv[1:] == ["serve"]:
    server = HTTPServer(("127.0.0.1", 0), Refuse)
    print(f"DAGSTER_URL=http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
