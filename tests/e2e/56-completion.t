#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# What shells complete: by their own engines, from the tables of the program, and from what there is.
. "$(dirname "$0")/lib.sh"
command -v bash >/dev/null || skip_all 'bash is missing'
plan 31

PATH=$(dirname "$DIGEST"):$PATH
export PATH
cp "$FIXTURES/2026-03-02.json" days.json
# Names that a shell would rather run or break than complete.
write_config <<'X'
source "days" { type = file  path = "days.json" }
source "late $(touch owned) `touch owned`" { type = file  path = "days.json" }
filter "shared" { match = "nerf" }
subscriber "ada@digest.test" { filter "two words" { match = "*" }  filter "$(touch owned)" { match = "a" } }
subscriber "bob@digest.test" {}
X
"$DIGEST" --now 2026-03-03T08:00:00Z run -q && "$DIGEST" --now 2026-03-03T08:00:00Z subscribe cyd@digest.test -q
mkdir folder && touch folder/file.conf

# in_bash LINE: what bash would complete at its end, sorted; a real completion is tried below.
in_bash() {
	bash --norc -c 'eval "$(digest completion bash)"; COMP_LINE=$1 COMP_POINT=${#1}; compopt() { :; }; _digest; printf "%s\n" "${COMPREPLY[@]}"' - "$1" 2>&1 | sort
}
in_fish() {
	fish --no-config -c 'source script.fish; complete -C $argv[1]' "$1" 2>&1 | cut -f 1 | sort -u
}
# gives SHELL LINE WORD...: exactly these.
gives() {
	shell=$1
	line=$2
	shift 2
	printf '%s\n' "$@" | sort >wanted
	"in_$shell" "$line" | diff wanted -
}
commands() {
	"$DIGEST" help | sed -n '/^Set up/,/^Options of/s/^  \([a-z]*\) .*/\1/p'
}
options() {
	"$DIGEST" help "$@" | grep -Eo "^  (-[a-zA-Z], |    )--[a-z-]+" | sed "s/.*--/--/"
}

# --- bash
check 'bash: the script is one'              'digest completion bash >script.bash && bash -n script.bash'
check 'commands'                             'gives bash "digest " $(commands)'
check '... by their beginning'               'gives bash "digest su" subscribe subscribers'
check 'options of all, and of a command'     'for c in $(commands); do gives bash "digest $c --" $(options; options $c) || { echo "$c"; exit 1; }; done'
check 'the dry run without a command'        'gives bash "digest --dr" --dry-run'
check 'first arguments that are words'       'gives bash "digest outbox re" retry release && gives bash "digest export " all papers subscribers && gives bash "digest completion " bash zsh fish'
check '... behind options and their values'  'gives bash "digest -c $T/digest.conf --json outbox dr" drop'
check '... or else a name'                    'gives bash "digest subscribers " ada@digest.test bob@digest.test cyd@digest.test pause resume erase export && gives bash "digest --log " text json'
check 'readers'                              'gives bash "digest history " ada@digest.test bob@digest.test cyd@digest.test'
check '... behind the sign where bash breaks words' 'gives bash "digest -u ada@dig" digest.test'
check '... after a verb'                     'gives bash "digest subscribers erase b" bob@digest.test'
check '... of the configuration on the line' 'sed "s/bob@/eve@/" digest.conf >other.conf && gives bash "digest -c other.conf history e" eve@digest.test && gives bash "digest --config=other.conf history e" eve@digest.test'
check 'values of options'                    'gives bash "digest --color " auto always never && gives bash "digest --color=al" always && gives bash "digest run -n --format e" eml'
check 'files and folders'                    'gives bash "digest -c folder/f" folder/file.conf && gives bash "digest run -n --out fo" folder'
check 'keys, topics, templates'              'gives bash "digest config smtp.u" smtp.url smtp.user && gives bash "digest help sched" schedules && gives bash "digest template show subj" subject.txt'
check 'nothing where there is nothing known' 'gives bash "digest --now " "" && gives bash "digest run " ""'
check 'names are quoted, and never run'      'in_bash "digest fetch " >out; in_bash "digest try --instead-of " >>out; test ! -e owned && grep -qxF "two\\ words" out && grep -q "^late\\\\ .*touch" out'
check 'without a configuration it is silent' 'test -z "$(DIGEST_CONFIG=none.conf in_bash "digest history ")"'
check 'at most a thousand names'             '{ write_config many.conf </dev/null; seq -f "subscriber \"r%g@digest.test\" {}" 3000 >>many.conf; } && test "$("$DIGEST" -c many.conf completion readers | wc -l)" = 1000'
cat >steps <<'X'
@@ => eval "$(digest completion bash)"
@@ => digest hist^I
digest history => ada^I
ada@digest.test => ^C
@@ => exit 0
X
check 'in a real bash, by the key'           'python3 "$E2E/dialogue.py" steps TERM=dumb PS1=@@ bash --norc --noprofile -i >seen'

# --- zsh
if command -v zsh >/dev/null; then
	check 'zsh: the script is one'           'digest completion zsh >_digest && zsh -n _digest && head -n 1 _digest | grep -qx "#compdef digest"'
	cat >steps <<-'X'
		@@ => autoload -U compinit && compinit -u -D && source ./_digest; unsetopt zle_bracketed_paste; PROMPT='%%'
		% => digest hist^I
		ory => ada^I
		@digest.test => ^C
		% => digest --color al^I
		ways => ^C
		% => digest -c other.conf subscribers pause e^I
		ve@digest.test => ^C
		% => exit 0
	X
	check '... in a real zsh, by the key'    'python3 "$E2E/dialogue.py" steps TERM=dumb PS1=@@ zsh -f -i >seen'
	mkdir functions && cp _digest functions/
	cat >steps <<-'X'
		@@ => fpath=($PWD/functions $fpath); autoload -U compinit && compinit -u -D; unsetopt zle_bracketed_paste; PROMPT='%%'
		% => digest outbox ret^I
		ry => ^C
		% => digest hist^I
		ory => ^C
		% => exit 0
	X
	check '... from a folder of functions'   'python3 "$E2E/dialogue.py" steps TERM=dumb PS1=@@ zsh -f -i >seen'
else
	skip 3 'zsh is missing'
fi

# --- fish
if command -v fish >/dev/null; then
	check 'fish: the script is one'          'digest completion fish >script.fish && fish -n script.fish'
	check '... commands'                     'gives fish "digest " $(commands)'
	check '... options of each command'      'for c in $(commands); do gives fish "digest $c --" $(options; options $c) || { echo "$c"; exit 1; }; done'
	check '... readers and words'            'gives fish "digest history a" ada@digest.test && gives fish "digest outbox re" retry release && gives fish "digest subscribers erase b" bob@digest.test && gives fish "digest subscribers " ada@digest.test bob@digest.test cyd@digest.test pause resume erase export && gives fish "digest -c other.conf history e" eve@digest.test'
	check '... values and files'             'gives fish "digest run --format e" eml && gives fish "digest -c folder/f" folder/file.conf'
	check '... and names are never run'      'in_fish "digest fetch la" >out; grep -q "touch owned" out && test ! -e owned'
else
	skip 6 'fish is missing'
fi

check 'a shell that is none'                 'says 64 "completion: .tcsh.; expected bash, zsh or fish" "$DIGEST" completion tcsh && says 64 "usage: digest completion SHELL" "$DIGEST" completion'
check 'a pipe that is closed early'          'digest completion bash | head -n 1 | grep -q "^# Completion"'
