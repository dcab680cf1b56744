#!/usr/bin/env python3
"""Writes the go.mod of a program that stands on Kubernetes' own dependencies: gomod.py 1.35.4 [MODULE@VERSION…]

The Go proxy serves k8s.io/kubernetes, but its go.mod replaces its staging modules by folders that a module archive
leaves out; each of them is published as v0.<minor>.<patch>. The other modules that Kubernetes depends on stay at its
versions, whatever MODULE asks for: so what several programs share is compiled once.
"""

import json
import re
import subprocess
import sys


def go(*arguments: str) -> str:
    return subprocess.check_output(["go", *arguments], text=True)


def write(lines: list[str]) -> None:
    with open("go.mod", "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def kubernetes(version: str) -> list[str]:
    write(["module cluster"])
    with open(json.loads(go("mod", "download", "-json", f"k8s.io/kubernetes@v{version}"))["GoMod"], encoding="utf-8") as file:
        text = file.read()
    published = "v0." + version.split(".", 1)[1]
    staging = sorted(set(re.findall(r"(k8s\.io/\S+) => \./staging/", text)))
    return [
        "module cluster",
        re.search(r"^go \S+", text, re.MULTILINE).group(0),
        re.search(r"^godebug default=\S+", text, re.MULTILINE).group(0),
        f"require k8s.io/kubernetes v{version}",
        *(f"replace {name} => {name} {published}" for name in staging),
    ]


def pinned(own: set[str]) -> list[str]:
    """Replace lines that hold every module of the present go.mod at its version, but those of the projects `own`."""
    modules = (line.split() for line in go("list", "-m", "-f", "{{if not .Replace}}{{.Path}} {{.Version}}{{end}}", "all").splitlines())
    return [f"replace {m[0]} => {m[0]} {m[1]}" for m in modules if len(m) == 2 and project(m[0]) not in own]


def project(module: str) -> str:
    return "/".join(module.split("/")[:2])


def main(version: str, modules: list[str]) -> None:
    lines = kubernetes(version)
    write(lines)
    if modules:
        wanted = [module.split("@") for module in modules]
        pins = pinned({project(path) for path, _ in wanted})
        write(lines + pins + [f"require {path} {version}" for path, version in wanted])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
