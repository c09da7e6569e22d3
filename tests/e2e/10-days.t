#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# Day after day with one store: each reader gets each paper that their filter wants, once.
. "$(dirname "$0")/lib.sh"
plan 15

readers='
fetch { allow-private = {"127.0.0.0/8"} }
source "hf" { type = huggingface  url = "http://127.0.0.1:PORT" }
defaults { limit = 500  max-papers = 500  outside = 0  when = "daily 12:30" }
subscriber "ada@digest.test"  { name = "Ada Ray"  filter "splats" { match = "splatting OR nerf" } }
subscriber "bob@digest.test"  { filter "agents" { match = "agent*" } }
subscriber "cleo@digest.test" { filter "liked" { match = "votes>=20" } }
subscriber "dan@digest.test"  { filter "all" { match = "*"  sort = newest } }
subscriber "eve@digest.test"  { filter "tea alone" { match = "tea -agent" } }
'

# serve FOLDER: a server, a configuration and a store of their own in a new folder.
serve() {
	mkdir "$1"
	cd "$1" || exit 1
	DIGEST_CONFIG=$PWD/digest.conf
	echo 2026-01-01 >today
	start_replay --days "$2" --today "$PWD/today" --log "$PWD/requests"
	echo "$readers" | sed "s/PORT/$PORT/" | write_config
}

at() {
	day=$1
	shift
	"$DIGEST" --now "${day}T13:00:00Z" "$@"
}


# sorted: the ids of each line in order of their numbers.
sorted() {
	while read -r day address ids; do
		echo "$day $address $(printf '%s\n' $ids | sort | tr '\n' ' ' | sed 's, $,,')"
	done
}

run_day() {
	echo "$1" >today
	silent 0 at "$1" run
}

# What a preview shows is what the run sends, and it leaves no trace.
preview_then_run() {
	echo "$1" >today
	same_store "at $1 --dry-run --format eml -u ada@digest.test >preview.eml 2>preview.err" || return 1
	before=$(ls Mail/new)
	silent 0 at "$1" run || return 1
	for file in Mail/new/*; do
		case $before in *"${file##*/}"*) continue ;; esac
		grep -q '^To: .*ada@digest.test' "$file" || continue
		tr -d '\r' <preview.eml | cmp - "$file"
		return
	done
	[ ! -s preview.eml ]
}

serve own "$FIXTURES"
check 'the first day is mailed without a word'      'run_day 2026-03-02'
check 'a preview of the next day is its mail'       'preview_then_run 2026-03-03'
sent=$(mails_sent)
check 'a second run of the same day sends nothing'  'silent 0 at 2026-03-03 run && test "$(mails_sent)" = "$sent"'
check 'a later run of the same day sends nothing'   'silent 0 "$DIGEST" --now 2026-03-03T23:30:00Z run && test "$(mails_sent)" = "$sent"'
check 'a day without papers sends nothing'          'run_day 2026-03-04 && test "$(mails_sent)" = "$sent"'
check 'the next day is mailed'                      'preview_then_run 2026-03-05'
python3 "$E2E/expect.py" "$FIXTURES" 2026-03-02 2026-03-03 2026-03-04 2026-03-05 | sort >want
python3 "$E2E/mails.py" papers Mail | sorted >have
check 'each mail holds what the filter wants'       'diff want have'
check 'a paper of two days is mailed once'          'test "$(grep -c "dan.*2603.90002" have)" = 1'
check 'a paper that rises is mailed when it does'   'grep -q "2026-03-03 cleo.* 2603.90002" have'
check 'who wants nothing of it gets no mail'        '! grep -q eve@ have'
check 'pages that did not change are not sent twice' 'grep -q " 304$" requests'
check 'the list of a day counts from noon on'       '
	mkdir ../noon && cp digest.conf ../noon/ && cd ../noon && echo 2026-03-02 >../own/today &&
	silent 0 "$DIGEST" -c digest.conf --now 2026-03-02T11:59:59Z run && test "$(mails_sent)" = 0'

if [ -z "${DIGEST_CORPUS:-}" ]; then
	skip 3 'DIGEST_CORPUS is not set; the recorded days are not tried'
	exit
fi
cd "$T" || exit 1
days='2026-08-14 2026-08-18 2026-08-20 2026-08-21'
serve recorded "$DIGEST_CORPUS/huggingface"
check 'recorded days are mailed without a word' 'for day in $days; do run_day $day || exit 1; done'
python3 "$E2E/expect.py" "$DIGEST_CORPUS/huggingface" $days | sort >want
python3 "$E2E/mails.py" papers Mail | sorted >have
check 'each mail holds what the filter wants'   'diff want have'
check 'a paper of two days is mailed once'      'test "$(grep -c "dan.*2608.13558" have)" = 1'
