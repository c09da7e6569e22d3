#!/bin/sh
# The tools around the program refuse what they should: every check of `make lint` finds a fault planted in a copy of the
# sources, and says nothing of the copy as it is.
. "$(dirname "$0")/lib.sh"
plan 45

# A fresh copy of what the checks read.
fresh() {
	rm -rf tree
	mkdir -p tree/tests/e2e tree/etc tree/.ci
	cp -R "$ROOT/Makefile" "$ROOT/src" "$ROOT/include" "$ROOT/man" "$ROOT/templates" "$ROOT/.clang-format" "$ROOT/.clang-tidy" tree
	cp -R "$ROOT/tests/lint" tree/tests
	cp "$ROOT/etc/setup" tree/etc
	cp "$ROOT/.ci/run" tree/.ci
}

# plant FILE LINE...: the lines at the end of a file of a fresh copy; plant_first: at its beginning.
plant() {
	fresh
	file=tree/$1
	shift
	printf '%s\n' "$@" >>"$file"
}

plant_first() {
	fresh
	file=tree/$1
	shift
	printf '%s\n' "$@" | cat - "$file" >new && mv new "$file"
}

# quiet CHECK: it passes and says nothing. finds CHECK PATTERN: it fails and says so.
quiet() {
	(cd tree && sh "tests/lint/$1.sh" build/x >"$T/.said" 2>&1) && [ ! -s .said ] && return 0
	cat .said
	return 1
}

finds() {
	if (cd tree && sh "tests/lint/$1.sh" build/x >"$T/.said" 2>&1); then
		echo 'it passes'
	elif grep -Eq -- "$2" .said; then
		return 0
	fi
	cat .said
	return 1
}

# with COUNT TOOL: go on when the tool is there, else skip so many checks.
with() {
	command -v "$2" >/dev/null && return 0
	skip "$1" "$2 is not installed"
	return 1
}

# ---- includes: data goes one way ----

fresh
check 'the arrows between folders hold'         'quiet includes'
plant src/base/map.c '#include "digest/text.h"'
check 'base knows nobody above it'              'finds includes "src/base/map.c:[0-9]+: src/base must not know digest/text.h"'
plant src/match/run.c '#include "digest/store.h"'
check 'a stage knows no other'                  'finds includes "src/match must not know digest/store.h"'
plant src/render/set.c '#include "store/db.h"'
check 'nor what is private to another'          'finds includes "src/render must not know store/db.h"'
plant src/cli/cli.c '#include "digest/sink.h"'
check 'the command line reaches stages by run'  'finds includes "src/cli must not know digest/sink.h"'
plant_first include/digest/match.h '#include "digest/store.h"'
check 'headers keep the arrows too'             'finds includes "include/digest/match.h:1: src/match must not know"'
plant src/run/run.c '#include <sqlite3.h>'
check 'SQLite is known to the store alone'      'finds includes "src/run includes <sqlite3.h>; that is for src/store"'
plant_first src/base/map.c '#include <stdio.h>'
check 'a file begins with its own header'       'finds includes "src/base/map.c:1: begins with stdio.h"'
plant include/digest/map.h 'int map_count_all(FILE *f);'
check 'a header stands alone'                   'finds includes "unknown type name"'
plant include/digest/novelty.h 'enum { NOVELTY };'
check 'a new header is given a folder'          'finds includes "novelty.h:1: unknown header"'

# ---- state: nothing mutable at file scope ----

# object LINE...: compiled, as the only object of the copy.
object() {
	fresh
	mkdir -p tree/build/x/src
	printf '%s\n' "$@" | cc -O0 -fPIE -x c -c -o tree/build/x/src/o.o -
}

if with 7 objdump; then
	fresh
	check 'objects that are not there do not pass' 'finds state "no object"'
	object 'const char *const names[] = { "a", "b" };' 'static const int n = 3;' 'int f(void) { return n; }'
	check 'tables are constants'              'quiet state'
	object 'volatile int run_signal;'
	check 'the flag of the signal handler may' 'quiet state'
	object 'int counter;'
	check 'an object at file scope is found'  'finds state "counter is mutable"'
	object 'static int level = 2; int f(void) { return level++; }'
	check 'a static one too'                  'finds state "level is mutable"'
	object 'int f(void) { static int calls; return calls++; }'
	check 'and one inside a function'         'finds state "calls.*is mutable"'
	object 'static _Thread_local int mine = 1; int f(void) { return mine++; }'
	check 'and one of a thread'               'finds state "mine is mutable"'
fi

# ---- size ----

if with 4 pmccabe; then
	fresh
	check 'no function is too long'         'quiet size'
	plant src/base/map.c 'int' 'f(void)' '{' "$(yes '	;' | head -n 90)" '	return 0;' '}'
	check 'a long function is found'        'finds size "map.c.*f"'
	plant src/base/map.c 'int' 'f(int n)' '{' "$(yes '	if (n++ > 3) n += 2;' | head -n 25)" '	return n;' '}'
	check 'a tangled one is found'          'finds size "map.c.*f"'
	plant src/base/map.c "$(yes '/* more */' | head -n 800)"
	check 'a long file is found'            'finds size "src/base/map.c: [0-9]+ lines"'
fi

# ---- sql, words ----

fresh
check 'SQL stands in src/store alone'           'quiet sql'
plant src/run/run.c 'const char *q = "SELECT count(*) FROM paper";'
check 'a statement elsewhere is found'          'finds sql "SQL outside src/store"'
plant src/run/run.c 'int f(void *db) { return sqlite3_changes(db); }'
check 'a call elsewhere is found'               'finds sql "SQLite outside src/store"'
plant src/store/db.c 'int f(char *s) { return snprintf(s, 9, "DELETE FROM paper WHERE id = %d", 1); }'
check 'SQL from pieces is found'                'finds sql "put together from pieces"'
fresh
check 'no mark of unfinished work is left'      'quiet words'
mark=TO; mark=${mark}DO
plant src/base/map.c "/* $mark: later */"
check 'a mark is found'                         'finds words "map.c"'

# ---- the tools of others ----

if with 2 clang-format; then
	fresh
	check 'the layout is as agreed'         'quiet format'
	plant src/base/map.c 'int f( void ) { return 1 ; }'
	check 'another layout is found'         'finds format "clang-format"'
fi
if with 1 shellcheck; then
	plant tests/lint/extra.sh '#!/bin/sh' 'rm -rf $1/*'
	check 'a careless script is found'      'finds shell "SC2086"'
fi
if with 2 mandoc; then
	fresh
	check 'the manual is right'             'quiet manuals'
	plant man/digest.1 '.Sh NAME' '.Bogus macro'
	check 'a wrong macro is found'          'finds manuals "Bogus"'
fi

# The analysers are slow: one file is enough for them.
one_file() {
	fresh
	find tree/src -type f ! -name banned.h ! -name map.c -exec rm {} +
	printf '%s\n' "$@" >>tree/src/base/map.c
}

if with 2 cppcheck; then
	one_file ''
	check 'cppcheck has nothing to say of a right file' 'quiet cppcheck'
	one_file 'int f(void);' 'int f(void) { int a[3] = { 0 }; return a[3]; }'
	check 'cppcheck finds a step out of bounds' 'finds cppcheck "out of bounds"'
fi
if with 2 clang-tidy; then
	one_file ''
	check 'clang-tidy has nothing to say of a right file' 'quiet tidy'
	one_file '#include <string.h>' 'void f(char *p);' 'void f(char *p) { memset(p, sizeof(char *), 0); }'
	check 'clang-tidy finds a suspicious call' 'finds tidy "bugprone-suspicious-memset-usage"'
fi

# ---- tests that test ----

check 'the lint of mails finds planted faults' 'python3 "$E2E/mail_lint_test.py"'

# A program that says what it is told and ends as it is told.
pretend() {
	printf '#!/bin/sh\necho "%s"\nexit %s\n' "$2" "$3" >"$1"
	chmod +x "$1"
}

pretend good '1..1
ok 1 - a' 0
pretend dead '1..2
ok 1 - a' 139
check 'unit tests are counted'          'sh "$ROOT/tests/unit/run.sh" ./good ./good | grep -x "unit tests: 2 passed, 0 failed"'
check 'a program that dies has failed'  '! sh "$ROOT/tests/unit/run.sh" ./good ./dead >sum && grep -x "unit tests: 2 passed, 1 failed" sum'

# .ci/run with a setup that does nothing and a make that says what it is told.
ci() {
	fresh
	mkdir -p bin
	echo : >tree/etc/setup
	pretend bin/make "$1" "$2"
	PATH="$T/bin:$PATH" tree/.ci/run >sum 2>&1
}
check 'the sum of everything is its last line'  'ci "1..2
ok 1 - a
ok 2 - b" 0 && tail -n 1 sum | grep -Ex "[0-9]+ passed, 0 failed"'
check 'a test that failed is counted'           '! ci "1..2
ok 1 - a
not ok 2 - b" 1 && tail -n 1 sum | grep -Ex "[0-9]+ passed, 3 failed"'
check 'a step that fails without a test too'    '! ci "unit tests: 5 passed, 0 failed" 2 && tail -n 1 sum | grep -Ex "[0-9]+ passed, 3 failed"'

# ---- setup, make ----

fresh
export PKG_CONFIG_LIBDIR="$T/none" PKG_CONFIG_PATH=
check 'setup names what is missing and stops there' 'sh tree/etc/setup -n deps >out && grep -q "missing:.*sodium" out'
check 'make names the libraries that are missing'   '! make -C tree all >out 2>&1 && grep -q "libcurl" out && grep -q "etc/setup deps" out'
unset PKG_CONFIG_LIBDIR PKG_CONFIG_PATH
check 'setup refuses a word it does not know'       'sh tree/etc/setup everything 2>err; test $? = 64'
