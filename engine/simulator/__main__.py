"""`python -m engine.simulator`: the demo building on a port of this machine, until interrupted."""

from __future__ import annotations

import argparse
import asyncio
import signal
from datetime import date

from engine.simulator.demo import populate
from engine.simulator.options import TenantOptions
from engine.simulator.server import SimulatorServer


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m engine.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8900)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--state", default=None, help="file that keeps the tenant between runs")
    parser.add_argument("--zone", default="Europe/Paris")
    parser.add_argument("--empty", action="store_true", help="no demo building")
    asyncio.run(_serve(parser.parse_args()))


async def _serve(arguments: argparse.Namespace) -> None:
    options = TenantOptions(seed=arguments.seed, state_file=arguments.state)
    server = SimulatorServer(options, arguments.host, arguments.port)
    await server.start()
    if not arguments.empty:
        populate(server.tenant, today=date.today(), zone=arguments.zone)  # noqa: DTZ011 - the local week is meant
    print(f"Graph:   {server.base_url}  (Authorization: Bearer {options.static_token})")
    print(f"Control: {server.origin}/sim", flush=True)
    over = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, over.set)
    await over.wait()
    await server.stop()


if __name__ == "__main__":
    main()
