"""Drivers of libraries on protocols and simulators: what they send is known."""

import importlib


def find(package, name):
    module, _, kind = name.rpartition(".")
    return getattr(importlib.import_module("%s.%s" % (package, module)), kind)


def pymeasure(name, pairs):
    """A driver of PyMeasure that must send these commands in turn, and gets these answers."""
    from pymeasure.adapters.protocol import ProtocolAdapter

    adapter = ProtocolAdapter(pairs)
    instrument = find("pymeasure.instruments", name)(adapter)
    # How much of the protocol has not happened.
    instrument.left = lambda: len(pairs) - adapter._index
    return instrument


def qcodes(name, file, address="GPIB::1::INSTR", **keywords):
    """A driver of QCoDeS on one of its simulators; `traffic` is all that it has sent since."""
    driver = find("qcodes.instrument_drivers", name)
    instrument = driver(name.rpartition(".")[2], address, pyvisa_sim_file=file, **keywords)
    traffic = []
    write = instrument.visa_handle.write

    def written(command, *more):
        traffic.append(command)
        return write(command, *more)

    # A query is a write and a read.
    instrument.visa_handle.write = written
    instrument.traffic = lambda: traffic
    return instrument


def instrument_kit(name, received):
    """A driver of InstrumentKit that gets these answers; `sent` is all that it has sent."""
    import io

    answers, sent = io.BytesIO("".join(line + "\n" for line in received).encode()), io.BytesIO()
    instrument = find("instruments", name).open_test(answers, sent)
    instrument.sent = lambda: sent.getvalue().decode().splitlines()
    return instrument
