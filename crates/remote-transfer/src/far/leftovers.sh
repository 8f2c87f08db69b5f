# The staging folders in a base: name, run, age in seconds, size in KiB and identity of each, each ended by NUL. $1: the
# base, $2: what their names begin with.
LC_ALL=C; export LC_ALL
cd -P -- "$1" || exit 10
now=$(date +%s)
for folder in "$2"*; do
    [ -d "$folder" ] && [ ! -L "$folder" ] || continue
    run=; if [ -f "$folder/run" ] && [ ! -L "$folder/run" ]; then run=$(head -c 100 "$folder/run"); fi
    latest=$(find "$folder" -maxdepth 2 -printf '%T@\n' | sort -rn | head -n 1)
    size=$(du -sk -- "$folder" | cut -f 1)
    printf '%s\0' "$folder" "$run" "$((now - ${latest%.*}))" "$size" "$(stat -c '%d:%i' "$folder")"
done
