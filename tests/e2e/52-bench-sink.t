#!/bin/sh
# shellcheck source=lib.sh
# The server that counts in the benchmarks and in the kill tests, before a scripted client.
. "$(dirname "$0")/lib.sh"
SINK=${SINK:-$ROOT/build/bench/sink}
export SINK
[ -x "$SINK" ] || skip_all 'the sink is not built: make bench-programs'
plan 9

sink() {
	python3 "$E2E/sink_test.py" "$1"
}
make_certificates
check 'the end of a mail is found wherever reads are cut'   'sink edges'
check '... and around the end of a block'                   'sink blocks'
check 'commands out of order are answered and not counted'  'sink orders'
check 'faults happen where the script says'                 'sink faults'
check '-n: no pipelining'                                   'sink no_pipelining'
check '-d: a round trip, not a pause'                       'sink delay'
check 'the checksum is of the mails'                        'sink checksum'
check 'TLS at once and by STARTTLS'                         'sink tls'
check 'a client does not stop another'                      'sink others'
