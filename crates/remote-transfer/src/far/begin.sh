# Takes the staging folder, or goes on in it, and tells the identity of the tree in it, and whether it is new: nothing has
# been in it; comes after `base.sh`. $1: the base, $2: the staging name, $3: the name of the tree, $4: the run.
if [ -d "$2" ]; then rmdir -- "$2" 2>/dev/null; fi # killed between its label and itself, a run has left it empty: it is nobody's
if ! is_there "$2"; then
    # It gets its name with its label in it: of two that want it, one has it, and knows so.
    label "$2.$4" "$4" || exit 1
    mv -nT -- "$2.$4" "$2" || is_there "$2" || exit 1 # newer ones end with 1 where one is taken
fi
gone "$2.$4"
[ -d "$2" ] && [ ! -L "$2" ] && [ -f "$2/run" ] && [ ! -L "$2/run" ] || exit 11
[ "$(head -c 100 -- "$2/run")" = "$4" ] || exit 12
inside "$2" || exit 11
age=old
if is_there "$3"; then
    # Whoever is still at work for an earlier attempt, behind a link that is lost to us alone, is left in a folder that is
    # no more: what has arrived goes on in a new one.
    mkdir -p anew && cd -P -- "$3" && is_base ../.. || exit 11
    # What was given its true mode may be unreadable, though not to root.
    [ "$(id -u)" = 0 ] || chmod -R u+rwX . || exit 1
    find . -mindepth 1 -maxdepth 1 -exec mv -t ../anew -- {} + && cd -P .. && rm -rf -- "$3" || exit 1
elif ! is_there anew; then
    age=new
    mkdir anew || exit 11
fi
gone mode
mv -nT -- anew "$3" && cd -P -- "$3" && is_base ../.. || exit 11
printf '%s %s\n' "$(stat -c '%d:%i' .)" "$age"
