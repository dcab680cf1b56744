#!/usr/bin/env python3
"""Prints a go.mod that builds the commands of k8s.io/kubernetes: gomod.py 1.35.4 > go.mod

The Go proxy serves k8s.io/kubernetes, but its go.mod replaces its staging modules by folders that a module
archive leaves out. Each of them is published as v0.<minor>.<patch>, which the printed replaces name.
"""

import json
import re
import subprocess
import sys


def main(version: str) -> None:
    module = f"k8s.io/kubernetes@v{version}"
    download = subprocess.check_output(["go", "mod", "download", "-json", module])
    with open(json.loads(download)["GoMod"], encoding="utf-8") as file:
        text = file.read()
    go = re.search(r"^go (\d+\.\d+\S*)", text, re.MULTILINE).group(1)
    godebug = re.search(r"^godebug default=\S+", text, re.MULTILINE).group(0)
    staging = sorted(set(re.findall(r"(k8s\.io/\S+) => \./staging/", text)))
    minor = version.split(".", 1)[1]
    print(f"module cluster\n\ngo {go}\n\n{godebug}\n\nrequire k8s.io/kubernetes v{version}\n\nreplace (")
    for name in staging:
        print(f"\t{name} => {name} v0.{minor}")
    print(")")


if __name__ == "__main__":
    main(sys.argv[1])
