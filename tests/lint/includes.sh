#!/bin/sh
# Data goes one way: which folder may know which headers. Prints every #include that breaks it.
awk '
BEGIN {
	base = "error log strbuf arena map clock file utf8 date tz limits"
	text = base " text json paper subscriber"
	allow["base"] = base
	allow["text"] = text
	allow["config"] = text " config"
	allow["source"] = text " config http source"
	allow["store"] = text " store"
	allow["match"] = text " query match"
	allow["render"] = text " value template render"
	allow["mail"] = text " address message sink token"
	allow["run"] = text " config http source store query match value template render address message" \
	    " sink token schedule run"
	allow["cli"] = base " text paper subscriber config store value render run"
	# A library that only some folders may know.
	only["sqlite3.h"] = "store"
	only["curl/curl.h"] = "source mail"
	only["jansson.h"] = "text source run"
	only["sodium.h"] = "config store mail"
	only["utf8proc.h"] = "text mail"
	only["idn2.h"] = "mail"
}
function complain(what) {
	print FILENAME ":" FNR ": " what
	bad = 1
}
FNR == 1 {
	split(FILENAME, part, "/")
	folder = part[2]
	nincludes = 0
	own = part[3]
	is_source = sub(/\.c$/, ".h", own)
}
/^#include/ {
	nincludes++
	name = $2
	gsub(/[<>"]/, "", name)
}
/^#include "digest\// {
	module = name
	sub(/^digest\//, "", module)
	sub(/\.h$/, "", module)
	if (index(" " allow[folder] " ", " " module " ") == 0)
		complain(folder "/ may not include " name)
}
/^#include </ && name in only && index(" " only[name] " ", " " folder " ") == 0 {
	complain("only " only[name] " may include <" name ">")
}
# Its own header first proves that the header stands alone. A header of base/ is no other folder s own.
/^#include "/ && is_source && nincludes > 1 {
	if (name == own || (name == "digest/" own && (folder == "base" ||
	    index(" " base " ", " " module " ") == 0)))
		complain("its own header comes first")
}
END { exit bad }' src/*/*.[ch]
