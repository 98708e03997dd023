"""A server under strace: which calls it makes on the files of its log, and one of them going wrong.

`traced.py probe` ends with 0 where that can be done.
"""

import os
import re
import subprocess
import sys

from instance import Instance

CALLS = ("openat", "mkdir", "rename", "unlink", "pwrite64", "write", "pread64", "read", "fdatasync", "fsync",
         "ftruncate", "flock", "getdents64")
LINE = re.compile(r"^(\d+) +([\d.]+) (\w+)\((.*)$")


class Traced(Instance):
    """`fault` is a place and what happens there: (call, path, number, how), such as ("fsync", "messages-0", 2, "error=EIO").

    strace counts for each thread and each path by itself.
    """

    def __init__(self, binary, folder, arguments=(), fault=None):
        self.folder, self.trace = folder, f"{folder}/trace"
        prefix = ["strace", "-D", "-f", "-qq", "-y", "-ttt", "-s", "24", "-e", "signal=none", "-o", self.trace]
        if fault:
            call, path, number, how = fault
            prefix += ["-P", os.path.normpath(f"{folder}/data/{path}"), "-e", f"trace={call}",
                       "-e", f"inject={call}:{how}:when={number}"]
        else:
            prefix += ["-e", "trace=" + ",".join(CALLS)]
        if not fault or "signal" not in fault[3]:
            prefix.insert(1, "--seccomp-bpf")  # stops for these calls only, but cannot deliver a signal there
        super().__init__(binary, f"{folder}/data", arguments=arguments, prefix=prefix, errors=f"{folder}/errors")

    def end(self):
        """SIGTERM, unless it has ended already. The exit code, once strace has written everything down."""
        if self.process.poll() is None:
            self.process.terminate()
        if not self.process.stdout.closed:
            self.process.stdout.read()  # strace holds it too
            self.process.stdout.close()
        return self.process.wait(timeout=30)

    def traced(self):
        try:
            with open(self.trace, errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def injected_at(self):
        """When the call went wrong, as strace has it; None when it was not made."""
        lines = self.traced().splitlines()
        return next((float(LINE.match(line)[2]) for line in lines if "INJECTED" in line and LINE.match(line)), None)

    def calls(self):
        """The calls on files of the log, in order: (thread, call, path in the log, how many of it on this path by this thread)."""
        counts = {}
        found = []
        root = f"{self.folder}/data"
        for line in self.traced().splitlines():
            match = LINE.match(line)
            if not match:
                continue
            thread, _, call, rest = match.groups()
            paths = [os.path.relpath(path, root) for path in re.findall(r'["<](/[^">]*)[">]', rest)
                     if path == self.folder or (path + "/").startswith(root + "/")]
            if paths:
                place = (thread, call, paths[0])
                counts[place] = counts.get(place, 0) + 1
                found.append((*place, counts[place]))
        return found


if __name__ == "__main__" and sys.argv[1] == "probe":
    strace = ["strace", "-D", "-f", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=chdir", "-e", "inject=chdir:error=EIO"]
    sys.exit(subprocess.run([*strace, "sh", "-c", "cd /"], stderr=subprocess.DEVNULL).returncode == 0)
