# SPDX-License-Identifier: GPL-2.0-only
# bash completion for mmlens. Commands and options are asked of the program itself, so that this
# file can never know fewer or more of them than it does.

_mmlens_commands()
{
    mmlens --help | sed -n 's/^  \([a-z]*\) .*/\1/p'
}

_mmlens_options()
{
    mmlens "$1" --help | grep -oE -- '--[a-z-]+'
}

_mmlens_columns()
{
    mmlens "$1" --list-columns | sed 's/ .*//'
}

_mmlens()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd=${COMP_WORDS[1]}

    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_mmlens_commands) --help --version --json-schema" -- "$cur")
        return
    fi
    case $prev in
    --source)
        mapfile -t COMPREPLY < <(compgen -W "auto module bpf procfs" -- "$cur") ;;
    -o|--output)
        case $cmd in
        record) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
        *) mapfile -t COMPREPLY < <(compgen -W "$(_mmlens_columns "$cmd")" -- "$cur") ;;
        esac ;;
    --from|--html|--perfetto)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    *)
        case $cur in
        -*) mapfile -t COMPREPLY < <(compgen -W "$(_mmlens_options "$cmd")" -- "$cur") ;;
        *) [ "$cmd" = report ] && mapfile -t COMPREPLY < <(compgen -f -- "$cur") && return
            mapfile -t COMPREPLY < <(compgen -W "$(cd /proc && echo [0-9]*)" -- "$cur") ;;
        esac ;;
    esac
}

complete -F _mmlens mmlens
