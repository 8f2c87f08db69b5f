# Who is there, and with what. $1: a word that only this call knows.
LC_ALL=C; export LC_ALL
printf '%s\n' "$1"
printf 'uid %s\nuser %s\n' "$(id -u)" "$(id -un)"
for file in machine-id:/etc/machine-id boot-id:/proc/sys/kernel/random/boot_id; do
    printf '%s %s\n' "${file%%:*}" "$(cat "${file#*:}" 2>/dev/null)"
done
for program in find gzip openssl rm sha256sum sync tar xargs; do
    command -v "$program" >/dev/null 2>&1 && printf 'has %s\n' "$program"
done
sudo -n true >/dev/null 2>&1 && printf 'can sudo\n'
exit 0
