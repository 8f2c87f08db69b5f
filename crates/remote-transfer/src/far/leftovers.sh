# The staging folders in a base: name, run, age in seconds, size in KiB and identity of each, and `empty` if there is
# nothing in it but at most a label that was never written, each ended by NUL. $1: the base, $2: what their names begin
# with.
LC_ALL=C; export LC_ALL
cd -P -- "$1" || exit 10
now=$(date +%s)
for folder in "$2"*; do
    [ -d "$folder" ] && [ ! -L "$folder" ] || continue
    run=; if [ -f "$folder/run" ] && [ ! -L "$folder/run" ]; then run=$(head -c 100 "$folder/run"); fi
    latest=$(find "$folder" -printf '%C@\n' | sort -rn | head -n 1) # what is unpacked is as old as it was elsewhere
    [ -n "$latest" ] || continue # it has just gone
    size=$(du -sk -- "$folder" | cut -f 1)
    within=$(find "$folder" -mindepth 1 ! '(' -path "$folder/run" -type f -empty ')' -printf x -quit) || within=unknown
    empty=; if [ -z "$within" ]; then empty=empty; fi
    printf '%s\0' "$folder" "$run" "$((now - ${latest%.*}))" "$size" "$(stat -c '%d:%i' "$folder")" "$empty"
done
