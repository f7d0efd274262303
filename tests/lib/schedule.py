# SPDX-License-Identifier: GPL-2.0-only
"""Jobs side by side, the longest first, and what took the time."""
import concurrent.futures
import time


class Job:
    """Something to run, how long it may take against others, and afterwards how long it did."""

    def __init__(self, name, weight, run):
        self.name, self.weight, self.run = name, weight, run
        self.seconds = None

    def __call__(self):
        begin = time.monotonic()
        try:
            return self.run()
        finally:
            self.seconds = time.monotonic() - begin


def side_by_side(jobs, slots):
    """The results of all jobs in the order given. What begins last should end soon, so the
    heaviest begins first."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=max(1, slots)) as pool:
        begun = {job: pool.submit(job) for job in sorted(jobs, key=lambda j: -j.weight)}
        return [begun[job].result() for job in jobs]


def slowest(tests, count):
    """[(seconds, suite, its slowest test)] of the files that took longest."""
    files = {}
    for test in tests:
        if test.seconds is not None:
            files.setdefault(test.suite, []).append(test)
    sums = sorted(((sum(t.seconds for t in group), suite, max(group, key=lambda t: t.seconds))
                   for suite, group in files.items()), key=lambda row: -row[0])
    return sums[:count]
