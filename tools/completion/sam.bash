# Completion for bash, from 3.2 on: of sam, of the client and the server as they are installed, and of
# those in a checkout. What there is to complete is what the program's own help tells, where a word
# that begins with a capital stands for a value: nothing is listed here a second time.
# In a checkout: source tools/completion/sam.bash
# shellcheck shell=bash

# _sam_help PROGRAM [COMMAND]
_sam_help() { "$1" ${2:+"$2"} --help </dev/null 2>/dev/null; }

# These read a help: the commands; the options; what COMMAND takes besides options; the value of OPTION
# and what is said of it, nothing for a flag.
_sam_commands() { sed -n 's/^  [a-z]* \([a-z_]\{1,\}\) .*/\1/p'; }
_sam_options() { sed -n 's/^  \(--[a-z-]*\) .*/\1/p'; }
_sam_operand() {
    local program command word rest
    while read -r program command word rest; do
        [[ $program != -* && $command = "$1" && $word = [[:upper:]]* ]] && printf '%s\n' "$word"
    done
}
_sam_value() {
    local option word rest
    while read -r option word rest; do
        [[ $option = "$1" && $word = [[:upper:]]* ]] && printf '%s\n' "$word $rest"
    done
}

# The words of "auto, always or never (auto)", or of such a list behind a colon; nothing for any other
# sentence.
_sam_choices() {
    local text=${1%% (*} list='^[^ ]+(, [^ ]+)*( or|,) [^ ]+$'
    text=${text##*: }
    [[ $text =~ $list ]] || return
    text=${text/ or /, }
    printf '%s\n' "${text//, /$'\n'}"
}

# The names of the fields of a unit, as sam inspect tells them of units without content.
_sam_fields() {
    "$1" inspect --json <(printf 'SAMG\1\1' && head -c 58 /dev/zero) \
        <(printf 'SAME\1\1\1\0\1\0\1\0\0\0\2\0' && head -c 624 /dev/zero) \
        <(printf 'SAME\1\2\1\0\1\0\1\0\0\0\2\055' && head -c 669 /dev/zero) \
        <(printf 'SAMS\1\2\1\0\0\0\0\0\0\0\0\021' && head -c 17 /dev/zero) 2>/dev/null |
        sed -n 's/.*{"name": "\([^"]*\)".*/\1/p' | tr ' ' - | sort -u
}

# _sam_names FOLDER KIND...: whose keys of these kinds are there.
_sam_names() {
    local folder=$1 kind file
    shift
    for kind; do
        for file in "$folder"/*."$kind.pem"; do
            file=${file##*/}
            # Nothing that the shell would read as more than a word.
            [[ $file = *[!A-Za-z0-9._-]* || $file = .* ]] || printf '%s\n' "${file%".$kind.pem"}"
        done
    done | sort -u
}

# The lines of standard input that begin with the word that is being completed.
_sam_offer() {
    local line
    while IFS= read -r line; do
        [[ $line = "$word"* ]] && COMPREPLY+=("$line")
    done
}
_sam_offer_files() {
    compopt -o filenames 2>/dev/null # what bash 3.2 lacks
    _sam_offer < <(compgen "$1" -- "$word")
}

# _sam_offer_value OPTION VALUE WHAT-IS-SAID
_sam_offer_value() {
    local choices
    choices=$(_sam_choices "$3")
    if [[ -n $choices ]]; then
        _sam_offer <<<"$choices"
        return
    fi
    case $2 in
    F | PATH) _sam_offer_files -f ;;
    DIR) _sam_offer_files -d ;;
    FIELD*)
        compopt -o nospace 2>/dev/null
        _sam_offer < <(_sam_fields "$program")
        ;;
    NAME | TO) # of a key, where keys are used
        [[ -n $(_sam_help "$program" "$command" | _sam_value --keys) ]] || return
        case $1 in
        --from) _sam_offer < <(_sam_names "$keys" private) ;;
        --to) _sam_offer < <(_sam_names "$keys" public) ;;
        *) _sam_offer < <(_sam_names "$keys" private public) ;;
        esac
        ;;
    esac
}

_sam() {
    local program=${COMP_WORDS[0]} word=$2 command='' keys=keys option='' said='' literal='' help i
    program=${program/#\~\//$HOME/}
    COMPREPLY=()
    # Any folder may have a program called client, and to ask it would be to run it.
    case ${program##*/} in
    client | server) [[ -f ${program%/*}/seal.c ]] || return ;;
    sam) [[ $program != */* || -f ${program%/*}/wireshark/sam.lua ]] || return ;;
    esac
    [[ $program = */* ]] && keys=${program%/*}/../keys
    [[ $word = '=' ]] && word=
    help=$(_sam_help "$program")
    for ((i = 1; i < COMP_CWORD; i++)); do
        local passed=${COMP_WORDS[i]}
        if [[ -n $option && $passed != '=' ]]; then
            [[ $option = --keys ]] && keys=${passed/#\~\//$HOME/}
            option=
        elif [[ $passed = -- ]]; then
            literal=yes
        elif [[ $passed = --* && -z $literal ]]; then
            said=$(_sam_value "$passed" <<<"$help")
            [[ -n $said ]] && option=$passed
        elif [[ -z $command ]] && _sam_commands <<<"$help" | grep -qxF -e "$passed"; then
            command=$passed
        fi
    done
    if [[ -n $option ]]; then
        _sam_offer_value "$option" "${said%% *}" "${said#* }"
    elif [[ $word = -* && -z $literal ]]; then
        _sam_offer < <(_sam_help "$program" "$command" | _sam_options)
    elif [[ -z $command ]]; then
        _sam_offer < <(_sam_commands <<<"$help")
    elif [[ $(_sam_operand "$command" <<<"$help") = F* ]]; then
        _sam_offer_files -f
    fi
}

# A word with a slash is looked up as it was typed, then without its folders. So client and server are
# named here only as they are called from a checkout; by their bare names they would be anybody's.
complete -F _sam sam sam-{client,server}-asymmetric_{only,symmetric} ./{client,server} \
    {,./}asymmetric_{only,symmetric}/{client,server}
