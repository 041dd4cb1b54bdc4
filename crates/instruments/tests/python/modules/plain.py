"""An instrument as somebody writes it for himself, and what can go wrong in one."""

import array
import ctypes
import enum
import os
import signal
import sys
import threading
import time

made = 0
meeting = threading.Barrier(2)


class Range(enum.Enum):
    LOW = "L"
    HIGH = "H"


class Channel:
    def __init__(self, number):
        self.number = number
        self.voltage = number / 10
        self.limits = [0.0, 1.0]


class Source:
    """A source of everything."""

    gain = 2

    def __init__(self, address="nowhere", *, limit=10.0):
        global made
        made += 1
        self.address = address
        self.limit = limit
        self.made = made
        self.process = os.getpid()
        self.thread_is_main = threading.current_thread() is threading.main_thread()
        self.channels = [Channel(number) for number in range(3)]
        self.ch2 = self.channels[2]
        self.outputs = {"A": Channel(7)}
        self._voltage = 0.0
        self._range = Range.LOW
        self.count = 0
        self.log = []

    @property
    def voltage(self):
        """The voltage between its clamps, in volts."""
        return self._voltage

    @voltage.setter
    def voltage(self, volts):
        if abs(volts) > self.limit:
            raise ValueError("%g V is beyond the limit" % volts)
        self.log.append(volts)
        self._voltage = volts

    @property
    def temperature(self):
        return 4.2

    @property
    def range(self):
        return self._range

    @range.setter
    def range(self, value):
        if not isinstance(value, Range):
            raise TypeError("not a Range")
        self._range = value

    @property
    def broken(self):
        return self.no_such_thing

    def get_current(self):
        return 1e-3

    def set_current(self, amperes):
        self.log.append(("current", amperes))

    def add(self, a, b=1, factor=1):
        return (a + b) * factor

    def echo(self, value):
        self.kind = type(value).__name__
        return value

    def value(self, name):
        return {
            "none": None,
            "true": True,
            "big": 1 << 80,
            "unsigned": 1 << 63,
            "long": 123456789012,
            "text": "±é\ud800",
            "bytes": b"1.5\n",
            "binary": b"\xff\x00",
            "tuple": (1, "a", None),
            "floats": [0.5] * 40,
            "mixed": [0.5] * 40 + [1],
            "complex": 1 - 2j,
            "dict": {"a": 1},
            "array": array.array("d", [1.0, 2.0]),
            "shorts": array.array("h", [1, -2]),
            "object": object,
            "fraction": __import__("fractions").Fraction(1, 4),
        }[name]

    def numpy(self, code):
        import numpy

        return eval(code, {"np": numpy})

    def has_numpy(self):
        return "numpy" in sys.modules

    def write(self, command):
        self.log.append(command)

    def query(self, question):
        return question.replace("?", " 1")

    def off(self):
        self._voltage = 0.0
        self.log.append("off")

    def close(self):
        print("closed")

    # What goes wrong.

    def hang(self):
        while True:
            time.sleep(60)

    def spin(self):
        ctypes.PyDLL(None).pause()  # With the interpreter's lock.

    def leave(self):
        sys.exit(3)

    def end(self, status):
        print("about to end", flush=True)
        os._exit(status)

    def segfault(self):
        ctypes.string_at(0)

    def kill(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def fork(self):
        """The child returns into what serves the calls."""
        child = os.fork()
        if child:
            os.waitpid(child, 0)
        return child != 0

    def fork_and_stay(self):
        """A child that lives on with all descriptors, behind the back of Python."""
        child = ctypes.CDLL(None).fork()
        if child == 0:
            time.sleep(60)
            os._exit(0)
        return child

    def print(self, count):
        for number in range(count):
            print("line", number)
        return count

    def print_binary(self):
        os.write(1, b"\xff\x00\x93\x00garbage without end")
        ctypes.CDLL(None).puts(b"from C")
        ctypes.CDLL(None).fflush(None)
        return 1.0

    def close_descriptors(self):
        os.close(1)
        os.close(2)
        return 2.0

    def close_all(self):
        os.closerange(3, 1000)

    def read_input(self):
        return sys.stdin.read()

    def recurse(self):
        return self.recurse()

    def thread_id(self):
        return threading.get_ident()

    def sleep(self, secs):
        time.sleep(secs)
        return secs

    def meet(self):
        """Returns when another instrument is here as well."""
        return meeting.wait(30)

    def start_program(self):
        import subprocess

        return subprocess.run([sys.executable, "-c", "print(input() if 0 else 'child')"], check=True).returncode


def numbered(number):
    """A function makes an instrument too."""
    source = Source()
    source.count = number
    return source
