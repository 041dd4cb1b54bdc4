"""The process in which instruments and tasks written in Python live; only the standard library is needed.

    program ──control──► one more lane, or the end           program ◄──lane──► a thread with one object

Each object has a lane of its own: a socket over which one request at a time comes and one reply goes. A thread serves it, so
that no instrument and no task waits for another; the first lane has the main thread, which some libraries insist on. The
requests of a task in between (`evaluate`, `write`…) go over its lane the other way.

Prints cannot disturb the lanes: standard output and error are the program's log. When the program is gone, so is this process.
The child of a fork has no lanes. The other side is `src/python/lane.rs`, the numbers below are those of `src/python/frame.rs`.
"""

try:
    import _socket  # A twentieth of the time that `socket` takes.
except ImportError:
    import socket as _socket

import os
import struct
import sys
import threading

import measurand_objects as objects
import measurand_values as values

(OPEN, GET, SET, CALL, HAS, DESCRIBE, WRITE, QUERY, CLOSE, CHECK, PERFORM) = range(11)
# Of replies.
DONE, RAISED, REFUSED, ASKED = range(4)

# A frame's length and the value that most replies are.
_head = struct.Struct(">I")
_pack_float_reply = struct.Struct(">IBBBd").pack
# Requests of a reading that are remembered with what they mean.
MOST_PLANS = 1000
# How long those who clean up at the end of Python may take.
GRACE_SECS = 2.0
# Threads take turns this often: a busy instrument must not make another wait 5 ms, which is Python's habit.
TURN_SECS = 0.0005

PROCESS = os.getpid()
kept = {}  # Objects by their key, which outlive a lane.
lanes = set()  # Descriptors.


class Lane:
    """One object and its socket."""

    def __init__(self, descriptor):
        self.descriptor = descriptor
        self.subject = None
        self.key = None
        self.closer = None
        self.plans = {}
        self.prepared = {}
        self.asking = threading.Lock()
        self.is_called = False

    def serve(self):
        descriptor, receive = self.descriptor, os.read
        while True:
            frame = receive(descriptor, 4096)
            plan = self.plans.get(frame)
            try:
                if plan is not None:
                    value = plan()
                elif not frame:
                    return
                else:
                    value = self.perform(self.rest_of(frame))
                if type(value) is float:
                    reply = _pack_float_reply(11, 0x92, DONE, 0xCB, value)
                else:
                    reply = values.encode(value)
                    reply = _framed([b"\x92", bytes((DONE,))] + reply)
            except BaseException as error:
                reply = _framed(_report(error))
            if os.getpid() != PROCESS:
                os._exit(0)  # The child of a fork that came back from the call has nobody to answer.
            send(descriptor, reply)

    def rest_of(self, frame):
        while len(frame) < 4:
            frame += self.more(4 - len(frame))
        missing = 4 + _head.unpack_from(frame)[0] - len(frame)
        if missing > 0:
            whole = bytearray(len(frame) + missing)
            whole[: len(frame)] = frame
            view, at = memoryview(whole), len(frame)
            while at < len(whole):
                count = os.readv(self.descriptor, [view[at:]])
                if not count:
                    raise EOFError("the program is gone")
                at += count
            frame = whole
        return frame

    def more(self, size):
        content = os.read(self.descriptor, size)
        if not content:
            raise EOFError("the program is gone")
        return content

    def perform(self, frame):
        # What comes before the value or the arguments says what is done; it was seen before, mostly.
        begin = 8 + (frame[6] & 31) if len(frame) > 8 else 0
        plan = self.prepared.get(bytes(frame[4:begin]))
        if plan is not None:
            return plan(values.take(frame, begin)[0])
        request = values.decode(memoryview(frame)[4:])
        kind, arguments = request[0], request[1:]
        if kind == OPEN:
            return self.open(*arguments)
        if kind in (CHECK, PERFORM):
            return self.task(kind, *arguments)
        subject = self.subject
        if kind == GET:
            plan = subject.reader(*arguments)
            value = plan()
            if len(self.plans) < MOST_PLANS:
                self.plans[bytes(frame)] = plan
            return value
        if kind == SET:
            path, at, value = arguments
            return self.prepare(frame, path, at, subject.writer(path, at))(value)
        if kind == CALL:
            path, at, arguments = arguments
            return self.prepare(frame, path, at, subject.caller(path, at))(arguments)
        if kind == HAS:
            return subject.has(*arguments)
        if kind == DESCRIBE:
            return self.describe()
        if kind == WRITE:
            self.raw("write", "sendcmd")(*arguments)
            return None
        if kind == QUERY:
            return str(self.raw("query", "ask")(*arguments))
        if kind == CLOSE:
            return self.close()
        raise ValueError("unknown request %r" % kind)

    def prepare(self, frame, path, at, plan):
        """Remembers a plan by the bytes before its value: list, verb, short name and no place."""
        size = len(path.encode())
        if at is None and size < 32 and len(self.prepared) < MOST_PLANS:
            self.prepared[bytes(frame[4 : 8 + size])] = plan
        return plan

    def raw(self, *names):
        for name in names:
            routine = objects.look(self.subject.target, name)
            if callable(routine):
                return routine
        raise objects.Refused("`%s` has no `%s`" % (type(self.subject.target).__name__, names[0]))

    def open(self, key, what):
        """Whether the object was there already."""
        self.key, self.closer = key, what["close"]
        if key in kept:
            self.subject = kept[key]
            return True
        for folder in reversed(what["paths"]):
            if folder not in sys.path:
                sys.path.insert(0, folder)
        arguments, keywords = literal(what["args"], ()), literal(what["kwargs"], {})
        if not isinstance(arguments, (tuple, list)):
            arguments = (arguments,)
        if what["is_task"]:
            target = open_task(self, objects.locate(what["class"]))
        elif what["class"] in ("pyvisa", "pyvisa.ResourceManager"):
            target = open_visa(what["address"], arguments, keywords)
        else:
            target = objects.build(objects.locate(what["class"]), what["name"], what["address"], arguments, keywords)
        self.subject = kept[key] = objects.Subject(target)
        return False

    def close(self):
        subject, self.subject = self.subject, None
        kept.pop(self.key, None)
        self.plans.clear()
        self.prepared.clear()
        if subject is None:
            return
        names = (self.closer,) if self.closer else ("close", "disconnect")
        for name in names:
            closer = objects.look(subject.target, name)
            if callable(closer):
                closer()
                return
        adapter = objects.look(subject.target, "adapter")
        if adapter is not objects.MISSING and hasattr(adapter, "close"):
            adapter.close()

    def describe(self):
        if hasattr(self.subject.target, "_measurand_describe"):
            return self.subject.target._measurand_describe()
        return objects.describe(self.subject.target)

    def task(self, kind, fields, value):
        task = self.subject.target
        task._measurand_fill(fields)
        self.is_called = True
        try:
            return task.check() if kind == CHECK else task.perform(value) if value is not None else task.perform()
        finally:
            with self.asking:
                self.is_called = False

    def ask(self, verb, *arguments):
        """Asks the program, during a call of a task."""
        with self.asking:
            if not self.is_called or os.getpid() != PROCESS:
                raise RuntimeError("the task is not being performed")
            send(self.descriptor, _framed([b"\x93", bytes((ASKED,))] + values.encode(verb) + values.encode(arguments)))
            is_done, answer = values.decode(memoryview(self.rest_of(self.more(4)))[4:])
        if is_done:
            return answer
        raise getattr(sys.modules.get("measurand"), "Error", RuntimeError)(answer)


def literal(text, otherwise):
    if not text.strip():
        return otherwise
    import ast

    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError):
        raise objects.Refused("`%s` is not a literal of Python" % text) from None


def open_visa(address, arguments, keywords):
    import pyvisa

    keywords = dict(keywords)
    manager = pyvisa.ResourceManager(keywords.pop("visa_library", ""))
    return manager.open_resource(address, *arguments, **keywords)


def open_task(lane, target):
    import measurand

    if not (isinstance(target, type) and issubclass(target, measurand.Task)):
        raise objects.Refused("`%s` is not a `measurand.Task`" % getattr(target, "__name__", target))
    task = target.__new__(target)
    task._measurand_ask = lane.ask
    task.__init__()
    return task


def send(descriptor, frame):
    if type(frame) is list:
        parts = [memoryview(part) for part in frame]
        while parts:
            count = os.writev(descriptor, parts[:64])
            while parts and count >= len(parts[0]):
                count -= len(parts.pop(0))
            if parts:
                parts[0] = parts[0][count:]
        return
    while frame:
        count = os.write(descriptor, frame)
        if count == len(frame):
            return
        frame = frame[count:]


def _framed(parts):
    size = sum(map(len, parts))
    if size < 65536:
        return _head.pack(size) + b"".join(parts)
    return [_head.pack(size)] + parts


def _report(error):
    if isinstance(error, objects.Refused):
        return [b"\x92", bytes((REFUSED,))] + values.encode(str(error))
    try:
        words = str(error)
    except BaseException:
        words = "its words could not be had"
    name = type(error).__name__
    if isinstance(error, SystemExit):
        words = "sys.exit(%s)" % words
    cause = error.__cause__
    if cause is not None:
        words += " (from %s: %s)" % (type(cause).__name__, cause)
    return [b"\x94", bytes((RAISED,))] + values.encode(name) + values.encode(words) + values.encode(_places(error))


def _places(error):
    """Where it was raised, outermost first: file, line and function, without our own."""
    places, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if not code.co_filename.startswith("<measurand"):
            places.append("%s:%d in `%s`" % (code.co_filename, trace.tb_lineno, code.co_name))
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.filename:
        places.append("%s:%s" % (error.filename, error.lineno))
    return places[-3:]


class Tasks:
    """Finds our `measurand` with the base class of tasks, where no other module has this name."""

    def __init__(self, source):
        self.source = source

    def find_spec(self, name, path=None, target=None):
        if name != "measurand":
            return None
        from importlib.machinery import ModuleSpec

        return ModuleSpec(name, self)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(compile(self.source, "<measurand>", "exec"), module.__dict__)


def run(descriptor):
    try:
        Lane(descriptor).serve()
    except OSError:
        pass  # The program is gone, or somebody closed the descriptor: either way nobody is there to be told.
    finally:
        if descriptor in lanes:
            lanes.discard(descriptor)
            try:
                os.close(descriptor)
            except OSError:
                pass


class Main:
    """The main thread: it serves one lane at a time, the first that comes when it is free."""

    def __init__(self):
        self.is_free = True
        self.lane = None
        self.bell = threading.Semaphore(0)

    def take(self, descriptor):
        self.is_free, self.lane = False, descriptor
        self.bell.release()

    def serve(self):
        while True:
            self.bell.acquire()
            if self.lane is None:
                return
            lane, self.lane = self.lane, None
            run(lane)
            self.is_free = True


def control(socket, main_thread):
    """Takes lanes until the program is gone."""
    flags = getattr(_socket, "MSG_CMSG_CLOEXEC", 0)
    while True:
        try:
            content, extra, _, _ = socket.recvmsg(1, _socket.CMSG_LEN(4), flags)
        except OSError:
            os._exit(0)
        if not content:
            break
        for _, _, content in extra:
            (descriptor,) = struct.unpack("i", content)
            os.set_inheritable(descriptor, False)
            lanes.add(descriptor)
            if main_thread.is_free:
                main_thread.take(descriptor)
            else:
                threading.Thread(target=run, args=(descriptor,), daemon=True).start()
    # Now the main thread returns, so that Python ends and cleans up; unless it is in a call that does not end.
    main_thread.bell.release()
    threading.Event().wait(GRACE_SECS)
    os._exit(0)


def after_fork():
    for descriptor in list(lanes):
        lanes.discard(descriptor)
        try:
            os.close(descriptor)
        except OSError:
            pass


def main(tasks):
    sys.setswitchinterval(TURN_SECS)
    sys.meta_path.append(Tasks(tasks))
    # The control socket came as standard input, which is empty for everybody else.
    descriptor = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    lanes.add(descriptor)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=after_fork)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")
    import faulthandler

    faulthandler.enable(os.dup(2), all_threads=False)
    main_thread = Main()
    socket = _socket.socket(fileno=descriptor)
    threading.Thread(target=control, args=(socket, main_thread), daemon=True).start()
    main_thread.serve()
