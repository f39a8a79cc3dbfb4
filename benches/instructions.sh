#!/usr/bin/env bash
# Instructions that smtpcap executes for each profile, counted by valgrind (callgrind) on small captures: the same on a busy
# machine as on a quiet one, so a change of one per cent can be seen. Seconds are what counts in the end (run.py).
#
#   benches/instructions.sh                  all profiles, one line each
#   benches/instructions.sh mail-heavy       one profile, and the functions that cost most
#
# Environment: DATA (folder, default a temporary one), BUILD (cargo profile, default release), SMTPCAP (another program).
set -euo pipefail
cd "$(dirname "$0")/.."

command -v valgrind >/dev/null || { echo 'valgrind is missing: apt-get install valgrind' >&2; exit 1; }
data=${DATA:-${TMPDIR:-/tmp}/smtpcap-bench}
build=${BUILD:-release}
mkdir -p "$data"
target=${CARGO_TARGET_DIR:-target}
# Symbols are for the list of functions; they change no instruction.
export CARGO_PROFILE_RELEASE_STRIP=none CARGO_PROFILE_RELEASE_DEBUG=line-tables-only
cargo build --quiet --profile "$build" -p smtpcap-workload
[ -n "${SMTPCAP:-}" ] || cargo build --quiet --profile "$build" -p smtpcap --target-dir "$target/instructions"
smtpcap=${SMTPCAP:-$target/instructions/$build/smtpcap}
generator=$target/$build/smtpcap-workload

# Profile, size, and what instructions are divided by.
profiles='mail-heavy:--bytes=10M:bytes mirror-port:--bytes=20M:bytes many-short:--sessions=1k:sessions
          syn-flood:--sessions=2:flood_syns all-open:--sessions=1k:sessions'
wanted=${1:-}
printf '%-12s %-10s %15s %12s\n' profile report instructions 'per'
for one in $profiles; do
    IFS=: read -r profile size unit <<<"$one"
    if [ -n "$wanted" ] && [ "$wanted" != "$profile" ]; then continue; fi
    capture=$data/instructions-$profile.pcap
    "$generator" generate "$profile" "$size" --output "$capture" --truth "$capture.json"
    count=$(sed -n "s/^ *\"$unit\": \([0-9]*\),*$/\1/p" "$capture.json")
    for form in jsonl table; do
        counts=$data/instructions-$profile-$form.callgrind
        # The counts of the whole process: start, reading, report.
        valgrind --tool=callgrind --callgrind-out-file="$counts" \
            "$smtpcap" analyze --lang en --threads 1 --format "$form" -o "$capture.report" "$capture" 2>"$counts.log"
        total=$(sed -n 's/^summary: \([0-9]*\).*/\1/p; s/^totals: \([0-9]*\).*/\1/p' "$counts" | tail -n 1)
        printf '%-12s %-10s %15s %12s %s\n' "$profile" "$form" "$total" "$(awk "BEGIN { printf \"%.1f\", $total / $count }")" \
            "${unit%s}"
        if [ -n "$wanted" ]; then
            callgrind_annotate --auto=no --threshold=90 "$counts" | grep -E '^ *[0-9,]+ \(' | head -n 25
        fi
        rm -f "$capture.report"
    done
done
