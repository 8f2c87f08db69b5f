# Takes a tree back: out of sight first, then it is removed with all that came with it; comes after `base.sh`. $1: the
# base, $2: the staging name, $3: the name of the tree, $4: the folder of receipts, $5: the receipt's name, $6: the run,
# $7: the identity of the tree, or nothing if it was never shown, $8: the name of its lock, or nothing.
is_ours() { [ -d "$1" ] && [ ! -L "$1" ] && (inside "$1" && [ -f run ] && [ "$(head -c 100 run)" = "$2" ]); }
if [ -d "$2" ]; then rmdir -- "$2" 2>/dev/null; fi # killed between its label and itself, a run has left it empty: it is nobody's
if [ -n "$7" ] && [ -d "$3" ] && [ "$(stat -c '%d:%i' -- "$3")" = "$7" ]; then
    if [ ! -e "$2" ]; then
        label "$2.$6" "$6" || exit 1
        mv -nT -- "$2.$6" "$2" # newer ones end with 1 where one is taken: whose it is tells
    fi
    # Whoever is not root may move only a folder that he may write to.
    [ -w "$3" ] || chmod u+w -- "$3" || exit 1
    is_ours "$2" "$6" || exit 1
    mv -nT -- "$3" "$2/$3"
    [ "$(stat -c '%d:%i' -- "$2/$3")" = "$7" ] && sync . || exit 1
fi
if is_ours "$2" "$6"; then
    [ "$(id -u)" = 0 ] || [ ! -d "$2/$3" ] || chmod -R u+rwX -- "$2/$3" || exit 1
    (inside "$2" && rm -rf -- "$3" anew mode receipt probe) || exit 1
    if [ -d "$4" ]; then (inside "$4" && rm -f -- "$5") || exit 1; fi
    (inside "$2" && rm -f run) && rmdir -- "$2" || exit 1
fi
gone "$2.$6"
if [ -n "$7" ] && [ -n "$8" ] && [ -f "$8" ] && [ ! -L "$8" ] && ! is_there "$3"; then
    owner=$(head -c 20 -- "$8" | tr -d '[:space:]'); owner=${owner%%[!0-9]*}
    { [ -n "$owner" ] && [ -d "/proc/$owner" ]; } || rm -f -- "$8" || exit 1
fi
if [ -d "$4" ]; then (inside "$4" && rm -f -- "$5") || exit 1; rmdir -- "$4" 2>/dev/null; fi
sync .
