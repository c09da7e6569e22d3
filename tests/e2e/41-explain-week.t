#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# A week of mails, and explain on every paper for every reader.
. "$(dirname "$0")/lib.sh"
plan 4

check 'seven days of mails'                    'python3 "$E2E/explain_week.py" run && test "$(mails_sent)" -gt 30'
check 'some of it had to wait for votes, some is of a weekly section' '
	grep -q "^To: liked@" $(grep -l "risen since your last digest" Mail/new/*) && grep -lq "^=3D=3D best\|^== best" Mail/new/*'
check 'explain says of every paper what the mails say' 'python3 "$E2E/explain_week.py" compare >said && test "$(wc -l <said)" = 1 || { cat said; false; }'
check '... in each of the ways there are'      '
	for verdict in picked cut outside no-match waits; do
		grep -Eq " $verdict=[0-9]" said || { cat said; exit 1; }
	done'
