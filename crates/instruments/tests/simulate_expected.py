"""What pyvisa-sim itself answers to what its device files know, and to near misses of it.

Prints, for each resource of each file of pyvisa-sim, qcodes and qcodes_contrib_drivers, one JSON line
{"file", "resource", "index", "said": [[message, [answers]], ...]}; the answers are those of pyvisa-sim's own devices.
"""

import importlib.util
import json
import pathlib
import re

import yaml
from pyvisa_sim import parser

VALUES = ["1", "10", "1.5", "-3", "0.25", "ON", "abc", ""]


def folder(package, below):
    spec = importlib.util.find_spec(package)
    return pathlib.Path(spec.origin).parent / below if spec else None


def questions(part, ids):
    """The queries of a device or of its channels, with their holes filled."""
    found = []
    for dialogue in part.get("dialogues", ()):
        found.append(dialogue["q"])
    for prop in part.get("properties", {}).values():
        getter = prop.get("getter", {}).get("q")
        if getter:
            found.append(getter)
        setter = prop.get("setter", {}).get("q")
        for value in VALUES if setter else ():
            found.append(re.sub(r"\{(?!ch_id)[^}]*\}", lambda _: value, setter))
            if getter:
                found.append(getter)
    channels = ids[:2] + ["99"] if ids else [None]
    for query in found:
        for channel in channels if "{ch_id}" in query else [None]:
            yield query if channel is None else query.replace("{ch_id}", channel)


def said(device, message):
    """The answers of pyvisa-sim's device; what raises is answered as an error."""
    end = device._query_eom
    try:
        device.write(message.encode() + end)
        answers = [bytes(answer) for answer in device._output_buffers]
    except Exception:
        error = device.error_response("command_error")
        answers = [error + device._response_eom] if isinstance(error, bytes) else []
    device._output_buffers.clear()
    length = len(device._response_eom)
    return [(answer[:-length] if length else answer).decode() for answer in answers]


def main():
    folders = [folder("pyvisa_sim", "."), folder("qcodes", "instrument/sims"), folder("qcodes_contrib_drivers", "sims")]
    for path in sorted(path for folder in folders if folder for path in folder.glob("*.yaml")):
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.loader.BaseLoader)
        try:
            devices = parser.get_devices(path, False)
        except Exception as error:
            print(json.dumps({"file": str(path), "refused": str(error)}))
            continue
        for index, name in enumerate(devices.list_resources()):
            resource = list(data["resources"].values())[index]
            if "filename" in resource:
                continue
            device = data["devices"][resource["device"]]
            messages = list(questions(device, []))
            for kind, channels in device.get("channels", {}).items():
                ids = resource.get("channel_ids", {}).get(kind) or channels.get("ids", [])
                messages += questions(channels, list(ids))
            for register in (device.get("error", {}) if isinstance(device.get("error"), dict) else {}).values():
                messages += [entry["q"] for entry in register if isinstance(entry, dict) and "q" in entry]
            messages += ["no such command", "*IDN?;*IDN?"]
            kept = [message for message in messages if message.strip() and "\n" not in message and "\r" not in message]
            pairs = [[message, said(devices[name], message)] for message in kept]
            print(json.dumps({"file": str(path), "resource": name, "index": index, "said": pairs}))


main()
