"""Evaluates expressions as Exopy does and says what came out, one JSON object a line.

Requests on stdin, one JSON object a line: {"entries": {name: expression}} sets the references for what follows,
{"expression": text} is evaluated: each `{name}` becomes a variable, in the namespace of Exopy's string_evaluation module.
"""

import json
import math
import sys
import warnings
from math import acos, asin, atan, atan2, cos, cosh, exp, log, log10, sin, sinh, sqrt, tan, tanh
from cmath import pi as Pi
import cmath as cm

import numpy as np

warnings.simplefilter("ignore")
np.seterr(all="ignore")

NAMES = dict(cos=cos, sin=sin, tan=tan, acos=acos, asin=asin, atan=atan, sqrt=sqrt, log10=log10, exp=exp, log=log,
             cosh=cosh, sinh=sinh, tanh=tanh, atan2=atan2, Pi=Pi, cm=cm, np=np)
KINDS = ["SyntaxError", "NameError", "LinAlgError", "ZeroDivisionError", "OverflowError", "ValueError", "IndexError",
         "KeyError", "AttributeError", "TypeError"]
LAZY = tuple(type(lazy) for lazy in (map(str, []), zip(), filter(None, []), enumerate([]), reversed([]), reversed("a"),
                                     reversed(range(1)), {}.keys(), {}.values(), {}.items(), (x for x in []), iter([]), iter(""),
                                     iter(range(1)), iter(()), iter({}), iter({1})))


def error_kind(error):
    names = [cls.__name__ for cls in type(error).__mro__]
    if "StopIteration" in names:
        return "ValueError"
    if "MemoryError" in names or "RecursionError" in names:
        return "LimitError"
    return next((kind for kind in KINDS if kind in names), names[0])


def kind(value):
    cls = type(value)
    if isinstance(value, np.ndarray):
        return "numpy.ndarray[%s][%s]" % (value.dtype, ", ".join(map(str, value.shape)))
    return cls.__name__ if cls.__module__ == "builtins" else cls.__module__ + "." + cls.__name__


def write(value):
    """JSON with the tags of the event stream."""
    if isinstance(value, np.ndarray) and value.dtype.names:
        return {"__record__": {name: write(value[name]) for name in value.dtype.names}}
    if isinstance(value, np.ndarray):
        return write(value.tolist())
    if isinstance(value, np.generic):
        return write(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return {"__float__": repr(value)}
    if isinstance(value, complex):
        return {"__complex__": [write(value.real), write(value.imag)]}
    if isinstance(value, (list, tuple)):
        return [write(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return {"__set__": [write(item) for item in sorted(value, key=repr)]}
    if isinstance(value, dict):
        return {"__dict__": [[write(key), write(item)] for key, item in value.items()]}
    if isinstance(value, bytes):
        return {"__bytes__": list(value)}
    if isinstance(value, range):
        return {"__range__": [value.start, value.stop, value.step]}
    if isinstance(value, slice):
        return [write(value.start), write(value.stop), write(value.step)]
    if value is ... or callable(value):
        return None
    return value


def evaluate(text, entries):
    names = {}
    for number, (name, value) in enumerate(entries.items()):
        names["_a%d" % number] = value
        text = text.replace("{%s}" % name, "_a%d" % number)
    value = eval(text, dict(NAMES, **names))
    # The engine has no lazy values, and one width of each kind of number.
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype == np.int8:
        value = value.astype(np.int64)
    return list(value) if isinstance(value, LAZY) else value


def main():
    entries = {}
    out = []
    for line in sys.stdin:
        request = json.loads(line)
        if "entries" in request:
            entries = {}
            for name, text in request["entries"].items():
                entries[name] = evaluate(text, {})
            continue
        try:
            value = evaluate(request["expression"], entries)
            answer = {"kind": kind(value), "str": str(value), "repr": repr(value), "value": json.dumps(write(value))}
            if callable(value):
                answer["callable"] = True
        except BaseException as error:
            answer = {"error": error_kind(error), "message": str(error)}
        out.append(json.dumps(answer))
    sys.stdout.write("\n".join(out) + "\n")


if sys.argv[1:] == ["--version"]:
    print("CPython %d.%d.%d, numpy %s" % (*sys.version_info[:3], np.__version__))
else:
    main()
