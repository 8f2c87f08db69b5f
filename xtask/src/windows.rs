//! The tools that Windows users have, built for Windows here and tried under Wine.

mod wine;

use std::path::PathBuf;
use std::process::Command;

use crate::packages;
use crate::shell::{self, Outcome};

const TARGET: &str = "x86_64-pc-windows-gnu";

/// The compiler that links for Windows, and Wine, each with the Debian package that has it.
const NEEDED: [(&str, &str); 5] = [
    ("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64"),
    (wine::LOADER, "wine64"),
    ("qemu-img", "qemu-utils"),
    ("/usr/sbin/sshd", "openssh-server"),
    ("/usr/lib/openssh/sftp-server", "openssh-sftp-server"),
];

const TOOLS: [&str; 4] = ["--package", "cowork-stitch", "--package", "cowork-migrate"];

/// Rust's standard library takes random numbers from a library that Wine knows only from version 9 on.
const RANDOM: &str = "\
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T count) {
    return SystemFunction036(bytes, (ULONG)count);
}
";

/// A program that opens a file, shares it with nobody, says so, and keeps it until its input ends.
const HOLDER: &str = "\
#include <windows.h>
#include <stdio.h>
int wmain(int count, wchar_t **words) {
    if (count < 2) return 2;
    HANDLE file = CreateFileW(words[1], GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE) return 1;
    putchar('!');
    fflush(stdout);
    while (getchar() != EOF) {}
    return 0;
}
";

/// What stands in for Windows' own ssh, which Wine has not: only its wire, in the clear, to a port of this machine.
const SSH: &str = "\
#include <winsock2.h>
#include <stdio.h>
#include <stdlib.h>
static SOCKET far_end;
static char up[65536], down[65536];
static DWORD WINAPI send_up(void *unused) {
    DWORD len;
    HANDLE in = GetStdHandle(STD_INPUT_HANDLE);
    while (ReadFile(in, up, sizeof up, &len, NULL) && len > 0) {
        for (DWORD sent = 0; sent < len;) {
            int now = send(far_end, up + sent, (int)(len - sent), 0);
            if (now <= 0) return 1;
            sent += (DWORD)now;
        }
    }
    shutdown(far_end, SD_SEND);
    return 0;
}
int main(int count, char **words) {
    int port = 0, subsystem = 0;
    for (int i = 1; i < count; i++) {
        if (!strcmp(words[i], \"-p\") && i + 1 < count) port = atoi(words[i + 1]);
        if (!strcmp(words[i], \"-s\")) subsystem = 1;
    }
    WSADATA data;
    WSAStartup(MAKEWORD(2, 2), &data);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((u_short)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    far_end = socket(AF_INET, SOCK_STREAM, 0);
    if (!subsystem || strcmp(words[count - 1], \"sftp\") || connect(far_end, (void *)&at, sizeof at)) {
        fputs(\"ssh: there is nobody\\n\", stderr);
        return 255;
    }
    CreateThread(NULL, 0, send_up, NULL, 0, NULL);
    HANDLE out = GetStdHandle(STD_OUTPUT_HANDLE);
    for (int len; (len = recv(far_end, down, sizeof down, 0)) > 0;) {
        DWORD written;
        if (!WriteFile(out, down, (DWORD)len, &written, NULL)) break;
    }
    return 0;
}
";

/// No other run of tests or lints takes them in: they are nothing without the executables.
const TESTS: [&str; 4] = ["--package", "xtask", "--test", "windows"];

/// Builds the tools and runs their tests under Wine; gives what was skipped, because this machine cannot have it.
pub(crate) fn run() -> Outcome<Vec<&'static str>> {
    if let Err(reason) = install() {
        println!("windows: SKIPPED, nothing was shown, because: {reason}");
        return Ok(vec!["the tools for Windows"]);
    }
    let tools = build()?;
    let prefix = wine::prefix(&shell::target()?.join("windows"))?;
    wine::lay_beside(&tools, "bcryptprimitives.dll", RANDOM, &["-shared", "-ladvapi32"])?;
    wine::lay_beside(&tools, "holder.exe", HOLDER, &["-municode"])?;
    wine::lay_beside(&tools, "ssh.exe", SSH, &["-lws2_32"])?;
    shell::run(Command::new("cargo").arg("clippy").args(TESTS).args(["--", "-Dwarnings"]))?;
    let mut tests = Command::new("cargo");
    tests.arg("test").args(TESTS);
    shell::run(tests.env("REHOME_WINDOWS_TOOLS", tools).env("REHOME_WINE_PREFIX", prefix))?;
    Ok(Vec::new())
}

/// What is missing for it; where it cannot be had, the reason.
fn install() -> Outcome {
    packages::install(&NEEDED)?;
    let installed = shell::capture(Command::new("rustup").args(["target", "list", "--installed"]))?;
    if String::from_utf8_lossy(&installed.stdout).lines().any(|target| target == TARGET) {
        return Ok(());
    }
    shell::run(Command::new("rustup").args(["target", "add", TARGET]))
}

/// The folder of the executables, once nothing is to be said against their sources.
fn build() -> Outcome<PathBuf> {
    let for_windows = |verb: &str| {
        let mut cargo = Command::new("cargo");
        cargo.args([verb, "--target", TARGET]).args(TOOLS);
        cargo
    };
    shell::run(for_windows("clippy").args(["--", "-Dwarnings"]))?;
    shell::run(&mut for_windows("build"))?;
    Ok(shell::target()?.join(TARGET).join("debug"))
}
