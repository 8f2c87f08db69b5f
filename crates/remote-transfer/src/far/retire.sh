# Moves something aside, and leaves a receipt; comes after `base.sh`. $1: the base, $2: its name, $3: the folder that takes
# it, $4: its name there, $5: its identity, $6: the folder of receipts, or nothing, $7: the receipt's name, $8: the length
# of that, whose text is on standard input: a link that is lost ends it early. Killed anywhere, it is run again.
[ -d "$3" ] || mkdir -- "$3" || exit 1
if [ -n "$6" ]; then
    [ -d "$6" ] || mkdir -- "$6" || exit 1
    (
        inside "$6" && gone ".$7" && set -C && cat > ".$7" && [ "$(stat -c %s -- ".$7")" = "$8" ] &&
            sync -- ".$7" && mv -T -- ".$7" "$7"
    ) || exit 1
fi
if [ "$(stat -c '%d:%i' -- "$3/$4" 2>/dev/null)" != "$5" ]; then
    [ "$(stat -c '%d:%i' -- "$2" 2>/dev/null)" = "$5" ] || exit 12
    # Whoever is not root may move only a folder that he may write to.
    if [ -d "$2" ] && [ ! -w "$2" ]; then chmod u+w -- "$2" || exit 1; fi
    (inside "$3" && mv -nT -- "../$2" "$4") # newer ones end with 1 where the place is taken
    [ "$(stat -c '%d:%i' -- "$3/$4")" = "$5" ] || exit 11
fi
sync -- . "$3" && { [ -z "$6" ] || sync -- "$6"; }
