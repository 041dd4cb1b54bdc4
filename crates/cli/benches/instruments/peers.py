"""What a client of Python takes over a raw socket: peers.py PEER PORT prints microseconds for a query, for a set with the
query after it, and for a block of 100,000 numbers."""

import sys
import time

QUERIES = 2000
SETS = 20
BLOCKS = 10
ROUNDS = 3


def best(calls, act):
    figures = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(calls):
            act()
        figures.append((time.perf_counter() - began) * 1e6 / calls)
    return min(figures)


def opened(port):
    import pyvisa

    resource = pyvisa.ResourceManager("@py").open_resource("TCPIP::127.0.0.1::%d::SOCKET" % port)
    resource.read_termination = resource.write_termination = "\n"
    resource.timeout = 5000
    return resource


def block_of(resource):
    return lambda: resource.query_binary_values("CURV?", datatype="d", container=list)


def pyvisa_py(port):
    resource = opened(port)

    def set_and_query():
        resource.write(":SOURce:LEVel 1.0")
        resource.query(":SOURce:LEVel?")

    return lambda: float(resource.query("VOLT?")), set_and_query, block_of(resource)


def qcodes(port):
    from qcodes.instrument import VisaInstrument

    class Source(VisaInstrument):
        def __init__(self, name, address):
            super().__init__(name, address, terminator="\n", visalib="@py")
            self.add_parameter("volt", get_cmd="VOLT?", get_parser=float)
            self.add_parameter(
                "level", get_cmd=":SOURce:LEVel?", set_cmd=":SOURce:LEVel {}", get_parser=float
            )

    source = Source("source", "TCPIP::127.0.0.1::%d::SOCKET" % port)

    def set_and_query():
        source.level(1.0)
        source.level()

    return source.volt, set_and_query, block_of(source.visa_handle)


def pymeasure(port):
    from pymeasure.instruments import Instrument

    class Source(Instrument):
        volt = Instrument.measurement("VOLT?", "")
        level = Instrument.control(":SOURce:LEVel?", ":SOURce:LEVel %g", "")

    source = Source(
        "TCPIP::127.0.0.1::%d::SOCKET" % port,
        "source",
        includeSCPI=False,
        visa_library="@py",
        read_termination="\n",
        write_termination="\n",
    )

    def set_and_query():
        source.level = 1.0
        source.level

    return lambda: source.volt, set_and_query, block_of(source.adapter.connection)


query, set_and_query, block = {"PyVISA-py": pyvisa_py, "QCoDeS": qcodes, "PyMeasure": pymeasure}[sys.argv[1]](
    int(sys.argv[2])
)
query(), set_and_query(), block()
print(best(QUERIES, query), best(SETS, set_and_query), best(BLOCKS, block))
