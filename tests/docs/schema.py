# SPDX-License-Identifier: GPL-2.0-only
"""mmlens --json-schema is a JSON Schema, and what the commands print is as it says."""
import json
import os
import sys

import jsonschema

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mmlens_test import (  # noqa: E402
    Subject, commands, inspect, main, mmlens, prop, strict_json, want, want_equal)

SCHEMA = strict_json(mmlens("--json-schema").expect(0).out)
HEAD = ["schema", "source", "boot_id", "withheld"]
# What contract says of each document, beside the head.
CONTRACT = {
    "list": {"spaces": ["space", "tasks", "processes", "members", "rss", "pss", "claimed"],
             "totals": ["spaces", "tasks", "rss", "claimed"]},
    "show": {"tasks": ["tgid", "tid", "ppid", "comm", "kind", "space", "start_ns", "state", "nvcsw",
                       "nivcsw", "resources", "user_stack", "kernel_stack", "loan"],
             "spaces": ["space", "tasks", "members"]},
    "compare": {"a": ["tgid", "tid", "resources"], "b": ["tgid", "tid", "resources"], "verdict": [],
                "resources": ["name", "state", "a", "b"],
                "pages": ["same_va", "same_frame", "different_frame", "absent"]},
    "pages": {"regions": ["start", "end", "perms", "name", "same_frame", "different_frame", "absent",
                          "shared_by_fork", "ksm", "huge"], "totals": []},
    "stat": {"duration_ns": [], "switches": [], "lost": [], "loads": [], "cost_end": [],
             "classes": ["class", "count", "voluntary", "preempted", "exit", "cost"],
             "tasks": ["tgid", "tid", "comm", "space"]},
    "prove": {"claims": ["claim", "verdict", "measurements"]},
    "doctor": {"features": ["name", "state", "why"], "disagreements": ["task", "field", "values"]},
}


def members(shape):
    """The members that a shape names, of each element for an array."""
    return shape.get("items", shape).get("properties", {})


@prop("it is a schema of draft 2020-12")
def _():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    want_equal(SCHEMA["$schema"], "https://json-schema.org/draft/2020-12/schema", "$schema")


@prop("every command that prints JSON has a document")
def _():
    silent = {"record", "report"}
    want(set(commands()) - silent <= set(SCHEMA["$defs"]),
         f"without: {set(commands()) - silent - set(SCHEMA['$defs'])}")


@prop("{command}: the schema has every key of the contract", command=sorted(CONTRACT))
def _(command):
    document = SCHEMA["$defs"][command]
    want(set(HEAD) <= set(SCHEMA["$defs"]["head"]["required"]), "a key of the head is missing")
    for key, inner in CONTRACT[command].items():
        want(key in document["required"], f"{key} is not required")
        lacking = set(inner) - set(members(document["properties"][key]))
        want(not lacking, f"{key} lacks {sorted(lacking)}")


def examine(name, document):
    """It is as the schema says, and says nothing that the schema does not know."""
    shape = {**SCHEMA["$defs"][name], "$defs": SCHEMA["$defs"]}
    for error in jsonschema.Draft202012Validator(shape).iter_errors(document):
        want(False, f"{name}: {'/'.join(map(str, error.absolute_path))}: {error.message[:300]}")
    known = set(shape["properties"])
    if "allOf" in shape:
        known |= set(SCHEMA["$defs"]["head"]["properties"])
    want(set(document) <= known, f"{name}: not in the schema: {sorted(set(document) - known)}")
    for key, value in document.items():
        inner = members(shape["properties"].get(key, {}))
        for row in value if isinstance(value, list) else [value]:
            if inner and isinstance(row, dict):
                want(set(row) <= set(inner),
                     f"{name}: {key}: not in the schema: {sorted(set(row) - set(inner))}")


RUNS = {
    "list": ["list"], "show": ["show", "{pid}"], "compare": ["compare", "{pid}", "{child}"],
    "pages": ["pages", "{pid}"], "stacks": ["stacks", "{pid}"], "stat": ["stat", "-d", "0.2"],
    "channels": ["channels", "{pid}"], "prove": ["prove", "--quick", "isolation", "communication"],
    "doctor": ["doctor"], "pages_objects": ["pages", "--shared"],
}


@prop("{name}: the document is as the schema says", name=sorted(RUNS))
def _(name):
    with Subject("crowd") as s:
        pids = {"pid": s.tids["pid"], "child": next(t for r, t in s.tids.items() if r != "pid")}
        command, *args = [word.format(**pids) for word in RUNS[name]]
        examine(name, inspect(command, *args, timeout=100))


@prop("compare of two processes: the document is as the schema says ({source})",
      source=["auto", "procfs"])
def _(source):
    with Subject("fork") as s:
        document = mmlens("compare", "--json", f"--source={source}", *s.tids.values()).json()
        examine("compare", document)


@prop("pages of two, --at and --watch: each document is as the schema says, to the last member")
def _():
    with Subject("cow", 50, 1) as s:
        a, b, address = s.tids["pid"], s.tids["child"], s.said["region"].split("-")[0][2:]
        examine("pages", inspect("pages", a, b))
        examine("pages", inspect("pages", a, "-R"))
        for spots in (inspect("pages", a, b, "--at", address), inspect("pages", a, "--at", "0")):
            examine("pages_at", spots)
        out = mmlens("pages", a, "--watch", 0.1, "-c", 2, "--json", "--stacks", timeout=100).expect(0).out
        rounds = [strict_json(line) for line in out.splitlines()]
        want_equal([r["round"] for r in rounds], [1, 2], "rounds")
        for document in rounds:
            examine("pages_round", document)
        want(rounds[0]["relatives"][0]["regions"], "no region of a relative was examined")


@prop("stat -i: each document is as the schema says")
def _():
    for line in mmlens("stat", "--json", "-i", "0.1", "-d", "0.3").expect(0).out.splitlines():
        examine("stat", strict_json(line))


@prop("trace: each line is as the schema says")
def _():
    lines = mmlens("trace", "--json", "-d", "0.2").expect(0).out.splitlines()
    want(len(lines) > 1, f"only {len(lines)} lines")
    for line in lines[:2000]:
        document = json.loads(line)
        examine("trace_lost" if "lost" in document else
                "trace_event" if "event" in document else "trace", document)


main()
