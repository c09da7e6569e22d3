#!/bin/sh
# shellcheck source=tests/e2e/lib.sh disable=SC2016,SC2154
# A good thousand digests of all kinds, mailed by the real program through each of three relays, and what each of them
# delivers: the same bytes. Postfix refuses bare line feeds; Exim and OpenSMTPD are fetched as packages and unpacked, not
# installed. OpenSMTPD knows no SMTPUTF8, so its readers have ASCII addresses. Under a minute. SEEDS: other batches.
E2E=$(cd "$(dirname "$0")/.." && pwd)
. "$E2E/lib.sh"
[ "$(id -u)" -eq 0 ] || skip_all 'relays want root to start'
# shellcheck source=tests/e2e/relays.sh
. "$E2E/relays.sh"
SEEDS=${SEEDS:-200 201 202 203 204}
plan 12

trap 'stop_relay; clean_up || exit 1' EXIT

# made SET: what is sent, by the same run into a Maildir; once for each set.
made() {
	[ -e "$1" ] && return
	mkdir "$1" && for seed in $SEEDS; do
		python3 "$E2E/many_mails.py" "$1/$seed" "$seed" 60 || return 1
	done
}
wanted() {
	find "$set"/*/Mail/new -type f | wc -l
}
mailed() {
	for seed in $SEEDS; do
		RELAY=$PORT python3 "$E2E/many_mails.py" "$relay/$seed" "$seed" 60 "$set/$seed/digest.key" || return 1
	done
}
# through RELAY SET: three checks.
through() {
	relay=$1 set=$2
	mkdir "$relay"
	check "$relay: the digests are made"            'made "$set"'
	check "$relay takes all of them"                mailed
	check "$relay delivers each, once"              'all_there "$(wanted)" 600'
	check "$relay has changed no byte"              'python3 "$E2E/relayed.py" "$BOX" "$set"/*/Mail >"$relay/count"'
	echo "# $relay: $(cat "$relay/count") mails"
	stop_relay
}
if command -v postfix >/dev/null && start_postfix; then
	through postfix all
else
	skip 4 'postfix is missing or does not start'
fi
for relay in exim opensmtpd; do
	if [ "$relay" = opensmtpd ]; then
		export ASCII=1
		set=ascii
	else
		set=all
	fi
	if start_$relay; then
		through "$relay" "$set"
	else
		skip 4 "$relay cannot be fetched, unpacked or started: $(cat "$T/download.log" "${R:-/nonexistent}/starting" 2>/dev/null | tail -n 1)"
		stop_relay
	fi
done
