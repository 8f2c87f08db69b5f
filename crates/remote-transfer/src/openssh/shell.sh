# Runs command after command, so that a login shell has to begin only once. On standard input: a word that nobody else
# knows, then for each command a line with the lengths of itself and of its input, the command, and the input. After what
# a command prints comes the word, how the command ended, and the length of what it complained of, then the complaint,
# of which so many bytes are kept. $1: how many.
LC_ALL=C; export LC_ALL
unset TMOUT # where `sh` is one that heeds it, waiting for the next command would end
# What a command leaves unread, and what it says too much, is read to the end; mostly there is none, and no program for it.
rest() { ! read -r _ || cat >/dev/null; }
# Nothing of the shell's own is open to a command: whatever it leaves at work would keep that open.
obey() {
    if [ "$input" = 0 ]; then (eval "$line") </dev/null; else
        head -c "$input" | { (eval "$line"); status=$?; rest; exit "$status"; }
    fi 2>&1 >&3 3>&- 4>&- 5>&-
}
keep() { head -c "$1"; rest; }
exec 3>&1
echo ready # whatever a login shell runs before this may read what is not meant for it
read -r word || exit 0
while read -r length input; do
    line=$(head -c "$length")
    [ "${#line}" = "$length" ] || exit 1 # cut short it might mean something else
    said=$({ status=$({ { obey; echo "$?" >&4; } | keep "$1" >&5; } 4>&1); } 5>&1; printf x; exit "${status:-137}")
    status=$?
    said=${said%x}
    printf '%s %s %s\n%s' "$word" "$status" "${#said}" "$said"
done
