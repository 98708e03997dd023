#!/usr/bin/env bash
# Fuzzes every target, or the one that is named, for some seconds each: scripts/fuzz.sh SECONDS [TARGET]
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=$1
targets=${2:-$(ls fuzz/corpus)}
build=.build-fuzz
program=$build/release/fuzz
found=fuzz/found

# Everything is instrumented, the packages that Signalbox is built with too. Of several -sanitize, Swift's compiler heeds the last alone.
swift build -c release --scratch-path "$build" --product fuzz \
  --sanitize=fuzzer --sanitize=address -Xswiftc -sanitize=fuzzer,address -Xswiftc -DFUZZER

# The stack of every allocation would cost more than what is tested; Swift's own backtraces take seconds.
export ASAN_OPTIONS=detect_leaks=0:malloc_context_size=0:quarantine_size_mb=8:allocator_release_to_os_interval_ms=-1
export SWIFT_BACKTRACE=enable=no

table=$(mktemp)
trap 'rm -f "$table"' EXIT
echo "target|executions|a second|new units|coverage|crashes" >"$table"
failures=()
for target in $targets; do
  mkdir -p "$found/$target"
  log=$found/$target.log
  echo "$target: $seconds s, log in $log"
  status=0
  SIGNALBOX_FUZZ_TARGET=$target "$program" -max_total_time="$seconds" -print_final_stats=1 \
    -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=256 -artifact_prefix="$found/$target." \
    "$found/$target" "fuzz/corpus/$target" >"$log" 2>&1 || status=$?
  statistic() { sed -n "s/^stat::$1: *//p" "$log" | tail -1; }
  coverage=$(sed -n 's/^#.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -1)
  if [ "$status" != 0 ]; then
    input=$(sed -n 's/^artifact_prefix=.*Test unit written to //p' "$log" | tail -1)
    failures+=("$target|${input:-see $log}")
  fi
  echo "$target|$(statistic number_of_executed_units)|$(statistic average_exec_per_sec)|$(
    statistic new_units_added)|$coverage|$((status != 0))" >>"$table"
done
column -t -s '|' "$table"

for failure in "${failures[@]}"; do
  target=${failure%%|*}
  input=${failure#*|}
  echo
  echo "$target: $input"
  grep -m 3 -E 'Fatal error|ERROR: |Precondition' "$found/$target.log" | sed 's/^/  /' || true
  echo "  repeat: SIGNALBOX_FUZZ_TARGET=$target $program $input"
  echo "  or, in a debug build: swift run fuzz $target $input"
done
[ ${#failures[@]} = 0 ]
