"""Links the program for macOS on another system, which shows before a release that it can be: link_darwin.py FOLDER

Zig brings a linker for Mach-O, C headers, and what to link the C library against. It has none of Apple's frameworks; of those
Go's own packages name every symbol that they use, which is enough to link against. What is linked is not what is released:
.ci/release builds where the program can be run. Needs the package ziglang.
"""

import glob
import os
import re
import struct
import subprocess
import sys

LEAST = (13, 0)  # the macOS that release.yml promises
TARGETS = {"arm64": "aarch64-macos", "amd64": "x86_64-macos"}
SYSTEM = re.compile(r"^(/usr/lib/|/System/Library/Frameworks/)")

# A dependency asks how much memory the process has by a function that Zig's headers leave out.
MACH_VM = """#include <mach/mach_types.h>
extern kern_return_t mach_vm_region(vm_map_read_t, mach_vm_address_t *, mach_vm_size_t *, vm_region_flavor_t, vm_region_info_t,
                                    mach_msg_type_number_t *, mach_port_t *);
"""


def stub(path, library, symbols):
    """Writes what the linker has to know of a library of the system: that it has these symbols."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        targets = "[ x86_64-macos, arm64-macos ]"
        f.write(
            f"--- !tapi-tbd\ntbd-version: 4\ntargets: {targets}\ninstall-name: {library}\n"
            f"exports:\n  - targets: {targets}\n    symbols: [ {', '.join(sorted(symbols))} ]\n...\n"
        )


def imported():
    """Returns the symbols that Go's packages import from libraries of macOS, by library."""
    root = subprocess.check_output(["go", "env", "GOROOT"], text=True).strip()
    line = re.compile(r'^//go:cgo_import_dynamic \S+ (\S+) "([^"]+)"', re.M)
    libraries = {}
    for path in filter(os.path.isfile, glob.glob(root + "/src/**/*.go", recursive=True)):
        with open(path) as f:
            for symbol, library in line.findall(f.read()):
                libraries.setdefault(library, set()).add("_" + symbol.split("$")[0])
    return libraries


def prepare(folder):
    for library, symbols in imported().items():
        framework = re.match(r"/System/Library/Frameworks/(\w+)\.framework/", library)
        if framework:
            stub(f"{folder}/{framework[1]}.framework/{framework[1]}.tbd", library, symbols)
    stub(f"{folder}/libresolv.tbd", "/usr/lib/libresolv.9.dylib", ["_res_9_nclose", "_res_9_ninit", "_res_9_nsearch", "_res_9_search"])
    os.makedirs(folder + "/mach", exist_ok=True)
    with open(folder + "/mach/mach_vm.h", "w") as f:
        f.write(MACH_VM)


def compiler(folder, kind, target):
    path = f"{folder}/{kind}-{target}"
    with open(path, "w") as f:
        least = ".".join(map(str, LEAST))
        f.write(f'#!/bin/sh\nexec "{sys.executable}" -m ziglang {kind} -target {target}.{least} -F"{folder}" -L"{folder}" -I"{folder}" -w "$@"\n')
    os.chmod(path, 0o755)
    return path


def commands(program):
    """Yields the load commands of a 64-bit Mach-O program: what each is, and its bytes."""
    with open(program, "rb") as f:
        magic, _, _, kind, count, size = struct.unpack("<6I", f.read(24))
        if magic != 0xFEEDFACF or kind != 2:
            sys.exit(f"{program} is no 64-bit program of macOS")
        f.seek(32)
        rest = f.read(size)
    for _ in range(count):
        what, length = struct.unpack_from("<2I", rest)
        yield what, rest[:length]
        rest = rest[length:]


def check(program):
    """Holds a program against what whoever runs it needs: libraries that every macOS has, the version promised, a signature."""
    seen = set()
    for what, text in commands(program):
        seen.add(what)
        if what in (0x0C, 0x80000018):  # LC_LOAD_DYLIB, LC_LOAD_WEAK_DYLIB
            library = text[struct.unpack_from("<I", text, 8)[0] :].split(b"\0")[0].decode()
            if not SYSTEM.match(library):
                sys.exit(f"{program} needs {library}, which macOS does not have")
        if what == 0x32:  # LC_BUILD_VERSION
            version = struct.unpack_from("<I", text, 12)[0]
            if (version >> 16, version >> 8 & 0xFF) > LEAST:
                sys.exit(f"{program} needs macOS {version >> 16}")
    if 0x32 not in seen:
        sys.exit(f"{program} does not say which macOS it needs")
    if program.endswith("arm64") and 0x1D not in seen:  # LC_CODE_SIGNATURE
        sys.exit(f"{program} is not signed, which these processors want")


folder = os.path.abspath(sys.argv[1])
prepare(folder)
for arch, target in TARGETS.items():
    program = f"{folder}/backhaul-darwin-{arch}"
    settings = {"GOOS": "darwin", "GOARCH": arch, "CGO_ENABLED": "1", "CC": compiler(folder, "cc", target), "CXX": compiler(folder, "c++", target)}
    build = ["go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "backhaul/cmd/backhaul"]
    subprocess.run(build, cwd=folder, env=os.environ | settings, check=True)  # Zig leaves a file where it was asked something
    check(program)
    print(program, "links")
