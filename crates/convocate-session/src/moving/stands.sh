# What stands of a session that a run works on. $1: the base, $2: the session, $3: its lock's name, $4: the process that holds
# it for the run. Prints `there` and the session's device and inode, and `held` if the lock still is.
LC_ALL=C; export LC_ALL
cd -P -- "$1" || exit 10
if [ -e "$2" ] || [ -L "$2" ]; then echo "there $(stat -c '%d:%i' -- "$2")"; fi
if [ -n "$4" ] && [ -d "/proc/$4" ] && [ "$(head -c 20 -- "$3" 2>/dev/null)" = "$4" ]; then echo held; fi
