# Holds a session's lock for as long as somebody is at the other end of the link. $1: the base, $2: the lock's name, $3: the
# run, $4: the identity of a stale lock that is to be set aside first, or nothing.
LC_ALL=C; export LC_ALL; umask 077
cd -P -- "$1" || { echo nowhere; exit; }
# Whoever makes or removes a session there has the folder to himself meanwhile; so has whoever replaces a stale lock.
exec 8< .
if command -v flock >/dev/null 2>&1; then flock -w 20 8 || { echo 'held by whoever works in the folder'; exit; }; fi
# Whoever can make it and not write it has no room; an empty one that nobody could account for must not stay.
take() { (set -C; exec 3> "$2" || exit 1; printf %s "$$" >&3 || { rm -f -- "$2"; exit 28; }) 2>/dev/null; }
take "$@"; taken=$?
if [ "$taken" = 28 ]; then echo full; exit; fi
if [ "$taken" != 0 ]; then
    if [ -L "$2" ] || [ ! -f "$2" ] || [ ! -r "$2" ]; then echo 'held by somebody'; exit; fi
    if [ -n "$4" ] && [ "$(stat -c '%d:%i' -- "$2")" = "$4" ]; then echo stale; exit; fi
    owner=$(head -c 20 -- "$2" | tr -d '[:space:]'); owner=${owner%%[!0-9]*}
    if [ -n "$owner" ] && [ -d "/proc/$owner" ]; then
        # Only an earlier attempt of this run, whose link is lost to us alone, is ended.
        if ! tr '\0' '\n' < "/proc/$owner/cmdline" | grep -qxF -- "$3"; then echo "held by process $owner"; exit; fi
        kill "$owner"
        for _ in 1 2 3 4 5 6 7 8 9 10; do [ ! -d "/proc/$owner" ] || sleep 0.2; done
    fi
    # Killed, whoever had it has left it behind: it speaks for nobody any more.
    rm -f -- "$2"
    take "$@" || { [ $? = 28 ] && echo full || echo 'held by somebody'; exit; }
fi
[ "$(id -u)" != 0 ] || chown --reference=. -- "$2" 2>/dev/null # so that whom the sessions belong to can read whose it is
exec 8<&-
echo "taken $$"
read -r _
[ "$(head -c 20 -- "$2" 2>/dev/null)" != "$$" ] || rm -f -- "$2"
echo released
