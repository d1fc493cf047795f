"""Triggers other than HTTP: timers, queues and watches, sent as Fission's own senders send them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from kit.errors import KitError
from kit.serve.functions import Function, Served
from kit.serve.gateway import Call
from kit.serve.schedule import next_time
from kit.serve.wsgi import Headers, Reply
from kit.specs.models import Queue, Timer, Watch
from kit.specs.resolve import object_name

EVENTS = ("ADDED", "MODIFIED", "DELETED")
_GO_TYPES = {"POD": "Pod", "SERVICE": "Service", "REPLICATIONCONTROLLER": "ReplicationController", "JOB": "Job"}
_SUCCESS = {"keda": range(200, 300), "fission": range(200, 201)}  # what counts as success


@dataclass(frozen=True)
class Trigger:
    """One trigger: its name in the block, that of its object, whom it calls, and its settings."""

    short: str
    name: str
    function: Function
    config: Timer | Queue | Watch


@dataclass(frozen=True)
class Outcome:
    """What came of a call.

    Attributes:
        trigger: the name of its object.
        function: that was called.
        status: of the last answer.
        headers: of the last answer.
        body: of the last answer.
        attempts: how often the function was called.
        note: what Fission would do next.
    """

    trigger: str
    function: str
    status: int
    headers: Headers
    body: bytes
    attempts: int
    note: str


class Triggers:
    """All triggers other than HTTP.

    Args:
        served: the functions.
        call: calls a function through the router's internal listener.
    """

    def __init__(self, served: Served, call: Callable[[Function, Call], Reply]) -> None:
        self._call = call
        pairs = list(zip(served.blocks, served.functions, strict=True))
        self.timers = [_of(f, name, config) for b, f in pairs for name, config in b.config.timers.items()]
        self.queues = [_of(f, name, config) for b, f in pairs for name, config in b.config.queues.items()]
        self.watches = [_of(f, name, config) for b, f in pairs for name, config in b.config.watches.items()]

    def fire(self, name: str) -> Outcome:
        """Call a timer's function now. Source: pkg/timer/timer.go.

        Args:
            name: of the timer in its block, or of its object when several blocks use the name.

        Raises:
            KitError: there is no such timer, or there are several.
        """
        trigger = _one(self.timers, "timer", name)
        config = trigger.config
        assert isinstance(config, Timer)  # noqa: S101 - only timers are in the list
        call = Call(config.method, config.subpath, [("X-Fission-Timer-Name", trigger.name)])
        status, headers, body = self._send(trigger, call)
        note = "done"
        # fidelity: timer-retries
        if status == 404:
            note = "a 404 is tried again by Fission, up to 10 times"
        elif status >= 400:
            note = "Fission only logs this; the next run is the next attempt"
        return Outcome(trigger.name, trigger.function.name, status, headers, body, 1, note)

    def send(self, name: str, body: bytes) -> list[Outcome]:
        """Deliver a message to every queue trigger of a topic, or to one trigger. Source: fission/keda-connectors.

        Raises:
            KitError: nothing listens to it.
        """
        found = [trigger for trigger in self.queues if name in (_queue(trigger).topic, trigger.short, trigger.name)]
        if not found:
            known = ", ".join(sorted({_queue(trigger).topic for trigger in self.queues})) or "none"
            raise KitError(f"no function listens to the topic {name}; topics of this project: {known}")
        return [self._deliver(trigger, body) for trigger in found]

    def notify(self, name: str, event: str, body: bytes) -> Outcome:
        """Tell a watch's function about a Kubernetes object. Source: pkg/kubewatcher.

        Args:
            name: of the watch in its block, or of its object.
            event: one of EVENTS.
            body: the object as JSON.

        Raises:
            KitError: there is no such watch or event.
        """
        trigger = _one(self.watches, "watch", name)
        if event not in EVENTS:
            raise KitError(f"{event} is no event of Kubernetes; there are: {', '.join(EVENTS)}")
        assert isinstance(trigger.config, Watch)  # noqa: S101 - only watches are in the list
        sent = [
            ("Content-Type", "application/json"),
            ("X-Kubernetes-Event-Type", event),
            ("X-Kubernetes-Object-Type", _GO_TYPES[trigger.config.type]),
        ]
        status, headers, answer = self._send(trigger, Call(headers=sent, body=body))
        note = "done" if status < 400 else "a 404 is tried again by Fission, anything else is only logged"
        return Outcome(trigger.name, trigger.function.name, status, headers, answer, 1, note)

    def _deliver(self, trigger: Trigger, body: bytes) -> Outcome:
        queue = _queue(trigger)
        own = "KEDA-" if queue.kind == "keda" else "X-Fission-MQTrigger-"
        response = "Response-Topic" if queue.kind == "keda" else "RespTopic"
        error = "Error-Topic" if queue.kind == "keda" else "ErrorTopic"
        sent = [
            ("Content-Type", queue.content_type),
            (f"{own}Topic", queue.topic),
            (f"{own}{response}", queue.response_topic or ""),
            (f"{own}{error}", queue.error_topic or ""),
        ]
        if queue.kind == "keda":
            sent.append(("KEDA-Source-Name", trigger.name))
        attempts, done = 0, False
        while not done and attempts <= queue.max_retries:
            status, headers, answer = self._send(trigger, Call(headers=sent, body=body))
            attempts += 1
            done = status in _SUCCESS[queue.kind]
        # fidelity: brokers
        if done:
            note = f"the answer goes to {queue.response_topic}" if queue.response_topic else "done"
        elif queue.error_topic:
            note = f"a description of the error goes to {queue.error_topic}"
        else:
            note = "the message is lost"
        return Outcome(trigger.name, trigger.function.name, status, headers, answer, attempts, note)

    def _send(self, trigger: Trigger, call: Call) -> tuple[int, Headers, bytes]:
        reply = self._call(trigger.function, call)
        try:
            body = b"".join(reply.body)
        except ConnectionError as error:
            return 502, [("Content-Type", "text/plain")], str(error).encode()
        finally:
            if close := getattr(reply.body, "close", None):
                close()
        return int(reply.status.split()[0]), reply.headers, body


class Clock:
    """Fires timers on schedule: one thread each, so that runs of one timer never overlap, as in Fission.

    Args:
        triggers: whose timers.
        say: is told about each run.
    """

    def __init__(self, triggers: Triggers, say: Callable[[str], None]) -> None:
        self._triggers = triggers
        self._say = say
        self._stop = threading.Event()
        for timer in triggers.timers:
            threading.Thread(target=self._run, args=(timer,), name=timer.name, daemon=True).start()

    def stop(self) -> None:
        """Fire nothing more; runs that have begun go on."""
        self._stop.set()

    def _run(self, timer: Trigger) -> None:
        assert isinstance(timer.config, Timer)  # noqa: S101 - only timers are in the list
        due = next_time(timer.config.cron, datetime.now(UTC))
        while due is not None:
            if self._stop.wait(max(0.0, (due - datetime.now(UTC)).total_seconds())):
                return
            outcome = self._triggers.fire(timer.name)
            self._say(f"timer {timer.name}: {outcome.status}, {outcome.note}")
            due = next_time(timer.config.cron, due)  # what has become due meanwhile runs at once: ticks pile up


def _of(function: Function, name: str, config: Timer | Queue | Watch) -> Trigger:
    return Trigger(name, object_name(function.name, name), function, config)


def _queue(trigger: Trigger) -> Queue:
    assert isinstance(trigger.config, Queue)  # noqa: S101 - only queues are in the list
    return trigger.config


def _one(triggers: list[Trigger], kind: str, name: str) -> Trigger:
    found = list(_named(triggers, name))
    if len(found) == 1:
        return found[0]
    names = ", ".join(sorted(trigger.name if found else trigger.short for trigger in found or triggers)) or "none"
    what = f"several functions have a {kind} called {name}" if found else f"there is no {kind} called {name}"
    raise KitError(f"{what}; {'use one of' if found else 'there are'}: {names}")


def _named(triggers: list[Trigger], name: str) -> Iterator[Trigger]:
    exact = [trigger for trigger in triggers if trigger.name == name]
    yield from exact or [trigger for trigger in triggers if trigger.short == name]
