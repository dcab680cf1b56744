#!/usr/bin/env python3
"""Waits until name servers on loopback answer for every zone, signed; prints for each the seconds since the start.

usage: zones.py write CONTROL-PLANE ZONES PORT…     writes the zones first, and prints the seconds that the writes took
       zones.py wait ZONES PORT…
"""
import multiprocessing
import sys
import time

import latency

ADDRESS = latency.address(1)


def wait(port, zones, start):
    names = latency.NameServer(port, signed=True)
    names.wait({f"www.{latency.zone(number)}": ADDRESS for number in range(zones)})
    return time.time() - start


def main(what, *arguments):
    folder, zones, *ports = arguments if what == "write" else ("", *arguments)
    start, zones = time.time(), int(zones)
    with multiprocessing.Pool(len(ports)) as pool:
        waits = [pool.apply_async(wait, (int(port), zones, start)) for port in ports]
        if what == "write":
            latency.write(latency.Server(folder), latency.Domains(), range(zones), lambda _: {"www": ADDRESS})
            print(f"{time.time() - start:.3f}", end=" ")
        print(*(f"{seconds.get():.3f}" for seconds in waits))


main(*sys.argv[1:])
