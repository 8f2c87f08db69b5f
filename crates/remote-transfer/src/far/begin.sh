# Takes the staging folder, or goes on in it, and tells the identity of the tree in it; comes after `base.sh`. $1: the
# base, $2: the staging name, $3: the name of the tree, $4: the run.
rmdir -- "$2" 2>/dev/null # killed between its label and itself, a run has left it empty: it is nobody's
if [ ! -e "$2" ] && [ ! -L "$2" ]; then
    # It gets its name with its label in it: of two that want it, one has it, and knows so.
    label "$2.$4" "$4" && sync -- "$2.$4" || exit 1
    mv -nT -- "$2.$4" "$2" || [ -e "$2" ] || [ -L "$2" ] || exit 1 # newer ones end with 1 where one is taken
fi
rm -rf -- "$2.$4"
[ -d "$2" ] && [ ! -L "$2" ] && [ -f "$2/run" ] && [ ! -L "$2/run" ] || exit 11
[ "$(head -c 100 -- "$2/run")" = "$4" ] || exit 12
cd -P -- "$2" && [ "$(stat -c '%d:%i' ..)" = "$base" ] || exit 11
if [ -e "$3" ] || [ -L "$3" ]; then
    # Whoever is still at work for an earlier attempt, behind a link that is lost to us alone, is left in a folder that is
    # no more: what has arrived goes on in a new one.
    mkdir -p anew && cd -P -- "$3" && [ "$(stat -c '%d:%i' ../..)" = "$base" ] || exit 11
    # What was given its true mode may be unreadable, though not to root.
    [ "$(id -u)" = 0 ] || chmod -R u+rwX . || exit 1
    find . -mindepth 1 -maxdepth 1 -exec mv -t ../anew -- {} + && cd .. && rm -rf -- "$3" || exit 1
fi
rm -f mode
mkdir -p anew && mv -nT -- anew "$3" && cd -P -- "$3" && [ "$(stat -c '%d:%i' ../..)" = "$base" ] || exit 11
printf '%s\n' "$(stat -c '%d:%i' .)"
