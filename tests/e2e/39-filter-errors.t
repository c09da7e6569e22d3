#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154,SC2016
# What is wrong with a filter, told by the program itself: file, line, column, the place, what was expected.
. "$(dirname "$0")/lib.sh"
plan 23

cp "$FIXTURES/2026-03-02.json" days.json
now=2026-03-03T08:00:00Z
base='source "days" { type = file  path = "days.json" }  subscriber "good@digest.test" { filter "all" { match = "*" } }'
echo "$base" | write_config
"$DIGEST" --now $now run || skip_all 'no store'

# tried QUERY COLUMN MESSAGE: 'digest try' shows the query, a caret below that column, and the whole message.
tried() {
	"$DIGEST" --now $now try "$1" >out 2>err
	rc=$?
	cat err
	[ $rc -eq 65 ] && [ "$(sed -n '$p' err)" = "digest: $3" ] && [ "$(sed -n 2p err)" = "$(printf '%*s^' "$2" '')" ]
}
# checked PLACE MESSAGE: a configuration on standard input behind the two lines of write_config; one line says that.
checked() {
	write_config bad.conf
	"$DIGEST" --now $now -c bad.conf check >out 2>err
	rc=$?
	head -c 2000 err
	[ $rc -eq 78 ] && [ "$(grep -Fxc -- "digest: bad.conf:$1: $2" err)" -eq 1 ]
}
# A reader with one filter, whose query begins in line 3, column 54.
reader() {
	printf 'subscriber "ada@digest.test" { filter "f" { match = "%s" } }\n' "$1"
}

check 'a slip in the name of a field'   'tried "nerf OR titel:x" 8 "'"'titel:' is not a field; did you mean 'title:'?"'"'
check 'a name from elsewhere'           'tried "doi:10.1/x" 0 "'"'doi:' is not a field; did you mean 'id:'?"'"'
check 'a small operator'                'tried "a and b" 2 "'"'and' between terms: write AND in capitals, or \\\"and\\\" for the word"'"'
check 'a lone operator'                 'tried "a OR" 2 "'"'OR' has nothing on its right; expected a word, phrase or condition"'"'
check 'an open bracket'                 'tried "a (b" 2 "this bracket is not closed; expected a '"')'"'"'
check 'an open quote'                   'tried "a \"b" 2 "this quote is not closed; expected another '"'\\\"'"' behind the phrase"'
check 'an empty phrase'                 'tried "a \"\"" 2 "the phrase is empty; expected words between the quotes"'
check 'a star inside a word'            'tried "\"agent* x\"" 6 "'"'*' may stand only at the end of a word or phrase, as in agent*"'"'
check '... but not in a name'           '"$DIGEST" --now $now try "\"A* search\" OR C*-algebra"'
check 'a control that turns text round' 'tried "$(printf "a \342\200\256b")" 2 "the query holds the bidirectional control U+202E, which makes it read other than it is; delete it"'
check 'bytes that are not UTF-8'        'tried "$(printf "a \377")" 2 "the query is not UTF-8: byte 0xFF; save it as UTF-8"'
check 'a column counts what is seen'    'tried "$(printf "\346\213\241\346\225\243 )")" 5 "'"')' without a '(' before it; delete it"'"'
check 'a filter that is not there'      'tried "a @nix" 2 "there is no filter called '"'nix'"'"'
check 'more than 16 KB'                 'head -c 16385 /dev/zero | tr "\0" x >long; says 65 "^digest: the query has 16385 bytes; at most 16384 are allowed$" "$DIGEST" --now $now try "$(cat long)"'
check 'brackets 65 deep'                'says 65 "^digest: brackets and negations stand more than 64 deep inside each other$" "$DIGEST" --now $now try "$(python3 -c "print(65 * \"(\" + \"x\" + 65 * \")\")")"'

check 'a place in the file'             'reader "nerf OR titel:x" | checked 3:62 "match: '"'titel:' is not a field; did you mean 'title:'?"'" && grep -A 2 titel: err | tail -n 2 >shown && printf "digest: nerf OR titel:x\ndigest:         ^\n" | diff - shown'
check 'a place in the second line'      'printf "subscriber \"ada@digest.test\" { filter \"f\" { match = \047a\n  b OR\047 } }\n" | checked 4:5 "match: '"'OR' has nothing on its right; expected a word, phrase or condition"'"'
check 'filters that need each other'    'printf "filter \"a\" { match = \"@b\" }\nfilter \"b\" { match = \"x -@a\" }\n" | checked 4:26 "match: the filter needs itself: @a -> @b -> @a"'
check '... of one reader'               'printf "subscriber \"ada@digest.test\" {\n filter \"a\" { match = \"@b\" }\n filter \"b\" { match = \"@a\" }\n}\n" | checked 4:24 "match: the filter needs itself: @a -> @b -> @a"'
check 'only that reader is stopped'     '{ echo "$base"; reader @nix; } | checked 4:54 "match: there is no filter called '"'nix'"'" && grep -q "^fail readers   1 of 2 have an error" out'
check 'more than 10,000 terms'          '{ python3 -c "
words = \" \".join(\"w%d\" % i for i in range(2500))
print(\"filter \\\"w\\\" { match = \\\"%s\\\" }\" % words)"; reader "@w -@w (@w OR @w) @w"; } | checked 4:72 "match: the query has more than 10000 terms with its @names"'
check 'more than 1,000 filters'         'python3 -c "
print(\"subscriber \\\"ada@digest.test\\\" {\")
for i in range(1001): print(\"filter \\\"f%d\\\" { match = x }\" % i)
print(\"}\")" | checked 1004:1 "one filter too many; expected at most 1000"'
check 'NUL in the file'                 'printf "subscriber \"ada@digest.test\" { filter \"f\" { match = \"a\000b\" } }\n" | write_config bad.conf; says 78 "^digest: bad.conf:3:[0-9]+: .*0x00" "$DIGEST" --now $now -c bad.conf check'
