#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# From nothing to the first mail, by what README.md says: digest init at a terminal, a real Postfix, a Maildir.
. "$(dirname "$0")/lib.sh"
command -v postfix >/dev/null || skip_all "postfix is missing"
[ "$(id -u)" -eq 0 ] || skip_all "postfix wants root to start"
# shellcheck source=relays.sh
. "$E2E/relays.sh"
plan 9

trap 'stop_relay; clean_up' EXIT
if ! start_postfix; then
	sed 's/^/# /' "$R/starting"
	echo "Bail out! Postfix does not start"
	exit 1
fi
unset DIGEST_CONFIG
C=$XDG_CONFIG_HOME/digest
now=2026-03-03T08:00:00Z
began=$(date +%s)

# What a machine has by itself, the service, stands in a file beside; the rest is typed.
mkdir -p days "$C/conf.d" && cp "$FIXTURES/2026-03-02.json" days/
start_days() {
	relay=$PORT
	start_replay --days "$T/days" --log "$T/requests"
	echo "source \"huggingface\" { url = \"http://127.0.0.1:$PORT\" } fetch { allow-private = {\"127.0.0.0/8\"} }" >"$C/conf.d/source.conf"
}
start_days
cat >steps <<X
Your address => Ada <ada@digest.test>
Topic 1 => "gaussian splatting" OR nerf
of the last 7 days, as: Lantern => agent*
finds 1 of the 4 papers => -
When [ => daily 07:30
Time zone => Europe/London
Relay, => smtp://127.0.0.1:$relay
Name for => -
not encrypted, mails up to => 
From [ => 
Write => y
X
# An empty line ends the topics, and nothing is typed at what the relay says.
sed -i 's/^finds 1 of the 4 papers => -$/Topic 3 => /; /^not encrypted/d' steps
check 'README says so'                   'sed -n "/^## First run/,/^## /p" "$ROOT/README.md" | grep -q "^digest init " && sed -n "/^## First run/,/^## /p" "$ROOT/README.md" | grep -q "^digest run "'
check 'a few questions'                  'python3 "$E2E/dialogue.py" --show seen steps "$DIGEST" --now $now init || { cat seen; false; }'
check '... the relay is a real one'      'tr -s "\n " " " <seen | grep -q "It answers: smtp://127.0.0.1:$relay, not encrypted, mails up to [0-9]* KB\."'
check '... the first digest is shown'    'grep -q "1. Lantern: Gaussian Splatting" seen'
check '... with what was read before, each day once' 'test "$(wc -l <requests)" = 8 && test -z "$(sort requests | uniq -d)" || { cat requests; false; }'
check 'everything is in order'           '"$DIGEST" --now $now check -q'
check 'a run is silent'                  'silent 0 "$DIGEST" --now $now run'
check 'the mail is in the Maildir'       'all_there 1 && grep -q "^To: Ada <ada@digest.test>" "$BOX"/new/* && grep -q "^From: Papers <ada@digest.test>" "$BOX"/new/*'
check 'all of that in less than five minutes' 'test $(($(date +%s) - began)) -lt 300'
