# Completion for rowctl. What there is to complete comes from rowctl itself, so that it cannot go stale.

# The verbs, from lines like "  delete TABLE FILTER   delete the rows that match"
_rowctl_verbs() {
	rowctl help 2>/dev/null | sed -n 's/^  \([a-z][a-z_-]*\)\( .*\)\{0,1\}$/\1/p'
}

# The options that a page of help shows, from lines like "  -c, --columns COLUMNS   which columns"
_rowctl_options() {
	rowctl help ${1+"$1"} 2>/dev/null | sed -n 's/^ *\(-[a-zA-Z],\)\{0,1\} *\(--[a-z][a-z-]*\).*/\2/p'
}

_rowctl() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	local verb= after=0 i
	local -a globals=()

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-s | --socket | -d | --database)
			((i + 1 < COMP_CWORD)) && globals+=("${COMP_WORDS[i]}" "${COMP_WORDS[i + 1]}")
			((i++))
			;;
		-o | --output | --timeout) ((i++)) ;;
		-*) ;;
		*) if [[ $verb ]]; then ((after++)); else verb=${COMP_WORDS[i]}; fi ;;
		esac
	done

	COMPREPLY=()
	case $prev in
	-s | --socket)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	-o | --output)
		mapfile -t COMPREPLY < <(compgen -W 'table json jsonl csv tsv' -- "$cur")
		return
		;;
	-d | --database)
		mapfile -t COMPREPLY < <(compgen -W "$(rowctl -q -o tsv --timeout 1 "${globals[@]}" databases 2>/dev/null | sed 1d | cut -f1)" -- "$cur")
		return
		;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_rowctl_options ${verb:+"$verb"})" -- "$cur")
	elif [[ ! $verb || $verb == help ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_rowctl_verbs)" -- "$cur")
	elif ((after == 0)); then
		mapfile -t COMPREPLY < <(compgen -W \
			"$(rowctl -q -o tsv --timeout 1 "${globals[@]}" tables 2>/dev/null)" -- "$cur")
	fi
}

complete -o default -F _rowctl rowctl
