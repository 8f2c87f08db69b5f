# Moves back what was moved aside, and removes the receipt; comes after `base.sh`. $1: the base, $2: its name, $3: the
# folder that has it, $4: its name there, $5: its identity, $6: the folder of receipts, or nothing, $7: the receipt's
# name, $8: the mode it had.
if [ "$(stat -c '%d:%i' -- "$3/$4" 2>/dev/null)" = "$5" ]; then
    if [ -d "$3/$4" ] && [ ! -w "$3/$4" ]; then (inside "$3" && chmod u+w -- "$4") || exit 1; fi
    (inside "$3" && mv -nT -- "$4" "../$2")
    [ "$(stat -c '%d:%i' -- "$2" 2>/dev/null)" = "$5" ] || exit 11
    sync -- . "$3" || exit 1
fi
if [ "$(stat -c '%d:%i' -- "$2" 2>/dev/null)" = "$5" ] && [ "$(stat -c %a -- "$2")" != "$8" ]; then chmod "$8" -- "$2" || exit 1; fi
if [ -n "$6" ] && [ -d "$6" ]; then
    (inside "$6" && rm -f -- ".$7" "$7") || exit 1
    rmdir -- "$6" 2>/dev/null
fi
if [ -d "$3" ]; then rmdir -- "$3" 2>/dev/null; fi
sync .
