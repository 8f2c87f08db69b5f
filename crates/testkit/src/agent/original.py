#!/usr/bin/env python3
# The API of an original agent, one question a call (formats/convocate.md §10): what it does, its faults with it. It
# looks at no id, deletes under a container that runs and past no lock file, forgets what it clones, and takes an
# engine that does not answer for one where nothing runs.
import datetime, json, os, re, shutil, subprocess, sys, time, uuid

HERE, BASE, DOCKER, IMAGE = @HERE@, @BASE@, @DOCKER@, @IMAGE@
PREFIX = "convocate-session-"
KEYS = ("uuid", "name", "created_at", "last_accessed", "port", "protocol", "dns_name")
NO_TIME = "0001-01-01T00:00:00Z"


class Refused(Exception):
    pass


def spelled(value):
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    for odd in "<>&\u2028\u2029":
        text = text.replace(odd, "\\u%04x" % ord(odd))
    return text


def quoted(text):
    return json.dumps(text, ensure_ascii=False)


def docker(*words):
    if not DOCKER:
        return subprocess.CompletedProcess(words, 1, "", "no engine")
    return subprocess.run([*DOCKER, *words], capture_output=True, text=True)


def runs(id):
    # Any error is "not running".
    return docker("inspect", "-f", "{{.State.Running}}", PREFIX + id).stdout.strip() == "true"


def lock_of(id):
    return os.path.join(BASE, id + ".lock")


def load(id):
    path = os.path.join(BASE, id, "session.json")
    if not os.path.isdir(os.path.join(BASE, id)):
        raise Refused("session %s does not exist" % quoted(id))
    try:
        text = open(path, "rb").read()
    except OSError as error:
        raise Refused("failed to read session metadata: open %s: %s" % (path, error.strerror.lower()))
    try:
        read = json.loads(text)
        document = {}
        for key, value in read.items():
            known = next((known for known in KEYS if known == key.lower()), None)
            if known and value is not None:
                if type(value) is not (int if known == "port" else str):
                    raise ValueError(known)
                document[known] = value
        return document
    except (ValueError, AttributeError) as error:
        raise Refused("failed to parse session metadata: %s" % error)


def ordered(document):
    whole = {"uuid": "", "name": "", "created_at": NO_TIME, "last_accessed": NO_TIME, **document}
    always = ("uuid", "name", "created_at", "last_accessed")
    return {key: whole[key] for key in KEYS if key in always or whole.get(key)}


def store(id, document):
    # In place, and without what it does not know.
    text = json.dumps(ordered(document), indent=2, ensure_ascii=False)
    open(os.path.join(BASE, id, "session.json"), "w").write(text)


def told(id, document, with_state=True):
    session = ordered(document)
    if with_state and runs(id):
        session["running"] = True
        if docker("exec", PREFIX + id, "sudo", "-u", "claude", "--", "tmux", "list-clients", "-t", "claude").stdout:
            session["attached"] = True
    return session


def is_uuid(name):
    return re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", name) is not None


def all_sessions():
    for name in sorted(os.listdir(BASE)):
        if is_uuid(name):
            try:
                yield name, load(name)
            except Refused:
                pass


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat().replace("+00:00", "Z")


def valid_name(name):
    if not name.strip():
        raise Refused("session name cannot be empty")
    if len(name.encode()) > 64:
        raise Refused("session name cannot exceed 64 characters")
    for c in name:
        if not re.fullmatch(r"[A-Za-z0-9 _.-]", c):
            raise Refused("session name contains invalid character: '%s' "
                          "(only letters, digits, spaces, _, -, . allowed)" % c)


def valid_protocol(text):
    protocol = text.strip().lower() or "tcp"
    if protocol not in ("tcp", "udp"):
        raise Refused('protocol must be "tcp" or "udp", got %s' % quoted(protocol))
    return protocol


def valid_dns_name(name, but=None):
    name = name.strip().lower()
    if len(name) > 253:
        raise Refused("DNS name too long (max 253 chars)")
    for label in name.split(".") if name else []:
        if not 1 <= len(label) <= 63:
            raise Refused("DNS label length must be 1-63 chars")
        if label.startswith("-") or label.endswith("-"):
            raise Refused("DNS label cannot start or end with '-'")
        for c in label:
            if not re.fullmatch(r"[a-z0-9-]", c):
                raise Refused("DNS name contains invalid character '%s' (only a-z, 0-9, -, . allowed)" % c)
    for id, other in all_sessions():
        if name and id != but and other.get("dns_name", "").lower() == name:
            raise Refused("DNS name %s is already assigned to another session" % quoted(name))
    return name


def valid_port(port, protocol, but=None):
    if not -1 <= port <= 65535:
        raise Refused("invalid port: %d" % port)
    others = [other for id, other in all_sessions() if id != but]
    if port == -1:
        taken = {other.get("port", 0) for other in others}
        return next(port for port in range(1001, 65536) if port not in taken)
    if port and any((other.get("port", 0), other.get("protocol") or "tcp") == (port, protocol) for other in others):
        raise Refused("port %d/%s is already assigned to another session" % (port, protocol))
    return port


def ping():
    return {"agent_id": "k7m2p9x4qwzt", "version": "v0.0.5", "server_time": now()}


def list_all():
    return [told(id, document) for id, document in all_sessions()] or None


def get(id=""):
    return told(id, load(id))


def create(name="", port=0, protocol="", dns_name=""):
    # The name is looked at by its screen alone.
    protocol = valid_protocol(protocol)
    document = {"uuid": str(uuid.uuid4()), "name": name, "created_at": now(), "last_accessed": now(),
                "port": valid_port(port, protocol), "protocol": protocol, "dns_name": valid_dns_name(dns_name)}
    home = os.path.join(BASE, document["uuid"])
    os.mkdir(home, 0o750)
    if os.path.isdir(os.path.join(BASE, ".skel")):
        shutil.copytree(os.path.join(BASE, ".skel"), home, dirs_exist_ok=True)
    os.mkdir(os.path.join(home, ".claude"), 0o700)
    store(document["uuid"], document)
    return ordered(document)


def edit(id="", name="", port=0, protocol="", dns_name=""):
    document = load(id)
    valid_name(name)
    protocol = valid_protocol(protocol)
    if (port, protocol) != (document.get("port", 0), document.get("protocol") or "tcp"):
        port = valid_port(port, protocol, but=id)
    if dns_name != document.get("dns_name", ""):
        dns_name = valid_dns_name(dns_name, but=id)
    document.update(name=name, port=port, protocol=protocol, dns_name=dns_name)
    store(id, document)
    return told(id, document)


def clone(source_id="", name=""):
    load(source_id)
    made = str(uuid.uuid4())
    shutil.copytree(os.path.join(BASE, source_id), os.path.join(BASE, made), symlinks=True)
    document = {"uuid": made, "name": name, "created_at": now(), "last_accessed": now()}
    store(made, document)
    return ordered(document)


def delete(id=""):
    if os.path.exists(lock_of(id)):
        raise Refused("session %s is currently locked (in use)" % quoted(id))
    home = os.path.normpath(os.path.join(BASE, id))
    if not os.path.isdir(home):
        raise Refused("session %s does not exist" % quoted(id))
    # An empty id is the whole base. Only a test's own folders are within reach, whatever is asked.
    if os.path.commonpath([home, BASE]) == os.path.normpath(BASE):
        shutil.rmtree(home)
    return {}


def kill(id=""):
    if docker("stop", "-t", "10", PREFIX + id).returncode:
        raise Refused("exit status 1")
    return {}


def background(id=""):
    done = docker("exec", PREFIX + id, "sudo", "-u", "claude", "--", "tmux", "detach-client", "-s", "claude")
    if done.returncode:
        raise Refused("failed to detach tmux clients: exit status %d" % done.returncode)
    return {}


def override(id=""):
    try:
        said = open(lock_of(id)).read()
    except OSError:
        raise Refused("session %s is not locked" % quoted(id))
    pid = re.match(r"\d+", said)
    try:
        os.kill(int(pid.group()), 0)
    except (AttributeError, OSError):
        os.remove(lock_of(id))
        return {}
    raise Refused("session %s is actively in use by process %s" % (quoted(id), pid.group()))


def restart(id=""):
    document = load(id)
    if runs(id):
        raise Refused("session %s already running" % quoted(document.get("name", "")))
    store(id, {**document, "last_accessed": now()})
    words = ["run", "--rm", "--detach", "--name", PREFIX + id, "--hostname", "convocate-" + id[:8],
             "-w", "/home/claude", "-v", "%s:/home/claude" % os.path.join(BASE, id)]
    for option in @OPTIONS@:
        words.append(option)
    if document.get("port"):
        words += ["-p", "%d:%d/%s" % (document["port"], document["port"], document.get("protocol") or "tcp")]
    owner = os.stat(os.path.join(BASE, id))
    words += ["-e", "CLAUDE_UID=%d" % owner.st_uid, "-e", "CLAUDE_GID=%d" % owner.st_gid, IMAGE]
    done = docker(*words)
    if done.returncode:
        raise Refused("failed to start container: exit status %d: %s" % (done.returncode, done.stderr.strip()))
    return {}


ID = {"id": str}
WISHES = {"name": str, "port": int, "protocol": str, "dns_name": str}
OPS = {
    "ping": (ping, None), "list": (list_all, None), "get": (get, ID), "create": (create, WISHES),
    "edit": (edit, {**ID, **WISHES}), "clone": (clone, {"source_id": str, "name": str}), "delete": (delete, ID),
    "kill": (kill, ID), "background": (background, ID), "override": (override, ID), "restart": (restart, ID),
    "settings-get": (lambda: {}, None), "settings-set": (lambda: {}, None),
}


def params_of(known, said):
    params = {}
    for key, value in (said or {}).items():
        if key.lower() not in known:
            raise Refused("decode params: json: unknown field %s" % quoted(key))
        if value is not None:
            if type(value) is not known[key.lower()]:
                raise Refused("decode params: json: cannot unmarshal into Go struct field .%s" % key.lower())
            params[key.lower()] = value
    return params


def answer(line):
    try:
        question = json.loads(line)
        op = question.get("op") or ""
    except (ValueError, AttributeError) as error:
        return {"ok": False, "error": "malformed request: %s" % error}
    instead = os.path.join(HERE, "instead-of-" + op)
    if os.path.exists(instead):
        said = open(instead, "rb").read()
        if said == b"silence":
            time.sleep(1000)
        sys.stdout.buffer.write(said)
        sys.exit()
    if op not in OPS:
        return {"ok": False, "error": "unknown op: %s" % quoted(op)}
    does, known = OPS[op]
    try:
        params = {} if known is None else params_of(known, question.get("params"))
        return {"ok": True, "result": does(**params)}
    except Refused as refused:
        return {"ok": False, "error": str(refused)}


line = sys.stdin.readline()
open(os.path.join(HERE, "asked"), "a").write(line if line.endswith("\n") else line + "\n")
sys.stdout.write(spelled(answer(line)) + "\n")
