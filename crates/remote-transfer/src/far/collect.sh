# One file of every folder of a base. $1: the base, $2: the name of the file.
LC_ALL=C; export LC_ALL
cd -P -- "$1" || exit 10
for file in */"$2"; do
    if [ -f "$file" ] && [ ! -L "$file" ]; then printf '%s\0' "${file%/*}"; head -c 65536 -- "$file"; printf '\0'; fi
done
