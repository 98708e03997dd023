"""File systems of our own, in a mount namespace of our own: they are gone with the last process in it, whatever happens."""

import os
import subprocess
import sys


def enter():
    """Starts this program again in such a namespace, unless it is in one."""
    if os.environ.get("SIGNALBOX_MOUNTS") != "mine":
        os.environ["SIGNALBOX_MOUNTS"] = "mine"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv])


def command(*words):
    ended = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
    if ended.returncode != 0:
        raise OSError(f"{' '.join(words)}: {ended.stderr.strip()}")


class Disk:
    """An ext4 file system in a file, on a loop device that goes when it is unmounted."""

    def __init__(self, folder, megabytes):
        self.image, self.place = f"{folder}/image", f"{folder}/disk"
        os.makedirs(self.place)
        with open(self.image, "wb") as file:
            file.truncate(megabytes << 20)
        command("mkfs.ext4", "-q", "-m", "0", self.image)

    def mount(self, options="loop"):
        command("mount", "-o", options, self.image, self.place)

    def unmount(self):
        command("umount", self.place)
