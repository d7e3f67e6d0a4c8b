"""Processes that count: fresh interpreters that import nothing from the working folder, nor the caller's script.

`multiprocessing` starts its processes, and a tracker of its own, with the working folder first on the path, so
that a `socket.py` beside the nets would be run; and it runs the caller's script again in each of them.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import IO, Any, TypeVar

from netcount.core.errors import Advice, InputError, NetcountError, reason

T = TypeVar("T")

_CODE = """
import sys
home, own, *sys.path[:] = sys.argv[1:]
if getattr(sys.modules.get("netcount"), "__file__", None) != own:
    for name in [name for name in sys.modules if name.partition(".")[0] == "netcount"]:
        del sys.modules[name]
    from importlib.util import module_from_spec, spec_from_file_location
    spec = spec_from_file_location("netcount", own, submodule_search_locations=[home])
    sys.modules["netcount"] = netcount = module_from_spec(spec)
    spec.loader.exec_module(netcount)
from netcount.analysis._support.workers import serve
serve()
"""
"""What such a process begins with: its path, and the netcount that its parent has, wherever that lies."""
_HOME = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_OWN = os.path.join(_HOME, "__init__.py")
_HEAD = 8
_READY = b"ready"


class Workers(Executor):
    """An executor whose every thread has a process of its own, started when it has something to do.

    environment: variables of these processes, besides this one's.  A process that dies costs the call it was busy
    with (BrokenExecutor); the next call gets a new one.
    """

    def __init__(self, number: int, environment: Mapping[str, str] = {}) -> None:
        self._environment = environment
        self._threads = ThreadPoolExecutor(number, "netcount")
        self._own = threading.local()
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Call `fn` in one of the processes."""
        return self._threads.submit(self._ask, fn, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes; without `wait` at once, whatever they are busy with."""
        if wait:
            self._threads.shutdown(cancel_futures=cancel_futures)
        with self._lock:
            self._stopped = True
            running = [*self._running]
        for process in running:
            if not wait:
                process.kill()
            else:
                self._end(process)
        if not wait:
            self._threads.shutdown(cancel_futures=cancel_futures)
            for process in running:
                self._end(process)

    def _ask(self, fn: Callable[..., T], args: Sequence[Any], kwargs: Mapping[str, Any]) -> T:
        data = _packed((fn, args, kwargs))
        process: subprocess.Popen[bytes] | None = getattr(self._own, "process", None)
        if process is None:
            process = self._own.process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        reply = None
        with suppress(OSError):
            _send(process.stdin, data)
            reply = _received(process.stdout)
        if reply is None:
            self._own.process = None
            self._end(process)
            raise BrokenExecutor("the process ended")
        done, answer = pickle.loads(reply)
        if not done:
            raise answer
        result: T = answer
        return result

    def _started(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._stopped:
                raise BrokenExecutor("it is shut down")
            with _deaf():
                process = subprocess.Popen(
                    [sys.executable, *_flags(), "-c", _CODE, _HOME, _OWN, *safe_path()],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    env={**os.environ, **self._environment, "PYTHONPATH": _python_path()},
                    creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
                )
            self._running.add(process)
        assert process.stdout is not None
        if _received(process.stdout) != _READY:
            self._end(process)
            if self._stopped:
                raise BrokenExecutor("it is shut down")
            raise NetcountError(
                f"a process that should count ended with code {process.returncode} before it began",
                advice=[Advice("jobs", "1")],
            )
        return process

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """Let a process end: it does when nothing more can come."""
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        process.wait()
        with self._lock:
            self._running.discard(process)


def safe_path() -> list[str]:
    """Where a process of ours imports from: what this one does, without the working folder."""
    return [os.path.abspath(entry) for entry in sys.path if _is_elsewhere(entry)]


def _is_elsewhere(entry: str) -> bool:
    """Whether an entry of a path is another folder than the working one."""
    return bool(entry) and os.path.realpath(entry) != os.path.realpath(os.getcwd())


def _python_path() -> str:
    """PYTHONPATH, as far as it is another folder than the working one."""
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return os.pathsep.join(os.path.abspath(entry) for entry in given if _is_elsewhere(entry))


def _flags() -> Iterator[str]:
    """The interpreter's options that a process of ours shares, and -P: nothing is imported from where it is."""
    yield "-P"
    if sys.flags.ignore_environment:
        yield "-E"
    if sys.flags.no_user_site:
        yield "-s"
    if sys.flags.utf8_mode:
        yield "-Xutf8"


@contextmanager
def _deaf() -> Iterator[None]:
    """Processes started inside do not hear of Ctrl-C, not even while they import: their parent decides."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _packed(work: object) -> bytes:
    try:
        return pickle.dumps(work)
    except Exception as failure:
        raise _unsendable(failure) from failure


def _unsendable(failure: Exception) -> InputError:
    return InputError(
        f"what is to be counted cannot be sent to another process ({type(failure).__name__}: {reason(failure)}): "
        "classes and functions of a script stay in its process",
        advice=[Advice("jobs", "1")],
    )


def _send(stream: IO[bytes], data: bytes) -> None:
    stream.write(len(data).to_bytes(_HEAD, "big"))
    stream.write(data)
    stream.flush()


def _received(stream: IO[bytes]) -> bytes | None:
    """The next message, or None at the end."""
    head = stream.read(_HEAD)
    if len(head) < _HEAD:
        return None
    size = int.from_bytes(head, "big")
    data = stream.read(size)
    return data if len(data) == size else None


def serve() -> None:
    """What such a process does: call what it is sent, until nothing more comes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a layer class prints is no answer
    with suppress(OSError), source, sink:
        _send(sink, _READY)
        while (data := _received(source)) is not None:
            _send(sink, _answered(data))


def _answered(data: bytes) -> bytes:
    try:
        fn, args, kwargs = pickle.loads(data)
    except Exception as failure:
        return pickle.dumps((False, _unsendable(failure)))
    try:
        return pickle.dumps((True, fn(*args, **kwargs)))
    except Exception as failure:
        return pickle.dumps((False, NetcountError(f"{type(failure).__name__}: {reason(failure)}")))
