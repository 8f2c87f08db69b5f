# What stands in a base. $1: the base, $2: a name in it, $3: the staging name beside it, $4: a receipt below it, $5:
# something if the base itself is of interest, and the room in it.
LC_ALL=C; export LC_ALL
cd -P -- "$1" || exit 10
if [ -n "$5" ]; then
    printf 'base %s\n' "$(stat -c '%d:%i' .)"
    [ -w . ] || echo closed
    printf 'room %s\n' "$(stat -f -c '%a %S %d' .)"
fi
if [ -e "$2" ] || [ -L "$2" ]; then printf 'live %s\n' "$(stat -c '%d:%i' -- "$2")"; fi
if [ -e "$3" ] || [ -L "$3" ]; then
    run=; if [ -f "$3/run" ] && [ ! -L "$3/run" ]; then run=$(head -c 100 -- "$3/run"); fi
    printf 'staging %s\n' "$run"
fi
if [ -n "$4" ] && [ -f "$4" ] && [ ! -L "$4" ]; then printf 'receipt\n'; fi
