"""Any object of Python as an instrument: what its attributes and methods are, and how each is read, set and called.

The styles of the libraries are known by how their objects look, never by importing them:

    PyMeasure, InstrumentKit, own classes   properties, attributes, methods, `get_x` and `set_x`
    QCoDeS, ophyd                           objects with `get` and `set`
    PyVISA                                  a resource with `query` and `write`

Names are dotted and indexed: `ch1.voltage`, `channel[0].on`, `channels['A'].range`. Nothing here reads a property to find out
what it is: reading talks to the instrument.
"""

import sys
import types

from measurand_values import is_enum, is_quantity, magnitude

ROUTINES = (types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.MethodWrapperType)
PLAIN = (type(None), bool, int, float, complex, str, list, tuple, dict, set, bytes, bytearray)
# How libraries call the attribute of a channel.
CHANNELS = ("ch_%s", "ch%s", "channel_%s", "channel%s", "ch%02d", "%s")
# How constructors call the place of the instrument.
ADDRESSES = ("address", "resource_name", "resource", "adapter", "visa_address", "port", "prefix", "host", "uri")
# What an axis of ophyd is at, which its `set` changes.
POSITIONS = ("position", "readback", "value")
MISSING = object()


class Refused(Exception):
    """Nothing was done: there is no such name, or it is not what was asked for."""


class Subject:
    """One object and what is remembered of it: the unit or the enumeration in which a name was last read."""

    def __init__(self, target):
        self.target = target
        self.forms = {}

    def reader(self, path, at):
        """A function that reads this name; it may be kept."""
        steps = self.steps(path, at)
        owner_steps, (is_index, key) = steps[:-1], steps[-1]
        if not owner_steps and not is_index and static(self.target, key) is not MISSING:
            return lambda: self.remember(path, settle(getattr(self.target, key)))
        return lambda: self.remember(path, read(self.follow(owner_steps), is_index, key))

    def writer(self, path, at):
        """A function that sets this name; it may be kept."""
        steps = self.steps(path, at)
        owner_steps, (is_index, key) = steps[:-1], steps[-1]
        forms, target = self.forms, self.target
        if not owner_steps and not is_index and is_simple(target, key):
            return lambda value: setattr(target, key, forms[path](value) if path in forms else value)
        return lambda value: write(self.follow(owner_steps), is_index, key, path, self.in_form(path, value))

    def caller(self, path, at):
        """A function that calls this name with a list of arguments; it may be kept."""
        at = dict(at or {})
        steps = self.steps(path, {name: at.pop(name) for name in list(at) if "{%s}" % name in path})
        owner_steps, (is_index, key) = steps[:-1], steps[-1]

        def call(arguments):
            owner = self.follow(owner_steps) if owner_steps else self.target
            there = owner[key] if is_index else look(owner, key)
            if there is MISSING:
                raise Refused(no_such(owner, key))
            if not callable(there):
                raise Refused("`%s` is no method" % path)
            return finish(there(*arguments, **at))

        return call

    def has(self, path):
        try:
            steps = parse(path)
            is_index, key = steps[-1]
            owner = self.follow(steps[:-1])
            if is_index:
                return hasattr(owner, "__getitem__")
            return any(look(owner, prefix + key) is not MISSING for prefix in ("", "get_", "set_"))
        except Exception:
            return False

    def follow(self, steps):
        owner = self.target
        for is_index, key in steps:
            if is_index:
                owner = owner[key]
                continue
            there = look(owner, key)
            if there is MISSING:
                raise Refused(no_such(owner, key))
            owner = there
        return owner

    def steps(self, path, at):
        """The steps of a name. What `at` says and the name has no place for is a channel of the object."""
        before = []
        for name, value in (at or {}).items():
            place = "{%s}" % name
            if place in path:
                path = path.replace(place, str(value))
            else:
                before += channel(self.target, name, value)
        return before + parse(path)

    def remember(self, path, value):
        kind = type(value)
        if kind is float or kind in PLAIN:
            return value
        if is_quantity(value):
            self.forms[path] = lambda number, last=value: in_unit(last, number)
        elif is_enum(value):
            self.forms[path] = lambda named, kind=kind: member(kind, named)
        return value

    def in_form(self, path, value):
        form = self.forms.get(path)
        return value if form is None else form(value)


def build(target, name, address, arguments, keywords):
    """The object that a class or a function makes: its address and its name are given where it asks for them."""
    if address and is_of_instrument_kit(target):
        return instrument_kit(target, address)
    keywords = dict(keywords)
    arguments = tuple(arguments)
    parameters = signature(target)
    if parameters is None:
        return target(*((address,) if address else ()), *arguments, **keywords)
    names = list(parameters.parameters)
    if address:
        place = next((each for each in ADDRESSES if each in names and each not in keywords), None)
        if place is not None:
            keywords[place] = address
        else:
            arguments = (address,) + arguments
    identifier = "".join(letter if letter.isalnum() else "_" for letter in name)
    ways = [(arguments, keywords)]
    if "name" not in keywords:
        ways += [(arguments, {**keywords, "name": identifier}), ((identifier,) + arguments, keywords)]
    for positional, named in ways:
        try:
            parameters.bind(*positional, **named)
        except TypeError:
            continue
        return target(*positional, **named)
    # Its own words about what is wrong are the best.
    return target(*arguments, **keywords)


def signature(target):
    import inspect

    try:
        if isinstance(target, type) and type(target) is not type:
            # What makes objects of such a class takes anything, and hands it on.
            whole = inspect.signature(target.__init__)
            return whole.replace(parameters=list(whole.parameters.values())[1:])
        return inspect.signature(target)
    except (TypeError, ValueError):
        return None


def is_of_instrument_kit(target):
    is_one = any(base.__module__.startswith("instruments.") for base in getattr(target, "__mro__", ()))
    return is_one and hasattr(target, "open_visa")


def instrument_kit(target, address):
    """InstrumentKit opens its instruments by class methods, one a kind of link."""
    words = address.split("::")
    if "://" in address:
        return target.open_from_uri(address)
    if words[0].upper().startswith("TCPIP") and words[-1].upper() == "SOCKET":
        return target.open_tcpip(words[1], int(words[2]))
    return target.open_visa(address)


def read(owner, is_index, key):
    if is_index:
        return settle(owner[key])
    there = look(owner, key)
    if there is not MISSING:
        return settle(there)
    getter = look(owner, "get_" + key)
    if getter is MISSING:
        raise Refused(no_such(owner, key))
    return getter()


def write(owner, is_index, key, path, value):
    if is_index:
        owner[key] = value
        return
    kept = static(owner, key)
    if is_settable(kept):
        setattr(owner, key, value)
        return
    if isinstance(kept, property):
        if key not in POSITIONS or not is_of(owner, "ophyd") or not hasattr(owner, "set"):
            raise Refused("`%s` is read only" % path)
        finish(owner.set(value))
        return
    there = look(owner, key)
    if isinstance(there, PLAIN):
        setattr(owner, key, value)
    elif there is MISSING:
        setter = look(owner, "set_" + key)
        if setter is MISSING:
            raise Refused(no_such(owner, key))
        setter(value)
    elif is_parameter(there):
        setter = getattr(there, "set", None)
        if setter is None:
            raise Refused("`%s` is read only" % path)
        finish(setter(value))
    elif isinstance(there, ROUTINES):
        finish(there(value))
    else:
        setattr(owner, key, value)


def is_simple(owner, key):
    """Whether setting it is what Python means by that: by the class, or an attribute that is a value."""
    kept = static(owner, key)
    if kept is MISSING:
        return isinstance(getattr(owner, "__dict__", {}).get(key, MISSING), PLAIN)
    return is_settable(kept)


def is_settable(kept):
    """Whether the class itself says how this is set."""
    if isinstance(kept, property):
        return kept.fset is not None
    return hasattr(type(kept), "__set__") and not is_of(kept, "ophyd")


def settle(value):
    """The value of what an attribute is: methods are called, parameters are read."""
    if type(value) is float or isinstance(value, PLAIN):
        return value
    if isinstance(value, ROUTINES):
        return value()
    if is_parameter(value):
        getter = getattr(value, "get", None)
        if getter is None:
            raise Refused("`%s` cannot be read" % getattr(value, "name", type(value).__name__))
        return getter()
    return value


def finish(result):
    """What ophyd returns from `set` ends when the value is reached; any other result is the result."""
    if isinstance(result, PLAIN) or not (is_of(result, "ophyd") and hasattr(result, "wait")):
        return result
    result.wait()
    return None


def is_parameter(value):
    """Whether this has a value of its own to be read and set."""
    if isinstance(value, (type, dict)):
        return False
    if is_of(value, "qcodes"):
        return any(base.__name__ in ("ParameterBase", "_BaseParameter") for base in type(value).__mro__)
    return callable(getattr(value, "get", None)) and (is_of(value, "ophyd") or callable(getattr(value, "set", None)))


def is_of(value, library):
    """Whether the class of this comes from a library, or descends from one that does."""
    return any(base.__module__.partition(".")[0] == library for base in type(value).__mro__)


def static(owner, key):
    """What the class has by this name, without asking the object."""
    for base in type(owner).__mro__:
        if key in vars(base):
            return vars(base)[key]
    return MISSING


def look(owner, key):
    """An attribute, or `MISSING`. An error of a property itself is its own."""
    try:
        return getattr(owner, key)
    except AttributeError:
        if static(owner, key) is not MISSING:
            raise
        return MISSING


def channel(target, name, value):
    """The steps to a channel by its number or its name: an attribute, or a member of what has them all."""
    for pattern in CHANNELS:
        try:
            attribute = pattern % value
        except TypeError:
            continue
        if attribute.isidentifier() and look(target, attribute) is not MISSING:
            return [(False, attribute)]
    number = int(value) if str(value).isdigit() else None
    for container in (name + "s", name):
        there = look(target, container)
        if there is MISSING or isinstance(there, ROUTINES) or not hasattr(there, "__getitem__"):
            continue
        if hasattr(there, "keys"):
            for key in (value, number, str(value)):
                if key in there.keys():
                    return [(False, container), (True, key)]
        elif number is not None:
            return [(False, container), (True, number)]
    raise Refused("there is no %s `%s`" % (name, value))


def in_unit(last, number):
    unit = last.units if hasattr(last, "units") else last.unit
    try:
        return type(last)(number, unit)
    except TypeError:
        return number * unit


def member(kind, named):
    """A member of an enumeration by its name or by its value."""
    if isinstance(named, str) and named in kind.__members__:
        return kind[named]
    try:
        return kind(named)
    except ValueError:
        raise Refused("`%s` is none of %s" % (named, ", ".join(kind.__members__))) from None


def no_such(owner, key):
    kind = type(owner).__name__
    close = nearest(key, [name for name in names_of(owner) if not name.startswith("_")])
    return "`%s` has no `%s`%s" % (kind, key, "; did you mean `%s`?" % close if close else "")


def nearest(name, names):
    import difflib

    return next(iter(difflib.get_close_matches(name, names, 1)), None)


def names_of(owner):
    names = set(dir(type(owner))) | set(getattr(owner, "__dict__", ()))
    for kept in ("parameters", "submodules", "functions"):
        if is_of(owner, "qcodes"):
            names |= set(getattr(owner, kept, ()))
    return sorted(names)


_parsed = {}


def parse(path):
    """The steps of a name: pairs of whether it is an index, and the name or the index."""
    steps = _parsed.get(path)
    if steps is None:
        steps = _parsed[path] = _parse(path)
    return list(steps)


def _parse(path):
    steps, rest = [], path
    while rest:
        if rest[0] == "[":
            inside, closed, rest = rest[1:].partition("]")
            if not closed:
                raise Refused("`%s` has a bracket that is not closed" % path)
            steps.append((True, _index(inside.strip())))
            rest = rest[1:] if rest[:1] == "." else rest
            continue
        end = min((rest.index(mark) for mark in ".[" if mark in rest), default=len(rest))
        name, rest = rest[:end], rest[end:]
        if not name.isidentifier():
            raise Refused("`%s` is no name" % path)
        steps.append((False, name))
        rest = rest[1:] if rest[:1] == "." else rest
    if not steps:
        raise Refused("an empty name is no name")
    return steps


def _index(text):
    if len(text) > 1 and text[0] in "'\"" and text[-1] == text[0]:
        return text[1:-1]
    try:
        return int(text)
    except ValueError:
        return text


def describe(target):
    """Lists of name, kind, unit and documentation of all that can be read, set or called."""
    found = []
    _describe(target, "", 0, found, set())
    return found


def _describe(owner, prefix, depth, found, seen):
    if id(owner) in seen or depth > 2 or len(found) > 5000:
        return
    seen.add(id(owner))
    parameters = getattr(owner, "parameters", None) if is_of(owner, "qcodes") else None
    for name in names_of(owner):
        if name.startswith("_") or (parameters and name in parameters):
            continue
        kept = static(owner, name)
        if kept is MISSING:
            kept = getattr(owner, "__dict__", {}).get(name, MISSING)
        if kept is not MISSING and (kind := _kind(kept)):
            found.append([prefix + name, kind, "", documentation(kept)])
    for name, parameter in (parameters or {}).items():
        kind = ["parameter", "reading", "setting"][_access(parameter)]
        unit = getattr(parameter, "unit", "") or ""
        found.append([prefix + name, kind, str(unit), documentation(parameter, getattr(parameter, "label", ""))])
    for name in getattr(owner, "component_names", ()) if is_of(owner, "ophyd") else ():
        found.append([prefix + name, "parameter", "", documentation(getattr(owner, name))])
    for name, part in _parts(owner):
        _describe(part, prefix + name + ".", depth + 1, found, seen)


def _parts(owner):
    """Channels and submodules, which have names of their own."""
    if is_of(owner, "qcodes"):
        return [(name, part) for name, part in dict(getattr(owner, "submodules", {})).items() if is_of(part, "qcodes")]
    kept = getattr(owner, "__dict__", {})
    return [(name, part) for name, part in kept.items() if name[0] != "_" and is_of(part, "pymeasure") and "Channel" in _bases(part)]


def _bases(value):
    return [base.__name__ for base in type(value).__mro__]


def _access(parameter):
    if not callable(getattr(parameter, "set", None)):
        return 1
    return 0 if callable(getattr(parameter, "get", None)) else 2


def _kind(kept):
    if isinstance(kept, property):
        words = (kept.__doc__ or "").lstrip()[:8]
        if is_of(kept, "pymeasure") and words.startswith(("Measure", "Get")):
            return "reading"
        if is_of(kept, "pymeasure") and words.startswith("Set"):
            return "setting"
        return "parameter" if kept.fset else "reading"
    if isinstance(kept, (types.FunctionType, classmethod, staticmethod)):
        return "method"
    if isinstance(kept, type) or is_of(kept, "pymeasure"):
        return None
    if isinstance(kept, PLAIN) and not isinstance(kept, (dict, set)):
        return "parameter"
    return "parameter" if hasattr(type(kept), "__set__") and not is_of(kept, "ophyd") else None


def documentation(kept, otherwise=""):
    """The first paragraph, in one line."""
    words = getattr(kept, "__doc__", None)
    if not isinstance(words, str) or words == type(kept).__doc__:
        words = otherwise
    return " ".join(str(words).strip().partition("\n\n")[0].split())[:500]


def locate(dotted):
    """What `module.Class` names: the longest part that can be imported is the module."""
    words = dotted.split(".")
    for count in range(len(words) - 1, 0, -1):
        module = ".".join(words[:count])
        try:
            __import__(module)
        except ModuleNotFoundError as error:
            if error.name is None or not (module + ".").startswith(error.name + "."):
                raise
            continue
        there = sys.modules[module]
        for word in words[count:]:
            if not hasattr(there, word):
                close = nearest(word, [name for name in dir(there) if not name.startswith("_")])
                hint = "; did you mean `%s`?" % close if close else ""
                raise Refused("`%s` has no `%s`%s" % (module, word, hint))
            there = getattr(there, word)
        return there
    raise Refused("there is no module `%s` in %s" % (words[0], sys.prefix))
