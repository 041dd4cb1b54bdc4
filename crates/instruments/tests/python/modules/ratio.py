"""Tasks as users write them."""

import os
import threading
import time

from measurand import Error, Task


class Ratio(Task):
    """The ratio of two formulas.

    above: what is divided
    below: by what
    """

    above = "1.0"
    below = "1.0"
    digits = 3
    entries = {"ratio": 1.0, "process": 0}

    def check(self):
        if self.evaluate(self.below) == 0:
            self.error("`below` is 0")
        if self.digits > 10:
            self.warning("nobody needs %d digits" % self.digits)

    def perform(self, value=None):
        above = self.evaluate(self.above) if value is None else value
        self.write("ratio", round(above / self.evaluate(self.below), self.digits))
        self.write("process", os.getpid())
        self.log("done with %s" % self.format("{above}"))


class Probe(Task):
    """All that a task can ask."""

    needs_instrument = True

    def perform(self, value=None):
        self.instrument.set("voltage", 1.5, channel=2)
        self.log(self.instrument.get("voltage"))
        self.log(self.instrument.call("ramp", 1, [2.0]))
        self.instrument.write("VOLT 1")
        self.log(self.instrument.query("VOLT?"))
        self.log(self.read("entry"))
        self.log(self.stopping)
        self.log(self.sleep(0.25))
        try:
            self.instrument.get("nothing")
        except Error as error:
            self.log("caught: %s" % error)
        self.evaluate("nonsense")


class Counter(Task):
    """Keeps what it has between its performances."""

    count = 0
    entries = {"count": 0}

    def __init__(self):
        self.times = 0

    def perform(self, value=None):
        self.times += 1
        self.write("count", self.times)


class Waiter(Task):
    """Waits until somebody else has written."""

    def perform(self, value=None):
        while not self.read("flag"):
            self.sleep(0.001)


class Straggler(Task):
    """Leaves a thread behind that still wants something."""

    def perform(self, value=None):
        def late(is_over):
            is_over.wait(10)
            try:
                self.log("too late")
            except RuntimeError as error:
                print("straggler: %s" % error)

        self.is_over = threading.Event()
        self.thread = threading.Thread(target=late, args=(self.is_over,))
        self.thread.start()

    def check(self):
        self.is_over.set()
        self.thread.join()


class Fatal(Task):
    def perform(self, value=None):
        os._exit(5)


class Endless(Task):
    def perform(self, value=None):
        while True:
            time.sleep(60)
