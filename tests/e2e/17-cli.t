#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# The command line: silence for cron, codes, help and manuals that know everything there is.
. "$(dirname "$0")/lib.sh"
plan 58

cp "$FIXTURES/2026-03-02.json" days.json
write_config <<'X'
source "days" { type = file  path = "days.json" }
subscriber "ada@digest.test" { filter "all" { match = "*" } }
X
now=2026-03-03T08:00:00Z
d() {
	"$DIGEST" --now $now "$@"
}
commands() {
	"$DIGEST" help | sed -n '/^Set up/,/^Options of/s/^  \([a-z]*\) .*/\1/p'
}

# --- cron
check 'run is silent'                             'silent 0 d run && test "$(mails_sent)" = 1'
check 'a run with nothing to do is silent'        'silent 0 d run'
check 'so are fetch and send'                     'silent 0 d fetch && silent 0 d send'
check '-v tells on standard error alone'          'd run -v 2>err >out && test ! -s out && grep -q "0 of [0-9]* readers due" err'
check 'run needs neither HOME nor a terminal'     'silent 0 env -i TZ=UTC "$DIGEST" -c "$T/digest.conf" --now $now run'
check 'run needs no standard files'               '"$DIGEST" --now $now run <&- >&- 2>&-'

# --- JSON
json() {
	"$@" >lines && [ -s lines ] && python3 -c 'import json, sys
for line in sys.stdin:
    assert isinstance(json.loads(line), dict)' <lines
}
check '--json of each command that shows is JSON' '
	json d --json && json d run --json && json d fetch --json && json d send --json && json d subscribers --json && json d show 2603.90001 --json &&
	json d config --json && json d config --all --json && json d export'
check '--json of the list of templates is JSON'   'json d template list --json'
check 'the report counts'                         'rm -rf Mail digest.db*; d run --json | python3 -c "
import json, sys
v = json.load(sys.stdin)
assert v[\"due\"] == v[\"sent\"] == v[\"readers\"] == 1 and v[\"sources\"][0][\"new\"] == 4, v"'

# --- words
check 'an unknown command, with a suggestion'     'says 64 "^digest: .rnu. is not a command; did you mean .run.\? .digest help. lists them" "$DIGEST" rnu'
check 'one that is like none'                     'says 64 "^digest: .zebra. is not a command; .digest help. lists them" "$DIGEST" zebra'
check 'an unknown option'                         'says 64 "^digest: .--nwo. is not an option" "$DIGEST" --nwo 3 run'
check '... with a suggestion'                     'says 64 "^digest: .--nwo. is not an option; did you mean .--now.\? .digest help. lists them" "$DIGEST" --nwo 3 run && says 64 "not an option; .digest help. lists them" "$DIGEST" --zebra && says 64 "^digest: .-Z. is not an option; .digest" "$DIGEST" -Z'
check 'the beginning of an option is enough'      'd -n --off -u ada@digest.test >a 2>/dev/null && d --dry-r --offline --user=ada@digest.test >b 2>/dev/null && cmp a b'
check '... when it is that of one alone'          'says 64 "^digest: .--fo. may be --format, --force" "$DIGEST" --fo'
check 'a value for an option that has none'       'says 64 "^digest: .--yes=no.: --yes takes no value" "$DIGEST" run --yes=no'
check 'an option without its value'               'says 64 "needs a value" "$DIGEST" run --now'
check 'an option the command does not take'       'says 64 "^digest: --bibtex has no meaning for .digest run." "$DIGEST" run --bibtex'
check 'an argument too many'                      'says 64 "^digest: usage: digest run" "$DIGEST" run away'
check 'an argument too few'                       'says 64 "^digest: usage: digest show PAPER" "$DIGEST" show'
check 'options stand before or after'             'd -n -u ada@digest.test >a 2>/dev/null && "$DIGEST" run -u ada@digest.test -n --now $now >b 2>/dev/null && cmp a b'
check '-- ends them'                              'says 65 ".-x. is no paper" d show -- -x'
check 'a time that is none'                       'says 64 "^digest: --now: " "$DIGEST" --now yesterday run && says 64 "^digest: --now: " "$DIGEST" --now 2026-02-30T00:00:00Z run'
check 'a colour that is none'                     'says 64 "expected auto, always or never" "$DIGEST" --color=blue help'
check 'a date that is none'                       'says 64 "^digest: --since: " d fetch --since soon'
check '--color=always and never'                  '"$DIGEST" --color=always help | grep -q "$(printf "\033")" && ! "$DIGEST" --color=never help | grep -q "$(printf "\033")" && ! "$DIGEST" help | grep -q "$(printf "\033")"'
check '--now is refused where mail could leave'   'sed "s/maildir:Mail/smtp:\/\/mail.digest.test/" digest.conf >far.conf && says 64 "^digest: --now: mail could leave this machine" "$DIGEST" -c far.conf --now $now run && says 64 "^digest: --now: " "$DIGEST" -c far.conf --now $now send'
check '... also without any smtp block'           'sed "s/smtp .box. {[^}]*}//" digest.conf >none.conf && says 64 "^digest: --now: " "$DIGEST" -c none.conf --now $now run'
check '... but not for looking'                   '"$DIGEST" -c far.conf --now $now -n --offline >/dev/null 2>err && "$DIGEST" -c far.conf --now $now >/dev/null'

# --- results
check 'show knows a paper by id, URL and words'   'for p in 2603.90001 arXiv:2603.90001v2 https://arxiv.org/abs/2603.90001 https://huggingface.co/papers/2603.90001 "pocket calculator"; do d show $p | grep -q "^Lantern: Gaussian" || { echo "$p"; exit 1; }; done'
check 'no label of show sticks to its value'      'd show 2603.90001 >out && grep -q "^organisation Quill & Sons" out && test "$(grep -c "^listed *days on 2026-03-02 (new)" out)" = 1'
check 'show of what is not there'                 'says 65 "is no paper of the store" d show 2603.99999'
check 'show says what came from where'            'd show 2603.90001 >out && grep -q "^from  *title, abstract," out && tr -s "\n " " " <out | grep -q " votes.*: days votes [0-9]* votes on .*3 Mar"'
check 'show finds words of authors too'           'd show descartes | grep -q "^key *arxiv:2603.90004"'
check 'show --json has where it is from'          'd show 2603.90001 --json | python3 -c "
import json, sys
p = json.load(sys.stdin)
assert p[\"key\"] == \"arxiv:2603.90001\" and p[\"from\"][\"title\"] == \"days\"
l = p[\"listings\"][0]
assert l[\"source\"] == \"days\" and l[\"day\"] == \"2026-03-02\" and l[\"kind\"] == \"new\" and l[\"counted\"] is True and l[\"late\"] is False
assert p[\"signals\"][0][\"votes\"] >= 0 and p[\"signals\"][0][\"at\"].startswith(\"2026-03-03\")"'
check 'show --bibtex is an entry'                 'd show 2603.90004 --bibtex | tr -d "\n" | grep -q "^@misc{descartes2026on,  title = .*eprint = {2603.90004}.*}$"'
check 'the overview fits a screen'                'd >out && test "$(wc -l <out)" -lt 24 && grep -q "^config .*digest.conf" out && grep -q "^next .*ada@digest.test, Wed 4 Mar 00:00 UTC (in 16 h)" out'
cp "$FIXTURES/2026-03-03.json" days.json
check '... and says that all mail is on hold'        'd outbox hold --all -q && d >out; d outbox release --all -q; grep -q "^all mail is on hold; " out'
check 'before the first run has ended there was none' 'mkdir early && sed "s/digest.db/early\/digest.db/" digest.conf >early.conf && "$DIGEST" -c early.conf --now $now subscribe eve@digest.test -q && "$DIGEST" -c early.conf --now $now >out && cat out && grep -q "^last run none yet" out && grep -q "^next .* readers are due now" out'
check 'a preview as JSON is JSON'                 'json d -n --format json'
check 'templates are listed and right'            'd template list | grep -q "^digest.html" && d template check && d template show subject.txt | grep -q "{{"'
check 'a copy of a template is used'              'echo "templates { dir = \"own\" }" >>digest.conf && d template copy header.txt >/dev/null && sed -i "1s/^/MY OWN HEADER\n/" own/header.txt && d -n -u ada@digest.test 2>/dev/null | grep -q "^MY OWN HEADER" && d template diff header.txt | grep -q "^+.*MY OWN HEADER"'
check 'a broken copy is named with its place'     'echo "{{#list}}" >own/header.txt && says "65" "header.txt:[0-9]+:[0-9]+: " d template check || says "78" "header.txt:[0-9]+:[0-9]+: " d template check'

# --- standard output
sed -i '/^templates/d' digest.conf
closed=0
for c in 'help' 'version' 'config' 'config --all' 'subscribers' 'show 2603.90001' 'export' '-n' 'template list' ''; do
	# shellcheck disable=SC2086
	d $c >/dev/full 2>>full.err
	rc=$?
	[ $rc -eq 74 ] || { echo "# '$c' to /dev/full: $rc"; closed=1; }
done
check 'output that cannot be written gives 74'    'test $closed = 0'
check '... and a sentence'                        'grep -q "^digest: standard output: " full.err'
check '... before what else is wrong'             'sed "s|maildir:[^\"]*|sendmail:/nowhere|" digest.conf >way.conf && "$DIGEST" -c way.conf check >out; test $? = 78 || exit 1; "$DIGEST" -c way.conf check >/dev/full 2>err; test $? = 74'
check 'standard output that is closed gives 74'   '"$DIGEST" version >&-; test $? = 74'
check 'a reader of a pipe that leaves is no harm' 'd export | head -n 1 >out; test -s out'

# --- help and manuals
check 'version'                                   '"$DIGEST" version | grep -Eq "^digest [0-9]+\.[0-9]+" && "$DIGEST" -V | grep -q "^digest "'
check 'help names commands and options'           'test "$(commands | wc -l)" -ge 12 && "$DIGEST" -h | grep -q -- "--config FILE"'
check 'help, --help and -h of each command'       'for c in $(commands); do [ $c != help ] || continue; "$DIGEST" help $c >a && "$DIGEST" $c --help >b && cmp a b && grep -q "^usage: digest $c" a || { echo $c; exit 1; }; done'
check 'an option says what it means to this command' 'for row in "backup|replace files that are there" "fetch|also sources that are not due" "prune|only tell what would go" "history|the newest 10,000 in place of 20" "run|send and store nothing" "init|ask nothing, also on a terminal" "send|do not ask before a first run"; do "$DIGEST" help "${row%%|*}" | grep -q "${row#*|}" || { echo "$row"; exit 1; }; done'
check '... and the usage that there are some'     '"$DIGEST" help version | grep -qx "usage: digest version" && "$DIGEST" help show | grep -qx "usage: digest show \[OPTION\]... PAPER"'
check 'help of what is no command'                'says 64 "is not a command, a key or a topic; .digest help. lists" "$DIGEST" help zebra && says 64 "did you mean .filters.\?" "$DIGEST" help filtrs'
check 'help of topics, blocks and keys'           'for t in filters schedules cron exit-codes files; do "$DIGEST" help $t >out && test "$(wc -l <out)" -gt 5 && test "$(wc -L <out)" -le 90 && "$DIGEST" help | tr -s "\n " " " | grep -q "[ ,]$t[,. ]" || { echo $t; exit 1; }; done; "$DIGEST" help smtp.url | grep -q "smtps://host:port" && test "$("$DIGEST" help smtp | grep -c "^smtp\.")" -ge 10'
check 'help, manuals, completions and example have each command, option and key, and no other' 'python3 "$E2E/manual.py" "$DIGEST" "$ROOT"'
check '... and what lacks one is told'            'mkdir copy && cp -r "$ROOT/man" "$ROOT/etc" copy && sed -i "s/max-papers/most-papers/" copy/etc/digest.conf.example && sed -i "/^.It Ic max-papers/d; /^.It Fl -bibtex/d; s/Fl -bibtex//" copy/man/digest.conf.5 copy/man/digest.1 && ! python3 "$E2E/manual.py" "$DIGEST" copy >said && grep -q "^the example lacks subscriber.max-papers$" said && grep -q "^the example, with all examples, does not load: .*most-papers" said && grep -q "^digest.conf(5) lacks subscriber.max-papers$" said && grep -q "^digest(1) lacks --bibtex of .show.$" said'
{ "$DIGEST" help; for c in $(commands); do "$DIGEST" help "$c"; done; } | grep -Eo "^  (-[a-zA-Z], |    )--[a-z-]+" | sed "s/.*--//" | sort -u >options
check 'each option of digest(1) is one'           'grep -Eo "Fl (. , )?-[a-z][a-z-]+" "$ROOT/man/digest.1" | sed "s/.*Fl //; s/.*, //; s/^-//" | sort -u >named; test "$(wc -l <named)" -ge 20 && while read -r o; do grep -qx -- "$o" options || { echo "--$o is none"; bad=1; }; done <named; test -z "${bad:-}"'
