//! seccomp: the system calls that decoding, writing and waiting need; every other one fails with EPERM.
//!
//! A list of what is allowed, so that a call nobody thought of (or that a newer kernel brings) is refused. No execution
//! of programs, no new process, no tracing, no socket, no mount, no memory that is written and executed.

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter_all_threads,
};

use super::{Permissions, State};

/// Allowed with any arguments.
const ALWAYS: &[i64] = &[
    // Octets in and out of what is open.
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_preadv,
    libc::SYS_pwritev,
    libc::SYS_preadv2,
    libc::SYS_pwritev2,
    libc::SYS_recvfrom,
    libc::SYS_sendto,
    libc::SYS_close,
    libc::SYS_lseek,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_fcntl,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_pipe2,
    libc::SYS_flock,
    libc::SYS_fadvise64,
    // Files: which ones is Landlock's and the user's rights' matter.
    libc::SYS_openat,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_statfs,
    libc::SYS_fstatfs,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_readlinkat,
    libc::SYS_getdents64,
    libc::SYS_getcwd,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_fchmod,
    libc::SYS_unlinkat,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_mkdirat,
    libc::SYS_umask,
    // Memory; executable memory is refused below.
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_membarrier,
    // Threads.
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_get_robust_list,
    libc::SYS_rseq,
    libc::SYS_set_tid_address,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_gettid,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // Answered with ENOSYS by the other filter, so that the C library falls back to clone, whose flags can be looked at.
    libc::SYS_clone3,
    // Signals to this process.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigpending,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_rt_sigsuspend,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_signalfd4,
    // Time and waiting.
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_times,
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_eventfd2,
    libc::SYS_timerfd_create,
    libc::SYS_timerfd_settime,
    libc::SYS_timerfd_gettime,
    libc::SYS_wait4,
    libc::SYS_waitid,
    // About ourselves.
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_getresuid,
    libc::SYS_getresgid,
    libc::SYS_getgroups,
    libc::SYS_capget,
    libc::SYS_uname,
    libc::SYS_sysinfo,
    libc::SYS_getrusage,
    libc::SYS_getrandom,
];

/// The older forms of the same calls, which 64-bit x86 alone has.
#[cfg(target_arch = "x86_64")]
const OLDER: &[i64] = &[
    libc::SYS_open,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_unlink,
    libc::SYS_rename,
    libc::SYS_mkdir,
    libc::SYS_dup2,
    libc::SYS_pipe,
    libc::SYS_poll,
    libc::SYS_select,
    libc::SYS_epoll_create,
    libc::SYS_epoll_wait,
    libc::SYS_eventfd,
    libc::SYS_getrlimit,
    libc::SYS_time,
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: &[i64] = &[];

/// Needed by a listener that was bound before.
const LISTENER: &[i64] = &[
    libc::SYS_accept4,
    libc::SYS_accept,
    libc::SYS_shutdown,
    libc::SYS_getsockname,
    libc::SYS_getpeername,
    libc::SYS_setsockopt,
    libc::SYS_getsockopt,
    libc::SYS_recvmsg,
    libc::SYS_sendmsg,
];

/// Terminal questions and settings, and the state of a descriptor; not TIOCSTI, which types for the user.
#[allow(
    clippy::unnecessary_cast,
    reason = "the type of these numbers differs from libc to libc"
)]
const IOCTLS: &[u64] = &[
    libc::TCGETS as u64,
    libc::TCSETS as u64,
    libc::TCSETSW as u64,
    libc::TCSETSF as u64,
    // What rustix asks for in their place.
    libc::TCGETS2 as u64,
    libc::TCSETS2 as u64,
    libc::TCSETSW2 as u64,
    libc::TCSETSF2 as u64,
    libc::TIOCGWINSZ as u64,
    libc::FIONREAD as u64,
    libc::FIONBIO as u64,
    libc::FIOCLEX as u64,
];

/// The name of a thread, and of a stretch of memory (the allocator names its own).
const PRCTLS: &[u64] = &[
    libc::PR_SET_NAME as u64,
    libc::PR_GET_NAME as u64,
    libc::PR_SET_VMA as u64,
];

/// Flags of clone that make a process or a namespace, not a thread.
const NAMESPACES: u64 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET) as u64;

/// Installs the filters in every thread.
pub(super) fn restrict(permissions: &Permissions) -> State {
    let Ok(arch) = TargetArch::try_from(std::env::consts::ARCH) else {
        return State::NotSupported;
    };
    let programs = match programs(permissions, arch) {
        Ok(programs) => programs,
        Err(error) => return State::Failed(error.to_string()),
    };
    for program in &programs {
        match apply_filter_all_threads(program) {
            Ok(()) => {}
            Err(seccompiler::Error::Seccomp(error))
                if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EINVAL)) =>
            {
                return State::NotSupported;
            }
            Err(error) => return State::Failed(error.to_string()),
        }
    }
    State::Applied
}

/// The filter for clone3, and behind it the list.
fn programs(permissions: &Permissions, arch: TargetArch) -> Result<[BpfProgram; 2], BackendError> {
    let no_clone3 = SeccompFilter::new(
        BTreeMap::from([(libc::SYS_clone3, Vec::new())]),
        SeccompAction::Allow,
        SeccompAction::Errno(errno(libc::ENOSYS)),
        arch,
    )?;
    let list = SeccompFilter::new(
        allowed(permissions)?,
        SeccompAction::Errno(errno(libc::EPERM)),
        SeccompAction::Allow,
        arch,
    )?;
    Ok([no_clone3.try_into()?, list.try_into()?])
}

const fn errno(number: i32) -> u32 {
    number.unsigned_abs()
}

type Allowed = BTreeMap<i64, Vec<SeccompRule>>;

fn allowed(permissions: &Permissions) -> Result<Allowed, BackendError> {
    use SeccompCmpOp::{Eq, MaskedEq};
    let listener = if permissions.listener { LISTENER } else { &[] };
    let mut allowed: Allowed = [ALWAYS, OLDER, listener]
        .concat()
        .into_iter()
        .map(|call| (call, Vec::new()))
        .collect();
    let executable = libc::PROT_EXEC as u64;
    let own = u64::from(std::process::id());
    allowed.insert(libc::SYS_mmap, vec![rule(2, MaskedEq(executable), 0)?]);
    allowed.insert(libc::SYS_mprotect, vec![rule(2, MaskedEq(executable), 0)?]);
    let thread = libc::CLONE_THREAD as u64;
    allowed.insert(libc::SYS_clone, vec![rule(0, MaskedEq(NAMESPACES | thread), thread)?]);
    allowed.insert(libc::SYS_prlimit64, vec![rule(0, Eq, 0)?]);
    allowed.insert(libc::SYS_tgkill, vec![rule(0, Eq, own)?]);
    allowed.insert(libc::SYS_ioctl, one_of(1, IOCTLS)?);
    allowed.insert(libc::SYS_prctl, one_of(0, PRCTLS)?);
    if let Some(child) = permissions.child {
        allowed.insert(libc::SYS_kill, vec![rule(0, Eq, u64::from(child))?]);
    }
    Ok(allowed)
}

fn one_of(argument: u8, values: &[u64]) -> Result<Vec<SeccompRule>, BackendError> {
    values
        .iter()
        .map(|value| rule(argument, SeccompCmpOp::Eq, *value))
        .collect()
}

/// A rule about the lower 32 bits of an argument: all that the kernel looks at in those used here.
fn rule(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompRule, BackendError> {
    let length = SeccompCmpArgLen::Dword;
    SeccompRule::new(vec![SeccompCondition::new(argument, length, operator, value)?])
}
