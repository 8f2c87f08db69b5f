# What there is to know of a session's lock: nothing if there is none; else its device and inode, and `held` with the process,
# `stale`, or `closed` if it may not be read. $1: the base, $2: the lock's name.
LC_ALL=C; export LC_ALL
cd -P -- "$1" || exit 10
[ -e "$2" ] || [ -L "$2" ] || exit 0
stat -c '%d:%i' -- "$2"
if [ -L "$2" ] || [ ! -f "$2" ] || [ ! -r "$2" ]; then echo closed; exit; fi
owner=$(head -c 20 -- "$2" | tr -d '[:space:]'); owner=${owner%%[!0-9]*}
if [ -n "$owner" ] && [ -d "/proc/$owner" ]; then
    echo "held process $owner ($(ps -ww -o user=,lstart=,args= -p "$owner" | tr -s '[:space:]' ' ' | head -c 300))"
else echo stale; fi
