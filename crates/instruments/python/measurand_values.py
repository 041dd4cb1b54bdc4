"""Values between the host process and the program: msgpack, and our own kinds for what msgpack does not have.

Arrays cross as their bytes, without text and without pickling. numpy is looked at only if somebody has imported it: the
environment needs nothing beside the standard library. What has no like on the other side crosses as its `repr`, marked as
such. The other side of this is `src/python/frame.rs`.
"""

import struct
import sys

# Our own kinds, as msgpack's extension types.
ARRAY, OPAQUE, COMPLEX, FLOATS = 1, 2, 3, 4

# Longer words of an object without a like say nothing more.
LONGEST_REPR = 2000
# Below this, a list of floats is as quick value by value.
LONG_LIST = 16

_float = struct.Struct(">Bd").pack
_u16 = struct.Struct(">BH").pack
_u32 = struct.Struct(">BI").pack
_i64 = struct.Struct(">Bq").pack
_u64 = struct.Struct(">BQ").pack
_complex = struct.Struct("<dd")
_real_at = struct.Struct(">d").unpack_from


def encode(value):
    """The parts of a value's frame, to be sent in turn."""
    parts = []
    put(parts, value)
    return parts


def put(parts, value):
    kind = type(value)
    if kind is float:
        parts.append(_float(0xCB, value))
    elif kind is int:
        _put_int(parts, value)
    elif kind is str:
        _put_text(parts, value)
    elif value is None:
        parts.append(b"\xc0")
    elif kind is bool:
        parts.append(b"\xc3" if value else b"\xc2")
    elif kind is list or kind is tuple:
        _put_list(parts, value)
    elif kind is complex:
        parts.append(b"\xd8\x03" + _complex.pack(value.real, value.imag))
    else:
        _put_other(parts, value)


def _put_int(parts, value):
    if -32 <= value < 128:
        parts.append(struct.pack("b", value))
    elif -0x8000000000000000 <= value < 0x8000000000000000:
        parts.append(_i64(0xD3, value))
    elif 0 <= value < 0x10000000000000000:
        parts.append(_u64(0xCF, value))
    else:
        _put_opaque(parts, value)


def _put_text(parts, value):
    content = value.encode("utf-8", "backslashreplace")
    size = len(content)
    if size < 32:
        parts.append(bytes((0xA0 | size,)) + content)
    else:
        parts.append(_u32(0xDB, size) + content)


def _put_list(parts, values):
    size = len(values)
    if size >= LONG_LIST and set(map(type, values)) == {float}:
        content = struct.pack("<%dd" % size, *values)
        parts.append(_u32(0xC9, len(content)) + bytes((FLOATS,)))
        parts.append(content)
        return
    parts.append(bytes((0x90 | size,)) if size < 16 else _u32(0xDD, size))
    for value in values:
        put(parts, value)


def _put_other(parts, value):
    numpy = sys.modules.get("numpy")
    if numpy is not None and hasattr(numpy, "ndarray"):
        if isinstance(value, numpy.ndarray):
            return _put_numpy(parts, numpy, value)
        if isinstance(value, numpy.longdouble):
            return put(parts, float(value))
        if isinstance(value, numpy.clongdouble):
            return put(parts, complex(value))
        if isinstance(value, numpy.generic):
            plain = value.item()
            return _put_opaque(parts, value) if isinstance(plain, numpy.generic) else put(parts, plain)
    for plain in (bool, int, float, complex, str):
        if isinstance(value, plain):
            return put(parts, plain(value) if plain is not str else str.__str__(value))
    if isinstance(value, (list, tuple, range)):
        return put(parts, list(value))
    if isinstance(value, (bytes, bytearray)):
        return _put_bytes(parts, value)
    if is_enum(value):
        return put(parts, value.name)
    if is_quantity(value):
        return put(parts, magnitude(value))
    if type(value).__name__ in ("Decimal", "Fraction"):
        return put(parts, float(value))
    if type(value).__name__ in ("array", "memoryview") and _put_buffer(parts, value):
        return None
    if numpy is not None and hasattr(value, "__array__") and not isinstance(value, type):
        array = numpy.asarray(value)
        if array.dtype.kind in "biufc":
            return _put_numpy(parts, numpy, array)
    return _put_opaque(parts, value)


def _put_bytes(parts, value):
    """Answers of instruments, mostly: text where they are."""
    try:
        put(parts, bytes(value).decode("utf-8"))
    except UnicodeDecodeError:
        _put_opaque(parts, value)


def _put_numpy(parts, numpy, array):
    kind = array.dtype.kind
    if array.ndim == 0 and kind in "biufcUS":
        return put(parts, array.item() if kind != "f" else float(array))
    if kind in "USO":
        return put(parts, array.tolist())
    if kind not in "biufc":
        return _put_opaque(parts, array)
    if kind == "f" and array.dtype.itemsize not in (4, 8):
        array = array.astype(numpy.float64)
    elif kind == "c" and array.dtype.itemsize not in (8, 16):
        array = array.astype(numpy.complex128)
    elif kind == "u" and array.dtype.itemsize == 8 and array.size and array.max() >= 1 << 63:
        array, kind = array.astype(numpy.float64), "f"
    array = numpy.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    _put_array(parts, kind, array.dtype.itemsize, array.shape, memoryview(array.reshape(-1).view(numpy.uint8)))
    return None


def _put_buffer(parts, value):
    """An array of the standard library; whether it has numbers."""
    view = memoryview(value)
    kind = {"d": "f", "f": "f", "?": "b"}.get(view.format) or ("i" if view.format in tuple("bhilq") else "u")
    if view.format not in tuple("dfbBhHiIlLqQ?") or not view.c_contiguous or sys.byteorder != "little":
        return False
    _put_array(parts, kind, view.itemsize, view.shape, view.cast("B"))
    return True


def _put_array(parts, kind, itemsize, shape, content):
    head = struct.pack("<cBBx%dQ" % len(shape), kind.encode(), itemsize, len(shape), *shape)
    parts.append(_u32(0xC9, len(head) + len(content)) + bytes((ARRAY,)) + head)
    parts.append(content)


def _put_opaque(parts, value):
    try:
        words = repr(value)[:LONGEST_REPR]
    except Exception as error:
        words = "<no words: %s>" % type(error).__name__
    kind = type(value)
    name = kind.__name__ if kind.__module__ == "builtins" else "%s.%s" % (kind.__module__, kind.__name__)
    content = ("%s\n%s" % (name, words)).encode("utf-8", "backslashreplace")
    parts.append(_u32(0xC9, len(content)) + bytes((OPAQUE,)) + content)


def is_enum(value):
    return any(base.__name__ == "Enum" and base.__module__ == "enum" for base in type(value).__mro__)


def is_quantity(value):
    """A number with its unit: pint's and astropy's."""
    return type(value).__name__.endswith("Quantity") and (hasattr(value, "units") or hasattr(value, "unit"))


def magnitude(value):
    return value.magnitude if hasattr(value, "magnitude") else value.value


def decode(frame):
    value, _ = take(frame, 0)
    return value


def take(frame, at):
    """The value that begins at `at`, and where the next one begins. Only what the other side writes is understood."""
    tag = frame[at]
    at += 1
    if tag == 0xCB:
        return _real_at(frame, at)[0], at + 8
    if tag < 0x80:
        return tag, at
    if tag >= 0xE0:
        return tag - 256, at
    if 0xA0 <= tag < 0xC0:
        return _text(frame, at, tag & 31)
    if 0x90 <= tag < 0xA0:
        return _list(frame, at, tag & 15)
    if 0x80 <= tag < 0x90:
        return _map(frame, at, tag & 15)
    if tag in _CONSTANTS:
        return _CONSTANTS[tag], at
    if tag in _SIZED:
        size, continued = _SIZED[tag]
        return continued(frame, at + size, int.from_bytes(frame[at : at + size], "big"))
    if tag in _INTEGERS:
        size, signed = _INTEGERS[tag]
        return int.from_bytes(frame[at : at + size], "big", signed=signed), at + size
    if 0xD4 <= tag <= 0xD8:
        return _extension(frame, at, 1 << (tag - 0xD4))
    raise ValueError("a frame has the unknown tag %#x" % tag)


def _text(frame, at, size):
    return str(frame[at : at + size], "utf-8"), at + size


def _list(frame, at, size):
    values = []
    for _ in range(size):
        value, at = take(frame, at)
        values.append(value)
    return values, at


def _map(frame, at, size):
    values = {}
    for _ in range(size):
        key, at = take(frame, at)
        values[key], at = take(frame, at)
    return values, at


def _extension(frame, at, size):
    kind, at = frame[at], at + 1
    content, end = memoryview(frame)[at : at + size], at + size
    if kind == COMPLEX:
        return complex(*_complex.unpack(content)), end
    if kind == FLOATS:
        return list(struct.unpack("<%dd" % (size // 8), content)), end
    if kind == ARRAY:
        return _array(content), end
    raise ValueError("a frame has the unknown kind %d" % kind)


def _array(content):
    """An array of numpy if somebody has imported it, else nested lists."""
    kind, itemsize, dimensions = struct.unpack_from("<cBB", content)
    shape = struct.unpack_from("<%dQ" % dimensions, content, 4)
    numbers = content[4 + 8 * dimensions :]
    numpy = sys.modules.get("numpy")
    if numpy is not None and hasattr(numpy, "frombuffer"):
        dtype = "<%s%d" % (kind.decode(), itemsize) if kind != b"b" else "?"
        return numpy.frombuffer(numbers, dtype).reshape(shape).copy()
    formats = {b"f": "d", b"i": "q", b"b": "?", b"c": "dd"}
    flat = list(struct.iter_unpack("<" + formats[kind], numbers))
    flat = [complex(*pair) if kind == b"c" else pair[0] for pair in flat]
    return _nested(flat, shape)


def _nested(flat, shape):
    for size in reversed(shape[1:]):
        flat = [flat[i : i + size] for i in range(0, len(flat), size)] if size else [[] for _ in range(shape[0])]
    return flat


_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}
_INTEGERS = {
    **{0xCC: (1, False), 0xCD: (2, False), 0xCE: (4, False), 0xCF: (8, False)},
    **{0xD0: (1, True), 0xD1: (2, True), 0xD2: (4, True), 0xD3: (8, True)},
}
_SIZED = {
    **{0xD9: (1, _text), 0xDA: (2, _text), 0xDB: (4, _text)},
    **{0xDC: (2, _list), 0xDD: (4, _list), 0xDE: (2, _map), 0xDF: (4, _map)},
    **{0xC7: (1, _extension), 0xC8: (2, _extension), 0xC9: (4, _extension)},
}
