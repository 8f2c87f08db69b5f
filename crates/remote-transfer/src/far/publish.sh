# Shows a staged tree; comes after `base.sh`. $1: the base, $2: the staging name, $3: the name of the tree, $4: the folder
# of receipts, $5: the receipt's name; its text is on standard input, $6: the identity of the tree, $7: the length of that
# text: a link that is lost ends it early. Killed anywhere, it is run again.
if [ -d "$2/$3" ]; then
    [ -d "$4" ] || mkdir -p -- "$4" || exit 1
    (inside "$2" && cat > receipt && [ "$(stat -c %s receipt)" = "$7" ] && sync receipt) || exit 1
    (inside "$4" && mv -T -- "../$2/receipt" "$5") || exit 1
    [ "$(stat -c '%d:%i' -- "$2/$3")" = "$6" ] || exit 13
    # Whoever is not root may move only a folder that he may write to. Its mode is noted, and given back where it is shown.
    if [ ! -w "$2/$3" ]; then
        (inside "$2" && stat -c %a -- "$3" > mode && sync mode && chmod u+w -- "$3") || exit 1
    fi
    # Without replacing. Newer ones end with 1 where the place is taken, older ones do not: what stands there now tells.
    mv -nT -- "$2/$3" "$3"
    if [ "$(stat -c '%d:%i' -- "$3")" != "$6" ]; then
        [ -d "$2/$3" ] && is_there "$3" || exit 1
        (inside "$4" && rm -f -- "$5"); exit 11
    fi
fi
if [ -f "$2/mode" ] && [ "$(stat -c '%d:%i' -- "$3")" = "$6" ]; then chmod "$(cat -- "$2/mode")" -- "$3" || exit 1; fi
sync -- . "$4" && (inside "$2" && rm -f mode run) && rmdir -- "$2" && sync .
