"""Tasks written in Python: `from measurand import Task`.

A task is a class; its attributes are the fields of the file, its `entries` what it leaves in the database.

    class Ratio(Task):
        '''The ratio of two formulas.

        above: what is divided
        below: by what
        '''

        above = '1.0'
        below = '1.0'
        entries = {'ratio': 1.0}

        def check(self):
            if self.evaluate(self.below) == 0:
                self.error('`below` is 0')

        def perform(self, value=None):
            self.write('ratio', self.evaluate(self.above) / self.evaluate(self.below))
"""


class Error(RuntimeError):
    """The program could not do what the task asked it for."""


class Task:
    """The base of all tasks. A field whose default is a text is the text of the file; others are read as literals."""

    # Names and default values of what the task writes in the database.
    entries = {}
    # Whether the task uses the instrument that the file selects for it.
    needs_instrument = False

    def check(self):
        """Raises, or calls `error` and `warning`, if the task could not be performed. No instrument is there yet."""

    def perform(self, value=None):
        """What the task does. `value` is that of a loop around it, if it has one."""
        raise NotImplementedError("`%s` has no `perform`" % type(self).__name__)

    def evaluate(self, formula):
        """The value of a formula, with the entries in braces."""
        return self._measurand_ask("evaluate", formula)

    def format(self, text):
        """A text with the values of the entries in braces."""
        return self._measurand_ask("format", text)

    def read(self, name):
        """The value of an entry of the database."""
        return self._measurand_ask("read", name)

    def write(self, entry, value):
        """Gives one of this task's `entries` its value."""
        self._measurand_ask("write", entry, value)

    def log(self, text):
        """Says something in the run's log."""
        self._measurand_ask("log", str(text))

    def sleep(self, secs):
        """Waits; false if the run is to stop, and then at once."""
        return self._measurand_ask("sleep", float(secs))

    @property
    def stopping(self):
        """Whether the run is to stop: a long task looks at this and returns."""
        return self._measurand_ask("stopping")

    @property
    def instrument(self):
        """The instrument that the file selects for this task."""
        return Instrument(self._measurand_ask)

    def error(self, message):
        """Says in `check` why the task cannot be performed."""
        self._measurand_ask("error", str(message))

    def warning(self, message):
        """Says in `check` what is doubtful."""
        self._measurand_ask("warning", str(message))

    @classmethod
    def _measurand_fields(cls):
        fields = {}
        for base in reversed(cls.__mro__):
            if base is Task or base is object:
                continue
            for name, default in vars(base).items():
                is_plain = isinstance(default, (str, bool, int, float, list, tuple, dict, type(None)))
                if is_plain and not name.startswith("_") and name not in ("entries", "needs_instrument"):
                    fields[name] = default
        return fields

    def _measurand_describe(self):
        """Documentation, fields with their defaults and words, entries, and whether an instrument is needed."""
        words = (type(self).__doc__ or "").strip() if type(self).__doc__ != Task.__doc__ else ""
        lines = dict(line.strip().partition(":")[::2] for line in words.splitlines() if ":" in line)
        fields = [
            [name, default if isinstance(default, str) else repr(default), lines.get(name, "").strip()]
            for name, default in self._measurand_fields().items()
        ]
        entries = [[name, default] for name, default in self.entries.items()]
        return [" ".join(words.partition("\n\n")[0].split()), fields, entries, bool(self.needs_instrument)]

    def _measurand_fill(self, fields):
        defaults = self._measurand_fields()
        for name, text in fields.items():
            if name not in defaults:
                continue
            if isinstance(defaults[name], str):
                setattr(self, name, text)
                continue
            import ast

            try:
                setattr(self, name, ast.literal_eval(text))
            except (ValueError, SyntaxError):
                raise ValueError("`%s` is not a literal of Python, but field `%s` needs one" % (text, name)) from None


class Instrument:
    """The instrument of a task, whatever drives it. Keywords say where in it: `get('voltage', channel=2)`."""

    def __init__(self, ask):
        self._ask = ask

    def get(self, parameter, **at):
        return self._ask("get", parameter, list(map(list, at.items())))

    def set(self, parameter, value, **at):
        self._ask("set", parameter, value, list(map(list, at.items())))

    def call(self, method, *arguments, **at):
        return self._ask("call", method, list(arguments), list(map(list, at.items())))

    def write(self, command):
        self._ask("send", command)

    def query(self, question):
        return self._ask("query", question)
