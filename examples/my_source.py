"""An instrument as one writes it for oneself: a voltage source that is only a number."""


class Source:
    """A source that forgets everything when it is closed."""

    def __init__(self, address, limit=10.0):
        self.address = address
        self.limit = limit
        self.output = False
        self._voltage = 0.0

    @property
    def voltage(self):
        """The voltage at the output, in volts."""
        return self._voltage

    @voltage.setter
    def voltage(self, volts):
        if abs(volts) > self.limit:
            raise ValueError("%g V is beyond the limit of %g V" % (volts, self.limit))
        self._voltage = volts

    def shutdown(self):
        self.voltage = 0.0
        self.output = False
