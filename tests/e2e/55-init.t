#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# The first configuration: by questions on a terminal, by options without one; what it writes, and what it never leaves behind.
. "$(dirname "$0")/lib.sh"
plan 57

unset DIGEST_CONFIG
C=$XDG_CONFIG_HOME/digest
now=2026-03-03T08:00:00Z
cp "$FIXTURES/2026-03-02.json" day.json
# What a real machine has by itself: a source to read. Whatever stands in conf.d is part of the configuration.
with_source() {
	mkdir -p "$C/conf.d" && echo "source \"day\" { type = file  path = \"$T/day.json\" }" >"$C/conf.d/source.conf"
}
fresh() {
	rm -rf "$C" Mail "$XDG_STATE_HOME"
	with_source
}
i() {
	"$DIGEST" --now $now init "$@"
}
# talk CODE [--columns N] [OPTION]...: the dialogue of the file steps, to the file seen.
talk() {
	want=$1
	shift
	at='--columns 80'
	[ "${1:-}" != --columns ] || { at="--columns $2"; shift 2; }
	# shellcheck disable=SC2086
	python3 "$E2E/dialogue.py" $at --show seen steps "$DIGEST" --now $now init "$@"
	got=$?
	[ $got -eq "$want" ] || { echo "exit code $got, expected $want"; cat seen; return 1; }
}
nothing_left() {
	test -z "$(find "$C" -type f ! -path '*/conf.d/*')" && test ! -e "$XDG_STATE_HOME" && test ! -e Mail
}

# --- without a terminal
check 'without a terminal it names what it was not told'  'says 64 "^digest: init asks nothing here and was not told all; missing: --address ADDRESS" i && test ! -e "$C"'
check '... also a relay to which the login would belong'  'says 64 "missing: --smtp-url URL$" i --address ada@digest.test --smtp-user ada'
fresh
check 'told all, it writes, and shows the first digest'   'i --address "Ada <ada@digest.test>" --topic "\"gaussian splatting\" OR nerf" --topic "it'"'"'s" --when "mon,thu 08:00" --timezone Europe/London --smtp-url maildir:"$T/Mail" >out 2>err </dev/null && grep -q "^Written: $C/digest.conf$" out && grep -q "1. Lantern: Gaussian Splatting" out'
check '... nothing was sent or stored by that'            'test ! -e Mail && test ! -e "$XDG_STATE_HOME"'
check 'closed to others: folder 0700, file 0600'          'test "$(stat -c %a "$C/digest.conf")" = 600 && rm -rf other && i -c "$T/other/x/digest.conf" -q --address ada@digest.test --smtp-url sendmail:/bin/true --offline </dev/null && test "$(stat -c %a other/x)" = 700'
check 'it loads without a word'                           '"$DIGEST" config >conf 2>err && test ! -s err && grep -q "from = \"Papers <ada@digest.test>\"" conf && grep -q "operator = \"ada@digest.test\"" conf'
check '... with what was told'                            '"$DIGEST" --now $now subscribers --json | python3 -c "
import json, sys
v = json.load(sys.stdin)
assert (v[\"address\"], v[\"name\"], v[\"when\"], v[\"timezone\"]) == (\"ada@digest.test\", \"Ada\", \"mon,thu 08:00\", \"Europe/London\"), v
assert [(f[\"name\"], f[\"match\"]) for f in v[\"filters\"]] == [(\"gaussian splatting OR nerf\", \"\\\"gaussian splatting\\\" OR nerf\"), (\"it\x27s\", \"it\x27s\")], v"'
check 'check finds everything in order'                   '"$DIGEST" --now $now check -q'
check 'a person can read it'                              'grep -q "^# Who the digests come from" "$C/digest.conf" && test "$(wc -L <"$C/digest.conf")" -le 120 && test "$(wc -l <"$C/digest.conf")" -lt 40'
check 'the line for cron is told'                         'grep -q "^    \*/15 \* \* \* \* $DIGEST run$" out && grep -q "systemctl --user enable --now digest.timer" out'
check '... of a file elsewhere with its name'             'i -c other/y.conf --address ada@digest.test --smtp-url sendmail:/bin/true --offline </dev/null >o && grep -q "^    \*/15 \* \* \* \* $DIGEST run -c $T/other/y.conf$" o && grep -q "^    $DIGEST check -c $T/other/y.conf$" o'
check '... in words that a shell reads'                   'i -c "my files/y.conf" --address ada@digest.test --smtp-url sendmail:/bin/true --offline </dev/null >o && grep -qxF "    */15 * * * * $DIGEST run -c '"'"'$T/my files/y.conf'"'"'" o && sed -n "s/>digest.service$//p" o | sh | grep -qxF "ExecStart=$DIGEST run -c \"$T/my files/y.conf\""'
# A folder with all that a shell, cron, systemd, the configuration or a pattern of files reads as something else.
odd="$T/o'd \"d\\%na\$me % h\\\\x;[*]\${HOME}"
mkdir -p "$odd/conf.d" && cp "$DIGEST" "$odd/digest" && cp "$C/conf.d/source.conf" "$odd/conf.d/"
odd() {
	(cd "$odd" && ./digest --now $now init -c y.conf --address ada@digest.test --smtp-url maildir:"$T/Odd" --offline "$@" </dev/null)
}
check '... whatever the files are called'                 'odd >o && sed -n "/^    \*\/15/p" o | python3 "$E2E/cron.py" >called && cat called && env -i HOME="$HOME" sh called && (cd "$odd" && ./digest -c y.conf --json | grep -q "\"last_run\":[1-9]")'
check '... for systemd as well'                           'mkdir units && (cd units && sed -n "s/^    printf/printf/; />digest.*[er]$/p" ../o | sh && cat digest.service digest.timer) && { ! command -v systemd-analyze || systemd-analyze verify --man=no ./units/digest.service; }'
check '... and to run or look at it by hand'              'sed -n "s/ run -c / status -c /; /now:$/{n; s/ run / status /; p}; /stand:$/{n; p}" o >typed && test "$(wc -l <typed)" = 2 && cat typed && sh typed'
check '... as JSON too'                                   'rm "$odd/y.conf" && odd --json | python3 -c "import json, sys; print(\"* * * * *\", json.load(sys.stdin)[\"command\"])" | python3 "$E2E/cron.py" | cmp - called'
check 'of a folder that cron would not look in'           'mkdir -p far/digest/conf.d && XDG_CONFIG_HOME="$T/far" i --address ada@digest.test --smtp-url maildir:"$T/Far" --offline </dev/null >o && grep -q "^    \*/15 \* \* \* \* $DIGEST run -c $T/far/digest/digest.conf$" o'
check '... the store is named as well'                    'grep -qx "store { path = \"$XDG_STATE_HOME/digest/digest.db\" }" far/digest/digest.conf && rm far/digest/digest.conf && env -u XDG_STATE_HOME XDG_CONFIG_HOME="$T/far" "$DIGEST" --now $now init --address ada@digest.test --smtp-url sendmail:/bin/true -q --offline </dev/null && ! grep -q "^store" far/digest/digest.conf'
check 'what is there is never overwritten'                'sha256sum "$C/digest.conf" >a && says 78 "digest.conf is there already, and is not overwritten; edit it" i --address eve@digest.test --smtp-url sendmail:/bin/true && sha256sum "$C/digest.conf" | cmp - a'
check '... nor the secret of another'                     'mkdir third && echo x >third/smtp.secret && says 78 "smtp.secret is there already.*move it away" i -c third/digest.conf --address eve@digest.test && test ! -e third/digest.conf'
check '... nor where a link leads'                        'mkdir fourth && ln -s "$T/victim" fourth/digest.conf && i -c fourth/digest.conf --address ada@digest.test --smtp-url sendmail:/bin/true --offline </dev/null; test ! -e victim'
bad=0
for row in '--address|nonsense|expected .@' '--topic|titel:x|did you mean .title' '--when|someday|is not a schedule' '--timezone|Europe/Lundon|did you mean .Europe/London' \
	'--smtp-url|smtp://user@host/|' '--smtp-url|sendmail:/nowhere|No such file' '--smtp-url|maildir:relative|expected maildir:/' '--from|x|expected .@'; do
	IFS='|' read -r option value pattern <<-X
		$row
	X
	fresh
	set -- --address ada@digest.test --smtp-url sendmail:/bin/true "$option" "$value"
	says 64 "^digest: $option.*$pattern" i "$@" >said && nothing_left || { echo "# $row"; cat said; bad=1; }
done
check 'a sender whom nobody can answer'                   'fresh && says 78 "^digest: --from: nobody gets mail at example.org" i --address me@example.org --smtp-url sendmail:/bin/true --offline && nothing_left'
check '... may try things out in a Maildir'               'i --address me@example.org --smtp-url maildir:"$T/Mail" -q --offline </dev/null && test -e "$C/digest.conf"'
check 'as JSON: what was written, and the command'        'fresh && i --json --address ada@digest.test --smtp-url maildir:"$T/Mail" </dev/null >out && python3 "$E2E/members.py" "$ROOT/man/digest.1" init <out && grep -q "\"config\":\"$C/digest.conf\",\"secret\":\"\",\"command\":\"$DIGEST run\"" out'
check 'each answer that is wrong is named by its option'  'test $bad = 0'

# --- the login
printf 'c4nary-Pa55word\n' >pw && chmod 600 pw
start_smtp relay --auth me@digest.test:c4nary-Pa55word --auth-plain
url=smtp://127.0.0.1:$PORT
fresh
l() {
	i --address me@digest.test --smtp-url "$url" --smtp-user me@digest.test "$@" </dev/null
}
check 'a login is tried, and the password kept beside'    'l --password-file pw >out 2>err && grep -q "It answers: $url, not encrypted, logged in" err && cmp pw "$C/smtp.secret" && test "$(stat -c %a "$C/smtp.secret")" = 600'
check '... and nowhere else'                              '! grep -rq c4nary out err "$C/digest.conf" relay.log && grep -q "password-file = \"smtp.secret\"" "$C/digest.conf"'
check 'the first mail arrives'                            '"$DIGEST" --now $now run && test "$(find relay -name "*.eml" | wc -l)" = 1 && grep -q "^To: me@digest.test" relay/*.eml'
fresh
check 'a password that is wrong: nothing is written'      'echo wrong >bad && chmod 600 bad && says 78 "nothing was written .*535" l --password-file bad && nothing_left'
check '... nor when the relay is not there'               'says 69 "nothing was written" i --address me@digest.test --smtp-url smtp://127.0.0.1:1 && nothing_left'
check '... which --offline does not try'                  'i --offline --address me@digest.test --smtp-url smtp://127.0.0.1:1 </dev/null >out 2>err && test -e "$C/digest.conf" && test ! -e "$C/smtp.secret"'
fresh
check 'a file with the password that others may read'     'cp pw open && chmod 644 open && says 78 "chmod 600 open" l --password-file open && nothing_left'
check 'a login without one says why it asks for a file'   'says 64 "without --password-file; expected a file" l && nothing_left'
check 'a file beside it that is wrong is named'           'echo "zebra {" >"$C/conf.d/bad.conf" && says 78 "conf.d/bad.conf:1:" l --password-file pw; rc=$?; rm "$C/conf.d/bad.conf"; test $rc = 0 && nothing_left'

check 'what is of a relay alone is refused elsewhere'     'for o in --smtp-user --password-file --ca-file; do says 64 "^digest: $o is of a relay" i --address me@digest.test --smtp-url sendmail:/bin/true --offline $o pw && nothing_left || exit 1; done'
check '... and a password for nobody'                     'says 64 "without --smtp-user; expected the name" i --address me@digest.test --smtp-url "$url" --password-file pw && nothing_left'

# --- a relay that an authority of one's own has signed for
make_certificates
plain=$url
start_smtp lab --tls implicit --cert s.pem --key s.key
url=smtps://localhost:$PORT
c() {
	i --address me@digest.test --smtp-url "$url" "$@" </dev/null
}
check 'a certificate of nobody that is known: nothing is written' 'says 78 "nothing was written .--ca-file names its authority.* signed by nobody this machine trusts" c && nothing_left'
check '... a file that is not there'                      'says 64 "^digest: --ca-file: none.pem: No such file" c --ca-file none.pem && nothing_left'
check '... one that holds none'                           'says 64 "^digest: --ca-file: day.json holds no certificate" c --ca-file day.json && nothing_left'
check '... its authority is named, by its whole path'     'c --ca-file ./ca.pem >out 2>err && grep -q "It answers: $url, TLS" err && grep -q "  ca-file = \"$T/ca.pem\" }" "$C/digest.conf"'
check '... and the first mail arrives'                    '"$DIGEST" --now $now check -q && "$DIGEST" --now $now run && test "$(find lab -name "*.eml" | wc -l)" = 1'
fresh
printf 'Name for => -\nenter it again, keep => c\nFile with => none.pem\nNo such file => ca.pem\nFrom [ => \nWrite => y\n' >steps
check '... it is asked for where it is wanted, and only there' 'talk 0 --address me@digest.test --topic zebra --when daily --timezone UTC --smtp-url "$url" && grep -q "^Name its authority (ca), enter it again" seen && grep -q "ca-file = \"$T/ca.pem\"" "$C/digest.conf"'
url=$plain
fresh

# --- by questions
cat >steps <<X
Your address => nonsense
expected '@' => me@digest.test
Topic 1 => titel:x
did you mean 'title:' => "gaussian splatting" OR nerf
finds 1 of the 4 papers of the last 7 days, as: Lantern: Gaussian Splatting => zebra
Topic 3 => 
When [daily 07:30] => someday
is not a schedule => weekdays 07:30
Time zone [ => Europe/Lundon
did you mean => Europe/London
Relay => $url
Name for => me@digest.test
Password => wrong
Enter it again => a
Relay, or sendmail [$url] => 
[me@digest.test] => 
Password => c4nary-Pa55word
From [Papers <me@digest.test>] => 
Write $C/digest.conf => 
X
check 'a dialogue: each answer is looked at at once'      'talk 0 && grep -B1 "^Your address" seen | head -n 1 | grep -qx "" && grep -q "^Topic 3: $" seen && grep -q "finds none of the 4 papers of the last 7 days" seen'
check '... a query with its place'                        'grep -A1 "^titel:x" seen | grep -q "^^$"'
check '... a login with the cure'                         'grep -q "535 5.7.8" seen && grep -q "It answers: $url, not encrypted, logged in" seen'
check 'no password is shown'                              '! grep -q "c4nary\|wrong$" seen && ! grep -q c4nary "$C/digest.conf" && grep -qx c4nary-Pa55word "$C/smtp.secret"'
check 'the preview and what comes next'                   'grep -q "1. Lantern: Gaussian Splatting" seen && grep -q "crontab -e" seen'
check 'and what was answered is in force'                 '"$DIGEST" --now $now subscribers --json >out 2>err && test ! -s err && grep -q "\"when\":\"weekdays 07:30\"" out && grep -q "\"timezone\":\"Europe/London\"" out && "$DIGEST" --now $now check -q'

# --- stopping
bad=0
for question in 'Your address' 'Topic 1' 'When' 'Time zone' 'Relay' 'Name for' 'Password' 'From' 'Write'; do
	for key in '^C' '^D'; do
		fresh
		cat >all <<-X
			Your address => me@digest.test
			Topic 1 => 
			When [ => 
			Time zone => 
			Relay, => $url
			Name for => me@digest.test
			Password => c4nary-Pa55word
			From [ => 
			Write => y
		X
		awk -v q="$question" -v key="$key" 'index($0, q) == 1 { sub(/ => .*/, " => " key); print; exit } { print }' all >steps
		case $key in ^C) code=130 ;; *) code=64 ;; esac
		{ talk $code && nothing_left && grep -q "nothing was written" seen; } >said || { echo "# $key at '$question'"; cat said; bad=1; }
	done
done
check 'Ctrl-C or the end at any question: nothing is left' 'test $bad = 0'
check '... and the terminal shows again what is typed'    'sed "/^Password/q; s/c4nary-Pa55word/^C/" all | sed "\$s/=> .*/=> ^C/" >steps && python3 "$E2E/dialogue.py" --show seen steps sh -c "trap : INT; \"\$DIGEST\" init; stty -a" && grep -q "[ ;]echo " seen && ! grep -q "c4nary" seen'
fresh
check 'no to the last question as well'                   'sed "s/Write => y/Write => n/" all >steps && talk 64 && nothing_left'
check 'what options say is not asked'                     'printf "Topic 1 => \nWhen [ => \nTime zone => \nFrom [ => \nWrite => y\n" >steps && talk 0 --address me@digest.test --smtp-url "maildir:$T/Mail" && ! grep -q "Your address\|Relay," seen && grep -q "maildir:$T/Mail" "$C/digest.conf"'
fresh
check 'a login that fails may be kept'                    'sed "s/c4nary-Pa55word/other/; s/^From/Enter it again => k\nFrom/" all >steps && talk 0 && grep -qx other "$C/smtp.secret"'
fresh
check 'on 20 columns no line is longer'                   'printf "Your address => me@digest.test\nTopic 1 => zebra AND splatting\nTopic 2 => \nWhen [ => ^C\n" >steps && talk 130 --columns 20 && grep -v "^    \|$C\|^digest: \|^Topic 1: \|^Your address\|\[.*\]: " seen | awk "length > 20 { print; bad = 1 } END { exit bad }"'

# --- a whole machine: a root of one's own may have its /etc
machine() {
	mkdir -p etc && cp /etc/passwd /etc/group etc/ && { [ ! -e /etc/nsswitch.conf ] || cp /etc/nsswitch.conf etc/; } &&
		sed -i '/^digest:/d' etc/passwd && { [ "$1" = no ] || echo 'digest:x:4242:4242::/var/lib/digest:/bin/false' >>etc/passwd; } &&
		env -u XDG_CONFIG_HOME unshare -m sh -c 'mount --bind "$T/etc" /etc && "$DIGEST" init --address ada@digest.test --smtp-url sendmail:/bin/true --offline </dev/null; rc=$?
			mount -t tmpfs run /run && mkdir -p /run/systemd/system && "$DIGEST" check --offline >"$T/checked"; exit $rc'
}
if [ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null; then
	check 'of a machine: what its user must be given is told'  'machine no >out 2>err; cat out err; test "$(stat -c "%u %a" etc/digest)" = "0 700" && grep -q "useradd --system" out && grep -q "chgrp digest /etc/digest /etc/digest/digest.conf && chmod g+rX" out && grep -q "\* digest .*/digest run. >/etc/cron.d/digest" out && grep -q "runuser -u digest -- $DIGEST run$" out && grep -q "^    runuser -u digest -- digest check$" out'
	check '... and what sendmail wants beside systemd'         'grep -q "^whose sandbox keeps sendmail" out && grep -q "^warn mail .*sendmail:/bin/true does not work in the sandbox of digest.service; use url = .smtp://localhost" checked || { cat checked; false; }'
	check '... or given, where there is one'                   'rm -rf etc; machine yes >out 2>err; cat out err; test "$(stat -c "%u %g %a" etc/digest)" = "0 4242 750" && test "$(stat -c "%u %g %a" etc/digest/digest.conf)" = "0 4242 640" && ! grep -q useradd out && grep -q "systemctl enable --now digest.timer" out'
else
	skip 3 'only root has mounts of its own'
fi
