#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# Each mistake in a configuration is named with file, line and column and the cure; nothing is sent; exit code 78.
. "$(dirname "$0")/lib.sh"
plan 44

head='list { from = "Papers <papers@digest.test>" }
store { path = "digest.db" }  smtp "box" { url = "maildir:Mail" }
source "days" { type = file  path = "days.json" }'
cp "$FIXTURES/2026-03-02.json" days.json

# bad PATTERN: the configuration on standard input, from line 4 on, is refused so.
bad() {
	{
		echo "$head"
		cat
	} >digest.conf
	says 78 "$1" "$DIGEST" --now 2026-03-03T08:00:00Z run && [ ! -e Mail ] && [ ! -e digest.db ]
}

check 'an unknown key, with a suggestion'    'echo "fetch { timeuot = 3s }" | bad "digest.conf:4:9: unknown key .timeuot. in fetch; did you mean .timeout.\?"'
check 'an unknown block, with a suggestion'  'echo "sorce { }" | bad "digest.conf:4:1: unknown block .sorce.; did you mean .source.\?"'
check 'a key at the top'                     'echo "timeout = 3s" | bad "digest.conf:4:1: "'
check 'a wrong type'                         'echo "fetch { timeout = soon }" | bad "digest.conf:4:19: .*soon.*expected"'
check 'out of range'                         'echo "fetch { timeout = 2h }" | bad "digest.conf:4:19: .*1s\.\.10m"'
check 'a size without sense'                 'echo "fetch { max-body = 3 }" | bad "digest.conf:4:20: .*64K"'
check 'a choice that is none'                'echo "delivery { ambiguous = maybe }" | bad "digest.conf:4:24: .*retry"'
check 'a missing brace'                      'echo "fetch { timeout = 3s" | bad "digest.conf:5:1: .*block fetch opened on line 4; expected .\}."'
check 'a brace too much'                     'echo "}" | bad "digest.conf:4:1: "'
check 'a quote that is never closed'         'printf "filter \"a\" { match = \047never }\n\n" | bad "digest.conf:4:22: .*(quote|closed|end)"'
check 'stray text'                           'echo "fetch { } and so on" | bad "digest.conf:4:11: "'
check 'a control character'                  'printf "fetch { \001 }\n" | bad "digest.conf:4:9: "'
check 'bytes that are not UTF-8'             'printf "list { name = \"\377\" }\n" | bad "digest.conf:4:.*UTF-8"'
check 'a value without a key'                'echo "fetch { = 3 }" | bad "digest.conf:4:9: "'
check 'the same key twice'                   'echo "fetch { timeout = 3s timeout = 4s }" | bad "digest.conf:4:22: duplicate key .timeout.; it stands already on line 4"'
check 'a URL of the wrong kind'              'echo "source \"hf\" { type = huggingface url = \"ftp://x.test\" }" | bad "digest.conf:4:40: .*https://"'
check 'an unknown kind of source'            'echo "source \"hf\" { type = hugingface }" | bad "digest.conf:4:22: .*did you mean .huggingface."'
check 'a network that is none'               'echo "fetch { allow-private = {\"127.0.0.0/99\"} }" | bad "digest.conf:4:26: "'
check 'a bad query of a shared filter'       'echo "filter \"x\" { match = \047a AND (b OR c\047 }" | bad "digest.conf:4:[0-9]+: "'
check 'several mistakes in one go'           'printf "fetch { timeuot = 3s }\nscore { text = eleven }\n" | bad ":4:9: " && grep -q ":5:16: " .err'
check 'no sender'                            'head="# nothing" && echo "smtp \"box\" { url = \"maildir:Mail\" }" | bad "digest.conf.*from"'

check 'a file that is not there'             'says 78 "nowhere.conf: .*No such file" "$DIGEST" -c nowhere.conf run'
check 'a folder in place of the file'        'mkdir folder && says 78 "folder: .*directory" "$DIGEST" -c folder run'
check 'an include that is not there'         'echo "include \"none.conf\"" | bad "digest.conf:4:.*none.conf"'
check 'a pattern may include nothing'        'printf "%s\ninclude \"conf.d/*.conf\"\n" "$head" >digest.conf && "$DIGEST" config >/dev/null'
check 'a mistake in an included file'        'mkdir conf.d && echo "fetch { x = 1 }" >conf.d/a.conf && echo "include \"conf.d/*.conf\"" | bad "conf.d/a.conf:1:9: unknown key"'
check 'files that include each other'        'echo "include \"../digest.conf\"" >conf.d/a.conf && echo "include \"conf.d/a.conf\"" | bad "include"'

# --- mistakes in the block of one reader touch that reader alone
good='subscriber "good@digest.test" { filter "all" { match = "*" } }'
# broken PATTERN: beside good@, so that good@ alone is served.
broken() {
	rm -rf Mail digest.db* digest.key
	{
		echo "$head"
		echo "$good"
		cat
	} >digest.conf
	says 78 "$1" "$DIGEST" --now 2026-03-03T08:00:00Z run && [ "$(mails_sent)" = 1 ] && grep -q '^To: good@' Mail/new/*
}
check 'a bad zone'                           'echo "subscriber \"b@digest.test\" { timezone = Mars/Olympus }" | broken "digest.conf:5:41: .*Mars/Olympus"'
check 'a bad address'                        'echo "subscriber \"b@digest..test\" { }" | broken "digest.conf:5:[0-9]+: .*b…@digest"'
check 'a title that is not closed'           'echo "subscriber \"b@digest.test { }" | broken "digest.conf:5:12: .*not closed on its line"'
check 'an unknown key of a reader'           'echo "subscriber \"b@digest.test\" { wen = daily }" | broken "digest.conf:5:30: unknown key .wen."'
check 'a bad schedule'                       'echo "subscriber \"b@digest.test\" { when = \"daily 25:00\" }" | broken "digest.conf:5:.*00:00..23:59"'
check 'a bad query, with its place'          'echo "subscriber \"b@digest.test\" { filter \"f\" { match = \047a AND (b OR\047 } }" | broken "digest.conf:5:61: .*nothing on its right"'
check 'a bad query on its second line'       'printf "subscriber \"b@digest.test\" { filter \"f\" { match = \047agents\n  and tea\047 } }\n" | broken "digest.conf:6:3: "'
check 'a shared filter that is not there'    'echo "subscriber \"b@digest.test\" { use = {nosuch} }" | broken "digest.conf:5:.*nosuch"'
check 'the same reader twice'                'printf "%s\n%s\n" "subscriber \"b@digest.test\" { }" "subscriber \"B@Digest.Test\" { }" | { rm -rf Mail digest.db*; { echo "$head"; echo "$good"; cat; } >digest.conf; says 78 "digest.conf:6:12: .*:5" "$DIGEST" --now 2026-03-03T08:00:00Z run; } && test "$(mails_sent)" -ge 1'
check 'their last good block stays in force' '
	rm -rf Mail digest.db* && { echo "$head"; echo "$good"; echo "subscriber \"b@digest.test\" { filter \"agents\" { match = \"agents\" } }"; } >digest.conf &&
	silent 0 "$DIGEST" --now 2026-03-03T08:00:00Z run && test "$(mails_sent)" = 2 &&
	sed -i "s/\"agents\" }/\"agents AND\" }/" digest.conf && cp "$FIXTURES/2026-03-03.json" days.json &&
	says 78 "digest.conf:5:" "$DIGEST" --now 2026-03-04T08:00:00Z run && test "$(mails_sent)" = 4'

check 'a title that is not closed ends nobody' '
	rm -rf Mail digest.db* && { echo "$head"; echo "$good"; echo "subscriber \"b@digest.test\" { when = \"daily 00:01\" }"; } >digest.conf &&
	silent 0 "$DIGEST" --now 2026-03-03T08:00:00Z run && sed -i "s/b@digest.test\"/b@digest.test/" digest.conf &&
	says 78 "nobody was removed" "$DIGEST" --now 2026-03-03T09:00:00Z run && ! "$DIGEST" subscribers --all 2>/dev/null | grep " ended "'

# --- secrets
secret='smtp "far" { url = "maildir:Mail"  user = me  password = "hunter2" }'
check 'a password in a file others may read' 'printf "%s\n%s\n" "$head" "$secret" >digest.conf && chmod 644 digest.conf && says 78 "digest.conf: .*chmod 600 .*digest.conf" "$DIGEST" run'
check '... is never printed'                 'says 78 "" "$DIGEST" -v run; ! grep -q hunter2 .err .out'
check 'chmod 600 is the cure'                'chmod 600 digest.conf && "$DIGEST" config >out && ! grep -q hunter2 out'

printf '%s\n%s\n' "$head" "$good" >digest.conf
check 'config shows what is in force'        '"$DIGEST" config >out && grep -q "max-papers = 25.*# default" out && cp out again.conf && "$DIGEST" -c again.conf config >/dev/null'
check 'config KEY explains one'              '"$DIGEST" config fetch.timeout | grep -q "1s..10m" && says 64 "no key" "$DIGEST" config nosuch'
check 'a gap between requests where none are made' 'printf "%s\nsource \"own\" { type = file  path = \"x\"  request-gap = 5s }\n" "$head" >digest.conf && says 78 "digest.conf:[0-9]+.*request-gap says nothing for type file" "$DIGEST" config'
