"""gatelm over HTTP, in one file on the standard library. Python 3.9 or newer.

    from gatelm import Gatelm

    gatelm = Gatelm("http://127.0.0.1:8080")
    run = gatelm.create_experiment(preset="starter", corpus="handbook")
    for event in gatelm.follow(run["id"]):
        print(event["type"], event["data"])
    for text in gatelm.stream_text("The", experiment=run["id"], maxTokens=40):
        print(text, end="")

Answers are the dictionaries of the HTTP interface, which /docs of a server describes. What a server refuses is a GatelmError.

    python3 gatelm.py train notes.txt      uploads a text, trains on it with the preset auto, follows it, and lets it write
"""
import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

DEFAULT_URL = "http://127.0.0.1:8080"
JSON = {"content-type": "application/json"}
EVENT_STREAM = {"accept": "text/event-stream"}
MAX_RECONNECTIONS = 20
"""Tries in a row, without an event between them, before follow() gives up."""


class GatelmError(Exception):
    """What the server refused or could not do: status, code (a stable name) and the whole problem (RFC 9457)."""

    def __init__(self, status, problem):
        fields = "".join(f"\n  {each['path']}: {each['message']}" for each in problem.get("errors", []))
        super().__init__((problem.get("detail") or problem.get("title") or f"HTTP {status}") + fields)
        self.status = status
        self.code = problem.get("code", "unknown")
        self.problem = problem


class Gatelm:
    """A server. The address and the key default to GATELM_URL and GATELM_API_KEY."""

    def __init__(self, url=None, api_key=None, timeout=600):
        self.url = (url or os.environ.get("GATELM_URL") or DEFAULT_URL).rstrip("/")
        self.timeout = timeout
        """Seconds without a byte after which a request has failed; streams send a heartbeat far more often."""
        key = api_key or os.environ.get("GATELM_API_KEY")
        self._headers = {"authorization": f"Bearer {key}"} if key else {}

    # experiments

    def create_experiment(self, **config):
        """POST /experiments: preset, corpus, model, training, … as keyword arguments."""
        return self._json("POST", "/experiments", config)

    def plan_experiment(self, **config):
        """The whole config, and what it would take; nothing is stored."""
        return self._json("POST", "/experiments?dryRun=true", config)

    def experiments(self, **query):
        """Every experiment, page after page; state=, tag=, corpus=, preset=, name=, sort=."""
        while True:
            page = self._json("GET", "/experiments" + _query(query))
            yield from page["items"]
            if page["nextCursor"] is None:
                return
            query["cursor"] = page["nextCursor"]

    def experiment(self, run):
        return self._json("GET", _path(run))

    def edit_experiment(self, run, **fields):
        """Changes name, tags, notes or priority."""
        return self._json("PATCH", _path(run), fields)

    def delete_experiment(self, run):
        self._json("DELETE", _path(run))

    def control(self, run, verb):
        """verb: pause, resume, cancel, retry or kill."""
        return self._json("POST", _path(run, f"/{verb}"))

    def fork(self, run, **changes):
        return self._json("POST", _path(run, "/fork"), changes)

    def continue_experiment(self, run, epochs):
        return self._json("POST", _path(run, "/continue"), {"epochs": epochs})

    def metrics(self, run, **query):
        """Curves by key: {"validPerplexity": [{"step", "epoch", "time", "value"}, …]}."""
        return self._json("GET", _path(run, "/metrics") + _query({**query, "format": "json"}))["series"]

    def evaluate(self, run, **request):
        """split="test", or text="…"; cache={}, dynamic={}."""
        return self._json("POST", _path(run, "/evaluate"), request)

    def follow(self, run, since=0):
        """Every event with a number above `since`, to the last one. Reconnects by itself; none is missed, none comes twice."""
        failures = 0
        while True:
            try:
                path = _path(run, "/events") + _query({"since": since})
                with self._open("GET", path, headers=EVENT_STREAM) as response:
                    if response.status == 204:
                        return  # nothing comes any more
                    for kind, message in _read_events(response):
                        if kind == "snapshot":
                            continue
                        since, failures = message["seq"], 0
                        yield message
            except GatelmError as error:
                if error.status < 500 or failures >= MAX_RECONNECTIONS:
                    raise
            except (OSError, http.client.HTTPException):
                if failures >= MAX_RECONNECTIONS:
                    raise
            failures += 1
            time.sleep(0 if failures == 1 else min(5, 0.1 * 2**failures))

    # text

    def generate(self, prompt="", **request):
        return self._json("POST", "/generate", {"prompt": prompt, **request})

    def stream_text(self, prompt="", **request):
        """The text, piece by piece, while it is written."""
        body = json.dumps({"prompt": prompt, **request}).encode()
        with self._open("POST", "/generate", body, {**JSON, **EVENT_STREAM}) as response:
            for kind, message in _read_events(response):
                if kind == "text":
                    yield message["text"]

    def score(self, text, **request):
        return self._json("POST", "/score", {"text": text, **request})

    def rank(self, prompt, alternatives, **request):
        return self._json("POST", "/rank", {"prompt": prompt, "alternatives": alternatives, **request})["items"]

    # corpora and files

    def corpora(self):
        return self._json("GET", "/corpora")["items"]

    def upload_corpus(self, name, file, **fields):
        """file: a path; .zip, .jsonl and .csv are read for what they hold."""
        return self._form("/corpora", {"name": name, **fields}, {"file": file})

    def delete_corpus(self, name):
        self._json("DELETE", f"/corpora/{urllib.parse.quote(name, safe='')}")

    def export_model(self, run, file):
        """Writes the tar archive with model.safetensors, config.json and tokenizer.json."""
        self._download(_path(run, "/export"), file)

    def import_model(self, name, **files):
        """Paths by kind: model=, tokenizer= or vocabulary=, config=."""
        return self._form("/experiments/import", {"name": name}, files)

    def export_tensorboard(self, run, file):
        self._download(_path(run, "/tensorboard"), file)

    # requests

    def _open(self, method, path, body=None, headers=None):
        request = urllib.request.Request(
            self.url + path, data=body, method=method, headers={**self._headers, **(headers or {})}
        )
        try:
            return urllib.request.urlopen(request, timeout=self.timeout)
        except urllib.error.HTTPError as error:
            try:
                problem = json.loads(error.read())
            except ValueError:
                problem = {}
            raise GatelmError(error.code, problem) from None

    def _json(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"accept": "application/json", **(JSON if data else {})}
        with self._open(method, path, data, headers) as response:
            text = response.read()
            return json.loads(text) if text else None

    def _download(self, path, file):
        with self._open("GET", path) as response, open(file, "xb") as target:
            while chunk := response.read(1 << 16):
                target.write(chunk)

    def _form(self, path, fields, files):
        boundary = uuid.uuid4().hex
        parts = []
        for name, value in fields.items():
            parts.append(f'--{boundary}\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
        for name, file in files.items():
            with open(file, "rb") as source:
                content = source.read()
            head = f'content-disposition: form-data; name="{name}"; filename="{os.path.basename(file)}"'
            kind = "content-type: application/octet-stream"
            parts.append(f"--{boundary}\r\n{head}\r\n{kind}\r\n\r\n".encode() + content + b"\r\n")
        body = b"".join(parts) + f"--{boundary}--\r\n".encode()
        with self._open("POST", path, body, {"content-type": f"multipart/form-data; boundary={boundary}"}) as response:
            return json.loads(response.read())


def _read_events(response):
    """Server-Sent Events: the name of each and its data, parsed. What the server says went wrong is raised."""
    event, lines = "message", []
    for line in response:
        line = line.decode().rstrip("\n")
        if line.startswith("event:"):
            event = line[6:].strip()
        elif line.startswith("data:"):
            lines.append(line[5:].removeprefix(" "))
        elif line == "" and lines:
            message = json.loads("\n".join(lines))
            if event == "error":
                raise GatelmError(message.get("status", 500), message)
            yield event, message
            event, lines = "message", []


def _path(run, rest=""):
    return f"/experiments/{urllib.parse.quote(run, safe='')}{rest}"


def _query(values):
    given = {key: str(value).lower() if isinstance(value, bool) else value for key, value in values.items() if value is not None}
    return f"?{urllib.parse.urlencode(given)}" if given else ""


def _main(arguments):
    if len(arguments) != 2 or arguments[0] != "train":
        sys.exit(__doc__)
    gatelm = Gatelm()
    name = os.path.splitext(os.path.basename(arguments[1]))[0]
    if name not in [corpus["name"] for corpus in gatelm.corpora()]:
        gatelm.upload_corpus(name, arguments[1])
    run = gatelm.create_experiment(corpus=name, preset="auto", budget=os.environ.get("BUDGET", "2m"))
    for event in gatelm.follow(run["id"]):
        if event["type"] == "epoch":
            print(f"epoch {event['data']['epoch']}: valid perplexity {event['data']['validPerplexity']:.1f}")
        elif event["type"] in ("succeeded", "failed"):
            print(event["type"])
    for text in gatelm.stream_text(experiment=run["id"], maxTokens=40, seed=1):
        print(text, end="", flush=True)
    print()


if __name__ == "__main__":
    _main(sys.argv[1:])
