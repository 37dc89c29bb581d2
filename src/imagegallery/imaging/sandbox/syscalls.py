"""The system calls that a decoder needs, with their numbers for each machine. Pure.

It needs to read and write open files, open files for reading, use memory and threads, and know the time. Other calls do
not exist for a decoder: sockets, other processes and their memory, programs, signals to others, changes of names,
owners or modes of files, shared memory, io_uring, keys, namespaces, and whatever future kernels add. Some calls do more
than is needed, and are only allowed with some arguments: see `imagegallery.imaging.sandbox.seccomp`.

The numbers are those of ``asm/unistd_64.h`` (x86-64) and ``asm-generic/unistd.h`` (aarch64). The latter have only been
compared with the header, not run on such a machine.
"""

from collections.abc import Mapping

from attrs import frozen


@frozen
class Machine:
    """``audit``: the number of the architecture, from <linux/audit.h>; ``calls``: numbers by name."""

    audit: int
    calls: Mapping[str, int]


def _numbers(text: str) -> Mapping[str, int]:
    words = text.split()
    return {name: int(number) for name, number in zip(words[::2], words[1::2], strict=True)}


X86_64 = Machine(
    0xC000003E,
    _numbers("""
        read 0 write 1 readv 19 writev 20 pread64 17 pwrite64 18 preadv 295 pwritev 296 preadv2 327 pwritev2 328
        lseek 8 close 3 close_range 436 dup 32 dup2 33 dup3 292 fcntl 72 ioctl 16 open 2 openat 257 stat 4 lstat 6
        fstat 5 newfstatat 262 statx 332 access 21 faccessat 269 faccessat2 439 readlink 89 readlinkat 267 getcwd 79
        getdents 78 getdents64 217 statfs 137 fstatfs 138 fadvise64 221 ftruncate 77 fsync 74 fdatasync 75 poll 7
        ppoll 271 select 23 pselect6 270 pipe 22 pipe2 293 eventfd 284 eventfd2 290 recvmsg 47 getsockname 51 mmap 9
        munmap 11 mremap 25 mprotect 10 madvise 28 mincore 27 brk 12 membarrier 324 clone 56 gettid 186
        set_tid_address 218 set_robust_list 273 rseq 334 arch_prctl 158 prctl 157 futex 202 futex_waitv 449
        restart_syscall 219 exit 60 exit_group 231 tgkill 234 sched_yield 24 sched_getaffinity 204 sched_getattr 315
        sched_getparam 143 sched_getscheduler 145 sched_get_priority_max 146 sched_get_priority_min 147 getcpu 309
        rt_sigaction 13 rt_sigprocmask 14 rt_sigreturn 15 rt_sigpending 127 rt_sigsuspend 130 rt_sigtimedwait 128
        sigaltstack 131 pause 34 clock_gettime 228 clock_getres 229 clock_nanosleep 230 nanosleep 35 gettimeofday 96
        time 201 times 100 getpid 39 getppid 110 getpgid 121 getpgrp 111 getsid 124 getuid 102 geteuid 107 getgid 104
        getegid 108 uname 63 sysinfo 99 getrandom 318 getrlimit 97 setrlimit 160 prlimit64 302 getrusage 98
    """),
)

AARCH64 = Machine(
    0xC00000B7,
    _numbers("""
        read 63 write 64 readv 65 writev 66 pread64 67 pwrite64 68 preadv 69 pwritev 70 preadv2 286 pwritev2 287
        lseek 62 close 57 close_range 436 dup 23 dup3 24 fcntl 25 ioctl 29 openat 56 fstat 80 newfstatat 79 statx 291
        faccessat 48 faccessat2 439 readlinkat 78 getcwd 17 getdents64 61 statfs 43 fstatfs 44 fadvise64 223
        ftruncate 46 fsync 82 fdatasync 83 ppoll 73 pselect6 72 pipe2 59 eventfd2 19 recvmsg 212 getsockname 204
        mmap 222 munmap 215 mremap 216 mprotect 226 madvise 233 mincore 232 brk 214 membarrier 283 clone 220
        gettid 178 set_tid_address 96 set_robust_list 99 rseq 293 prctl 167 futex 98 futex_waitv 449
        restart_syscall 128 exit 93 exit_group 94 tgkill 131 sched_yield 124 sched_getaffinity 123 sched_getattr 275
        sched_getparam 121 sched_getscheduler 120 sched_get_priority_max 125 sched_get_priority_min 126 getcpu 168
        rt_sigaction 134 rt_sigprocmask 135 rt_sigreturn 139 rt_sigpending 136 rt_sigsuspend 133 rt_sigtimedwait 137
        sigaltstack 132 clock_gettime 113 clock_getres 114 clock_nanosleep 115 nanosleep 101 gettimeofday 169
        times 153 getpid 172 getppid 173 getpgid 155 getsid 156 getuid 174 geteuid 175 getgid 176 getegid 177
        uname 160 sysinfo 179 getrandom 278 getrlimit 163 setrlimit 164 prlimit64 261 getrusage 165
    """),
)

MACHINES: Mapping[str, Machine] = {"x86_64": X86_64, "aarch64": AARCH64}
"""By their names in uname(2)."""
