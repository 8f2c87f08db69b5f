"""Reads the source and the result with nothing but `json`, and says every difference. Knows nothing of the tool."""

import json
import os
import re
import sys
from datetime import datetime, timezone

before, workspace, report = sys.argv[1], sys.argv[2], json.load(open(sys.argv[3]))
form, wanted = sys.argv[4], int(sys.argv[5])
FIXED = datetime(2026, 1, 20, 10, tzinfo=timezone.utc)
told = []


def refuse(constant):
    raise ValueError(constant)


def read(text):
    """Numbers as they are spelled."""
    return json.loads(text, parse_int=lambda x: ("int", x), parse_float=lambda x: ("float", x), parse_constant=refuse)


def say(*words):
    told.append(" ".join(str(word) for word in words))


def moment(value):
    """Milliseconds of a time, if it is one; no zone is UTC."""
    if isinstance(value, tuple):
        number = float(value[1])
        return int(number if number >= 1e11 else number * 1000)
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    found = found if found.tzinfo else found.replace(tzinfo=timezone.utc)
    micros = round((found - datetime(1970, 1, 1, tzinfo=timezone.utc)).total_seconds() * 1e6)
    return micros // 1000


def spelled(name):
    return name if form == "python" else re.sub("_([a-z])", lambda found: found[1].upper(), name)


def expected(session):
    """Every message with what a reader needs and it lacks, in the order of its members."""
    filled = next((session[name] for name in ("created_at", "updated_at") if moment(session.get(name)) is not None), None)
    for message in session.get("messages") or []:
        yield {**message, **{name: value for name, value in (("role", "user"), ("content", ""), ("timestamp", filled)) if name not in message}}


def lines(path):
    text = open(path, "rb").read().decode("utf-8")
    if text and not text.endswith("\n"):
        say(path, "does not end with a line")
    for line in text.split("\n")[:-1]:
        if len(line.splitlines()) != 1:
            say(path, "has a line that is several to some readers")
        yield read(line)


def python(id, session, found):
    """The members of each message, and their order."""
    messages = list(expected(session))
    if len(messages) != len(found):
        return say(id, "has", len(found), "messages of", len(messages))
    for number, (one, other) in enumerate(zip(messages, found)):
        if isinstance(one["timestamp"], tuple) or one["timestamp"] is None:  # filled from a number, or from the file's time
            at = other["timestamp"]
            fits = moment(at) == (moment(one["timestamp"]) or FIXED.timestamp() * 1000) if at is not None else True
            if "timestamp" in (session["messages"][number]):
                fits = at == session["messages"][number]["timestamp"]
            if not fits:
                say(id, number, "timestamp", at)
            one = {**one, "timestamp": at}
        if list(one.items()) != list(other.items()):
            say(id, number, one, other)


def rebuilt(line):
    """The message that a line of OpenClaw was made from; unset members are left out."""
    inner, legacy = line["message"], line.get("legacy", {})
    content = inner["content"]
    message = {"role": {"toolResult": "tool"}.get(inner["role"], inner["role"]), "timestamp": inner["timestamp"]}
    calls = [block for block in content if block.get("type") == "toolCall"]
    message["content"] = [block for block in content if block.get("type") != "toolCall"]
    if calls:
        message["tool_calls"] = calls
    for name, member in (("tool_call_id", "toolCallId"), ("name", "toolName")):
        if member in inner:
            message[name] = inner[member]
    return {**message, **legacy}


def as_blocks(content):
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content or []


def as_calls(calls):
    for call in calls:
        arguments = call["function"]["arguments"]
        try:
            parsed = read(arguments)
        except ValueError:
            parsed = None
        yield {"type": "toolCall", "id": call["id"], "name": call["function"]["name"],
               "arguments": parsed if isinstance(parsed, dict) else {"_raw": arguments}}


def openclaw(id, session, found):
    """One chain, in which every member of every message is found."""
    head, found = found[0], found[1:]
    if (head["type"], head["id"]) != ("session", id):
        say(id, "has no header")
    messages = list(expected(session))
    if len(messages) != len(found):
        return say(id, "has", len(found), "messages of", len(messages))
    parent = None
    for number, (one, line) in enumerate(zip(messages, found)):
        if line["parentId"] != parent or line["type"] != "message":
            say(id, number, "is not linked")
        parent = line["id"]
        other, legacy = rebuilt(line), line.get("legacy", {})
        if "content" not in legacy:
            one["content"] = as_blocks(one["content"])
        if "timestamp" not in legacy and one["timestamp"] is not None and isinstance(session["messages"][number].get("timestamp"), str):
            one["timestamp"] = ("int", str(moment(one["timestamp"])))
        elif "timestamp" not in legacy:
            del one["timestamp"], other["timestamp"]  # a filled one
        if "tool_calls" not in legacy and one.get("tool_calls"):
            one["tool_calls"] = list(as_calls(one["tool_calls"]))
        one = {name: value for name, value in one.items() if value is not None}
        other = {name: value for name, value in other.items() if value is not None and (name in one or name != "tool_calls")}
        if one != other:
            say(id, number, one, other)
    kept = head.get("legacy", {})
    for name, value in session.items():
        if name not in ("session_id", "messages", "metadata") and kept.get(name) != value:
            say(id, "has lost", name)
    for name, value in (session.get("metadata") or {}).items():
        entry = store[keys_of[id][0]]
        if value is not None and entry.get(spelled(name)) != value and kept.get("metadata", {}).get(name) != value:
            say(id, "has lost metadata", name)


def entry(id, session, key):
    found = store.get(key)
    if not found or found[spelled("session_id")] != id:
        return say(key, "does not lead to", id)
    if found[spelled("session_file")] != id + ".jsonl":
        say(id, "has a transcript elsewhere")
    latest = [moment(message.get("timestamp")) for message in session.get("messages") or []]
    latest = max((at for at in latest if at is not None), default=None)
    at = next((at for at in (moment(session.get("updated_at")), latest, moment(session.get("created_at"))) if at is not None), int(FIXED.timestamp() * 1000))
    if found[spelled("updated_at")] != ("int", str(at)):
        say(id, "was updated", found[spelled("updated_at")], "and not", at)
    metadata = session.get("metadata") or {}
    for name in ("label", "display_name", "channel", "thinking_level"):
        if isinstance(metadata.get(name), str) and found.get(spelled(name)) != metadata[name]:
            say(id, "has lost its", name)


folder = os.path.join(workspace, ".sessions") if form == "python" else os.path.join(workspace, "agents/main/sessions")
store = read(open(os.path.join(folder, "sessions.json"), encoding="utf-8").read())
map = json.load(open(os.path.join(before, "session_map.json")))
migrated = [item for item in report["items"] if item["kind"] == "session" and item["bucket"] == "migrated"]
keys_of = {}
for item in migrated:
    id = item["id"]
    keys_of[id] = [item["key"]]
for key, id in map.items():
    if id in keys_of and store.get(key, {}).get(spelled("session_id")) != id:
        # Only another session that was given this very key may have it.
        other = store.get(key, {}).get(spelled("session_id"))
        if other is None:
            say(key, "leads nowhere")
for id in keys_of:
    session = read(open(os.path.join(before, id + ".json"), encoding="utf-8-sig").read())
    found = list(lines(os.path.join(folder, id + ".jsonl")))
    (python if form == "python" else openclaw)(id, session, found)
    entry(id, session, keys_of[id][0])
for key, value in store.items():
    name = value.get(spelled("session_file"))
    if value.get(spelled("session_id")) in keys_of and not os.path.exists(os.path.join(folder, name)):
        say(key, "dangles")
if len(keys_of) != wanted:
    say("migrated", len(keys_of), "sessions:", *keys_of)
print("\n".join(told))
sys.exit(1 if told else 0)
