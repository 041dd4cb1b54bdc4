"""Reads texts with ConfigObj, the reference of the dialect: one text a line, in hex, from standard input.

Answers a line for each: `E` (refused), `L` (read, but a value is a list), or `O <what it holds> <how it is written>`, both in
hex. The second is `-` where ConfigObj cannot write what it read, or would not read back what it writes.
"""

import io
import sys

from configobj import ConfigObj, ConfigObjError, __version__


def read(data):
    return ConfigObj(io.BytesIO(data).readlines(), encoding="utf-8", interpolation=False, indent_type="    ")


def holds(section, depth=0):
    for key in section.scalars:
        yield "K%s=%s\n" % (key.encode().hex(), section[key].encode().hex())
    for name in section.sections:
        yield "S%d:%s\n" % (depth + 1, name.encode().hex())
        yield from holds(section[name], depth + 1)


def has_list(section):
    return any(isinstance(section[key], list) for key in section.scalars) or any(
        has_list(section[name]) for name in section.sections
    )


def written(config):
    config.newlines = "\n"
    config.BOM = False
    out = io.BytesIO()
    try:
        config.write(out)
        again = read(out.getvalue())
    except (ConfigObjError, UnicodeError):
        return "-"
    if has_list(again) or list(holds(again)) != list(holds(config)):
        return "-"
    return out.getvalue().hex() or "-"


def main():
    print(__version__)
    for line in sys.stdin:
        try:
            config = read(bytes.fromhex(line.strip()))
        except (ConfigObjError, UnicodeError):
            print("E")
            continue
        if has_list(config):
            print("L")
        else:
            print("O", "".join(holds(config)).encode().hex() or "-", written(config))


if __name__ == "__main__":
    main()
