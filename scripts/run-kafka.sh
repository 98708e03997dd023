#!/usr/bin/env bash
# Starts a Kafka broker and three instances of Signalbox on it, says how to watch one die, and stops all of them on Ctrl-C or SIGTERM:
#   scripts/run-kafka.sh SIGNALBOX [FOLDER]
# What the broker keeps goes into FOLDER, or into a folder that is removed at the end. The ports are 8081 to 8083, or the three in
# SIGNALBOX_PORTS; 0 takes a free one.
set -euo pipefail
signalbox=$(realpath "$1")
cd "$(dirname "$0")/.."

python=${SIGNALBOX_PYTHON:-$PWD/.cache/python/bin/python3}
broker=$("$python" -c 'import noida_db, os; print(os.path.join(os.path.dirname(noida_db.__file__), "noida-db"))' 2>/dev/null) || {
  echo "the Kafka broker noida-db is not installed: run scripts/install.sh run-kafka" >&2
  exit 1
}
free_port() { "$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

end() {
  for pid in "$@"; do kill "$pid" 2>/dev/null || true; done
  for pid in "$@"; do wait "$pid" 2>/dev/null || true; done
}

pids=()
folder=
stop() {
  trap - EXIT INT TERM
  # The instances first: they drain while the broker is still there.
  end "${pids[@]:1}"
  end "${pids[@]:0:1}"
  [ -z "$folder" ] || [ -n "$keep" ] || rm -rf "$folder"
}
trap stop EXIT
trap 'stop; exit 0' INT TERM

keep=${2:-}
folder=${keep:-$(mktemp -d)}
mkdir -p "$folder"

port=$(free_port)
"$broker" start --only kafka --kafka-port "$port" --data-dir "$folder/broker" >"$folder/broker.log" 2>&1 &
pids+=($!)
until "$python" -c "import socket; socket.create_connection(('127.0.0.1', $port))" 2>/dev/null; do
  kill -0 "${pids[0]}" 2>/dev/null || { echo "the broker has ended: $folder/broker.log" >&2; exit 1; }
  sleep 0.05
done
log="kafka://127.0.0.1:$port"

urls=()
for number in 1 2 3; do
  wanted=$(echo "${SIGNALBOX_PORTS:-8081 8082 8083}" | cut -d ' ' -f "$number")
  said=$folder/instance-$number
  "$signalbox" serve --log "$log" --port "$wanted" --json >"$said.json" 2>"$said.log" &
  pids+=($!)
  until [ -s "$said.json" ]; do
    kill -0 "${pids[number]}" 2>/dev/null || { cat "$said.log" >&2; exit 1; }
    sleep 0.05
  done
  urls+=("$("$python" -c 'import json, sys; print(json.load(sys.stdin)["url"])' <"$said.json")")
done

cat <<TEXT
Three instances on one log, $log, and nothing before them:

  ${urls[0]}  process ${pids[1]}
  ${urls[1]}  process ${pids[2]}
  ${urls[2]}  process ${pids[3]}

Watch one die, in another terminal:

  curl -N ${urls[0]}/v1/channels/gate/events &
  curl ${urls[1]}/v1/channels/gate/messages -H 'Signalbox-Key: A1' -H 'Content-Type: text/plain' -d boarding
  kill -9 ${pids[1]}
  curl ${urls[1]}/v1/channels/gate/messages -H 'Signalbox-Key: A1' -H 'Content-Type: text/plain' -d closed

The stream has ended with the process. Go on at another instance with the last id that it showed, as a browser does by itself:

  curl -N ${urls[2]}/v1/channels/gate/events -H 'Last-Event-ID: ID'

It begins with “resumed”, and then comes what the stream lacks: “closed”, and nothing twice. Ctrl-C stops everything.
TEXT

# Whichever dies, the others go on.
for pid in "${pids[@]}"; do wait "$pid" || true; done
