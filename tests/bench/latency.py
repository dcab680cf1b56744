#!/usr/bin/env python3
"""From an object's write to its record's answer: writes to the API server, asks a name server on loopback, and prints what it measured.

usage: latency.py PEER CONTROL-PLANE PORT ZONES CHANGES     (PEER: ours, whose answers must be signed, or external-dns)
"""
import concurrent.futures
import http.client
import json
import random
import re
import socket
import ssl
import statistics
import struct
import sys
import threading
import time

PATIENCE = 900
WRITERS = 8
BATCH = 200
# How long nothing is asked after a batch, in times that it took.
PAUSE = 4
BULK_ZONES, BULK_RECORDS = 100, 20
A, IN, DO = 1, 1, 0x8000


def zone(number):
    return f"zone{number}.bench.example"


class Domains:
    """Ours: a Domain for each zone."""

    signed = True
    path = "/apis/territorial.services/v1alpha1/namespaces/t-bench/domains"

    def body(self, number, records):
        entries = [{"name": name, "type": "A", "values": [address], "ttl": 300} for name, address in records.items()]
        return {"apiVersion": "territorial.services/v1alpha1", "kind": "Domain", "metadata": {"name": zone(number)}, "spec": {"records": entries}}


class Endpoints:
    """external-dns: a DNSEndpoint for each zone."""

    signed = False
    path = "/apis/externaldns.k8s.io/v1alpha1/namespaces/t-bench/dnsendpoints"

    def body(self, number, records):
        entries = [
            {"dnsName": f"{name}.{zone(number)}", "recordType": "A", "targets": [address], "recordTTL": 300} for name, address in records.items()
        ]
        return {"apiVersion": "externaldns.k8s.io/v1alpha1", "kind": "DNSEndpoint", "metadata": {"name": zone(number)}, "spec": {"endpoints": entries}}


class Server:
    """The API server, as its administrator; a connection for each thread."""

    def __init__(self, folder):
        with open(f"{folder}/admin.kubeconfig", encoding="ascii") as file:
            self.port = int(re.search(r"https://127\.0\.0\.1:(\d+)", file.read()).group(1))
        self.context = ssl.create_default_context(cafile=f"{folder}/pki/ca.crt")
        self.context.load_cert_chain(f"{folder}/pki/admin.crt", f"{folder}/pki/admin.key")
        self.local = threading.local()

    def apply(self, kind, number, records):
        """Server-side apply, as `kubectl apply --server-side` does it."""
        if not hasattr(self.local, "connection"):
            self.local.connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context, timeout=30)
        connection = self.local.connection
        body, headers = json.dumps(kind.body(number, records)), {"Content-Type": "application/apply-patch+yaml"}
        connection.request("PATCH", f"{kind.path}/{zone(number)}?fieldManager=bench&force=true", body, headers)
        response = connection.getresponse()
        text = response.read()
        if response.status not in (200, 201):
            sys.exit(f"{zone(number)}: {response.status} {text.decode()}")


class NameServer:
    """Who answers."""

    def __init__(self, port, signed):
        self.signed = signed
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(0.2)
        self.socket.connect(("127.0.0.1", port))

    def ask(self, name):
        labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
        question = labels + b"\0" + struct.pack("!HH", A, IN)
        edns = b"\0" + struct.pack("!HHIH", 41, 4096, DO, 0)
        try:
            self.socket.send(struct.pack("!HHHHHH", 1, 0, 1, 0, 0, 1) + question + edns)
        except ConnectionRefusedError:
            time.sleep(0.01)
        return question

    def hear(self):
        """The question and the octets of a response; None when there is none."""
        try:
            response = self.socket.recv(4096)
        except (TimeoutError, ConnectionRefusedError):
            return None
        return response[12 : response.index(b"\0", 12) + 5], response

    def is_right(self, response, address):
        data = struct.pack("!H", 4) + socket.inet_aton(address)
        return bool(response[2] & 4) and data in response and (not self.signed or struct.pack("!HH", 46, IN) in response)

    def wait(self, wanted):
        """Until all names have their address."""
        pending, until = dict(wanted), time.time() + PATIENCE
        while pending:
            if time.time() > until:
                sys.exit(f"{len(pending)} names are not answered after {PATIENCE} s, {next(iter(pending))} among them")
            began = time.time()
            batch = [name for name, _ in zip(pending, range(BATCH))]
            random.shuffle(batch)
            asked = {self.ask(name): name for name in batch}
            for _ in batch:
                heard = self.hear()
                if heard is None:
                    break
                name = asked.get(heard[0])
                if name in pending and self.is_right(heard[1], pending[name]):
                    del pending[name]
            # What is not there yet is asked again after a while, so that asking takes little from answering.
            time.sleep(min(max((time.time() - began) * PAUSE, 0.001), 0.2))


def address(number):
    return socket.inet_ntoa(struct.pack("!I", 0x0A000000 + number))


def write(server, kind, numbers, records):
    """Writes many at once."""
    with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(lambda number: server.apply(kind, number, records(number)), numbers))


def bulk(server, kind, names, numbers, records):
    """Writes many at once: the seconds that the writes took, and those until all was answered."""
    start = time.time()
    write(server, kind, numbers, records)
    written = time.time() - start
    names.wait({f"{name}.{zone(number)}": value for number in numbers for name, value in records(number).items()})
    return written, time.time() - start


def main(peer, folder, port, zones, changes):
    kind = Domains() if peer == "ours" else Endpoints()
    server, names = Server(folder), NameServer(int(port), kind.signed)
    zones, changes = int(zones), int(changes)
    draw = random.Random(1)
    written, answered = bulk(server, kind, names, range(zones), lambda number: {"www": address(number)})
    print(f"{peer} fill {zones} {written:.3f} {answered:.3f}")
    latencies = []
    for change in range(changes):
        number, value = draw.randrange(zones), address(1_000_000 + change)
        start = time.time()
        server.apply(kind, number, {"www": value})
        names.wait({f"www.{zone(number)}": value})
        latencies.append((time.time() - start) * 1000)
    latencies.sort()
    worst = latencies[min(len(latencies) - 1, len(latencies) * 99 // 100)]
    print(f"{peer} change {changes} {statistics.median(latencies):.1f} {worst:.1f}")
    count = min(BULK_ZONES, zones)
    records = lambda number: {f"host{host}": address(2_000_000 + number * BULK_RECORDS + host) for host in range(BULK_RECORDS)}
    written, answered = bulk(server, kind, names, range(count), records)
    print(f"{peer} bulk {count * BULK_RECORDS} {written:.3f} {answered:.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
