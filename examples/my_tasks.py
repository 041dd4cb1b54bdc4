"""Tasks written in Python."""

from measurand import Task


class Ratio(Task):
    """The ratio of two formulas.

    above: what is divided
    below: by what
    digits: decimals that are kept
    """

    above = "1.0"
    below = "1.0"
    digits = 3
    entries = {"ratio": 1.0}

    def check(self):
        if self.evaluate(self.below) == 0:
            self.error("`below` is 0")

    def perform(self, value=None):
        ratio = self.evaluate(self.above) / self.evaluate(self.below)
        self.write("ratio", round(ratio, self.digits))
        self.log("the ratio is %g" % ratio)


class Settle(Task):
    """Reads a voltage until two readings are as near as `within`."""

    within = "1e-3"
    every = "0.1"
    needs_instrument = True
    entries = {"voltage": 0.0, "readings": 0}

    def perform(self, value=None):
        within, every = self.evaluate(self.within), self.evaluate(self.every)
        last, readings = self.instrument.get("voltage"), 1
        while self.sleep(every):
            voltage = self.instrument.get("voltage")
            readings += 1
            self.write("voltage", voltage)
            self.write("readings", readings)
            if abs(voltage - last) < within:
                return
            last = voltage
