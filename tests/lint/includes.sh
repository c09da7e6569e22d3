#!/bin/sh
# includes.sh - data goes one way. Reads the #include lines and keeps these arrows true:
#   base                       nobody above it
#   text                       base
#   config source store match render mail
#                              their own headers, base, text, paper.h and subscriber.h; source also config.h
#   run                        everybody
#   cli                        base, text, run.h care.h init.h mailing.h config.h store.h store_care.h value.h
# A library is used in the folder that wraps it. A .c with a header of its name begins with that or with another of its
# folder, and every header compiles alone.
set -u

files=$(find src include/digest -name '*.[ch]' | sort)

# shellcheck disable=SC2086 # names of ours, without blanks
awk '
BEGIN {
	own("base", "arena child clock date error file host limits log map pool quote strbuf thread tz utf8")
	own("text", "csv json paper qp subscriber text")
	own("config", "config")
	own("source", "http source")
	own("store", "returned store store_care")
	own("match", "match query")
	own("render", "render template value")
	own("mail", "address incoming mailbox message sink smtp token")
	own("run", "care init mailing run schedule")

	allow("base", "base")
	allow("text", "base text")
	allow("config source store match render mail", "base text")
	allow("run", "base text config source store match render mail run")
	allow("cli", "base text")
	allow_header("source", "config")
	allow_header("cli", "care init mailing run config store store_care value")

	library("sqlite3.h", "store")
	library("curl/curl.h", "source mail")
	library("jansson.h", "text source run")
	library("expat.h", "source")
	library("gumbo.h", "text")
	library("xxhash.h", "mail")
	library("idn2.h", "mail")
	library("utf8proc.h", "text mail")
	library("sodium.h", "config store mail")
	library("libetpan/libetpan.h", "mail")
}

function own(folder, names,	n, i, a) {
	n = split(names, a)
	for (i = 1; i <= n; i++)
		owner[a[i]] = folder
}

function allow(froms, tos,	n, m, i, j, a, b) {
	n = split(froms, a)
	m = split(tos, b)
	for (i = 1; i <= n; i++)
		for (j = 1; j <= m; j++)
			may[a[i], b[j]] = 1
}

function allow_header(from, names,	n, i, a) {
	n = split(names, a)
	for (i = 1; i <= n; i++)
		may_header[from, a[i]] = 1
}

function library(header, folders) {
	only[header] = folders
}

function finding(text) {
	printf "%s:%d: %s\n", FILENAME, FNR, text
	bad = 1
}

function exists(path,	line, found) {
	found = (getline line <path) >= 0
	close(path)
	return found
}

# Whether a quoted name is a header of the folder at hand.
function is_own(name,	module) {
	if (name !~ /^digest\//)
		return name !~ /\// || index(name, folder "/") == 1
	module = substr(name, 8, length(name) - 9)
	return owner[module] == folder
}

function check_first(	stem) {
	stem = FILENAME
	sub(/.*\//, "", stem)
	sub(/\.c$/, "", stem)
	if ((owner[stem] == folder || exists("src/" folder "/" stem ".h")) && ($2 ~ /^</ || !is_own(name)))
		finding("begins with " name "; expected its own header")
}

FNR == 1 {
	first = FILENAME ~ /\.c$/
	if (FILENAME ~ /^src\//) {
		split(FILENAME, part, "/")
		folder = part[2]
	} else {
		module = FILENAME
		sub(/.*\//, "", module)
		sub(/\.h$/, "", module)
		folder = owner[module]
		if (folder == "")
			finding("unknown header; name its folder in tests/lint/includes.sh")
	}
}

/^[ \t]*#[ \t]*include/ {
	sub(/^[ \t]*#[ \t]*include[ \t]*/, "#include ")
	name = substr($2, 2, length($2) - 2)
	if (first)
		check_first()
	first = 0
	if ($2 ~ /^</) {
		if (name in only && index(" " only[name] " ", " " folder " ") == 0)
			finding("src/" folder " includes <" name ">; that is for src/" only[name])
	} else if (name ~ /^digest\//) {
		module = substr(name, 8, length(name) - 9)
		to = owner[module]
		if (to != folder && !((folder, to) in may) && !((folder, module) in may_header))
			finding("src/" folder " must not know " name)
	} else if (name ~ /\// && index(name, folder "/") != 1) {
		finding("src/" folder " must not know " name)
	} else if (name ~ /\.c$/) {
		finding("a .c is not included")
	}
}

END { exit bad }
' $files || exit 1

bad=0
for header in include/digest/*.h src/*/*.h; do
	[ "$header" != src/base/banned.h ] || continue	# only ever read by -include
	"${CC:-cc}" -std=c17 -D_GNU_SOURCE -Wall -Wextra -Iinclude -Isrc -fsyntax-only -x c "$header" || bad=1
done
exit "$bad"
