//! The sandbox, tried from inside: this program starts itself again as a process that enters it and then does what it
//! must not do, and looks at that process from outside through /proc.
//!
//! Without a harness, since the sandbox must be entered by a process of one thread. What needs root or another Linux
//! feature says that it is skipped, and why.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("skipped: the sandbox is Linux's");
}

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeMap;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::unix::net::UnixStream;
    use std::path::{Path, PathBuf};
    use std::process::{Child, Command, Stdio};

    use nix::sys::signal::{Signal, kill};
    use nix::unistd::{Pid, Uid, geteuid, getppid, setuid};
    use smtpcap::sandbox::{Applied, Identity, Level, Permissions, Piece, Refused, State, enter, own_folder};

    /// Set in the processes that enter the sandbox: which case they are.
    const CASE: &str = "SMTPCAP_SANDBOX_CASE";
    const FOLDER: &str = "SMTPCAP_SANDBOX_FOLDER";

    type Test = (&'static str, fn());

    const TESTS: &[Test] = &[
        ("what_it_must_not_do_is_refused_and_the_rest_works", refusals),
        ("the_process_has_no_privilege_when_looked_at_from_outside", from_outside),
        ("an_ordinary_user_gets_the_same_sandbox", ordinary_user),
        ("without_the_sandbox_the_same_acts_succeed", without),
        ("off_still_gives_privileges_up", off),
        ("root_is_refused_as_the_user_to_become", root_refused),
        ("a_process_with_threads_is_refused", threads_refused),
        ("a_folder_of_another_user_is_told_at_once", unwritable),
        (
            "strict_refuses_what_an_old_kernel_does_not_have_and_auto_tells_it",
            strict,
        ),
        ("a_listener_bound_before_answers", listener),
    ];

    /// These do not ask for Landlock or seccomp.
    const WITHOUT_KERNEL: &[&str] = &[
        "off_still_gives_privileges_up",
        "root_is_refused_as_the_user_to_become",
        "a_process_with_threads_is_refused",
    ];

    /// What this kernel does not have.
    fn lacking() -> Option<String> {
        let folder = folder("lacking");
        let report = report(command("strict", &folder));
        std::fs::remove_dir_all(folder).unwrap();
        let said = report.get("sandbox").unwrap();
        said.contains("NotSupported").then(|| format!("this kernel: {said}"))
    }

    pub fn main() {
        if let Ok(case) = std::env::var(CASE) {
            inside(&case);
            return;
        }
        let asked: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
        let wanted = |name: &str| asked.is_empty() || asked.iter().any(|word| name.contains(word.as_str()));
        let lacking = lacking();
        for (name, test) in TESTS.iter().filter(|(name, _)| wanted(name)) {
            if let Some(missing) = lacking.as_ref().filter(|_| !WITHOUT_KERNEL.contains(name)) {
                println!("test {name} ... skipped: {missing}");
                continue;
            }
            test();
            println!("test {name} ... ok");
        }
    }

    // Outside.

    /// What a process in the sandbox wrote: `act result` lines.
    type Report = BTreeMap<String, String>;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("smtpcap-sandbox-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let owner = geteuid().is_root().then(Identity::nobody);
        own_folder(&folder, owner.as_ref()).unwrap();
        folder
    }

    fn command(case: &str, folder: &Path) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .env(CASE, case)
            .env(FOLDER, folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        command
    }

    fn report(mut command: Command) -> Report {
        let output = command.stdin(Stdio::null()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{:?}: {text}", output.status);
        text.lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(act, result)| (act.to_owned(), result.to_owned()))
            .collect()
    }

    fn check(report: &Report) {
        for act in MUST_NOT {
            let result = report
                .get(*act)
                .unwrap_or_else(|| panic!("{act} was not tried: {report:?}"));
            assert!(result.starts_with("refused"), "{act}: {result}");
        }
        for act in MAY {
            assert_eq!(report.get(*act).map(String::as_str), Some("done"), "{act}: {report:?}");
        }
    }

    fn refusals() {
        let folder = folder("refusals");
        let report = report(command("strict", &folder));
        println!("  {}", report.get("sandbox").unwrap());
        check(&report);
        std::fs::remove_dir_all(folder).unwrap();
    }

    /// The lines of /proc/PID/status.
    fn status(pid: u32) -> BTreeMap<String, String> {
        std::fs::read_to_string(format!("/proc/{pid}/status"))
            .unwrap()
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(key, value)| (key.to_owned(), value.trim().to_owned()))
            .collect()
    }

    /// A process that entered the sandbox and waits until its standard input ends.
    fn waiting(mut command: Command) -> (Child, String) {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        (child, line.trim().to_owned())
    }

    fn from_outside() {
        let folder = folder("outside");
        let (mut child, said) = waiting(command("wait", &folder));
        assert_eq!(said, "ready");
        let status = status(child.id());
        for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
            assert_eq!(status[set], "0000000000000000", "{set}");
        }
        if geteuid().is_root() {
            assert_eq!(status["CapBnd"], "0000000000000000");
            assert_eq!(status["Groups"], "");
        } else {
            println!("  skipped in part: not root, so no user to become");
        }
        for ids in ["Uid", "Gid"] {
            assert!(
                status[ids].split_whitespace().all(|id| id != "0"),
                "{ids}: {}",
                status[ids]
            );
        }
        assert_eq!((status["NoNewPrivs"].as_str(), status["Seccomp"].as_str()), ("1", "2"));
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
        std::fs::remove_dir_all(folder).unwrap();
    }

    fn ordinary_user() {
        if !geteuid().is_root() {
            println!("  skipped: not root, the other tests are this one");
            return;
        }
        let folder = folder("ordinary");
        // A copy where that user may execute it.
        let program = folder.join("probe");
        std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        let nobody = Identity::nobody();
        let mut command = Command::new("setpriv");
        command
            .args([format!("--reuid={}", nobody.uid), format!("--regid={}", nobody.gid)])
            .args(["--clear-groups", "--"])
            .arg(&program)
            .env(CASE, "strict")
            .env(FOLDER, &folder)
            .stdout(Stdio::piped());
        check(&report(command));
        std::fs::remove_dir_all(folder).unwrap();
    }

    /// The acts are real ones: they succeed where nothing forbids them, so that a refusal above means something.
    fn without() {
        let folder = folder("without");
        let report = report(command("none", &folder));
        for act in [
            "write-elsewhere",
            "read-elsewhere",
            "exec",
            "tcp",
            "udp",
            "unix-socket",
            "ptrace",
            "signal-parent",
        ] {
            assert_eq!(report.get(act).map(String::as_str), Some("done"), "{act}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    fn off() {
        let folder = folder("off");
        let report = report(command("off", &folder));
        let pieces = report.get("sandbox").unwrap();
        assert!(
            pieces.contains("Files LeftOut") && pieces.contains("Calls LeftOut"),
            "{pieces}"
        );
        assert!(report["become-root"].starts_with("refused"), "{report:?}");
        assert_eq!(report["read-elsewhere"], "done");
        std::fs::remove_dir_all(folder).unwrap();
    }

    fn refusal(case: &str) -> String {
        let folder = folder(case);
        let report = report(command(case, &folder));
        std::fs::remove_dir_all(folder).unwrap();
        report.get("sandbox").unwrap().clone()
    }

    fn root_refused() {
        if geteuid().is_root() {
            assert_eq!(refusal("root"), "refused Root");
        } else {
            println!("  skipped: not root");
        }
    }

    fn threads_refused() {
        assert_eq!(refusal("threads"), "refused Threads(2)");
    }

    fn unwritable() {
        assert!(refusal("unwritable").starts_with("refused Unwritable(\"/\")"));
        assert!(refusal("absent").starts_with("refused Path(\"/absent/"));
    }

    fn strict() {
        let said = refusal("old-kernel-strict");
        let missing = "refused Missing([(Files, NotSupported), (Calls, NotSupported)])";
        assert_eq!(said, missing);
        let folder = folder("old-kernel");
        let report = report(command("old-kernel", &folder));
        let pieces = report.get("sandbox").unwrap();
        assert!(
            pieces.ends_with("NoNewPrivileges Applied, Files NotSupported, Calls NotSupported"),
            "{pieces}"
        );
        std::fs::remove_dir_all(folder).unwrap();
    }

    fn listener() {
        let folder = folder("listener");
        let (mut child, said) = waiting(command("listener", &folder));
        let mut stream = TcpStream::connect(said.strip_prefix("ready ").unwrap()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "metrics");
        assert!(child.wait().unwrap().success());
        std::fs::remove_dir_all(folder).unwrap();
    }

    // Inside.

    const MUST_NOT: &[&str] = &[
        "write-elsewhere",
        "write-through-link",
        "read-elsewhere",
        "exec",
        "execve",
        "exec-in-folder",
        "tcp",
        "listen",
        "udp",
        "unix-socket",
        "ptrace",
        "mount",
        "namespace",
        "become-root",
        "signal-parent",
        "chroot",
    ];
    const MAY: &[&str] = &[
        "write",
        "rename",
        "remove",
        "thread",
        "time-zone",
        "signal-child",
        "clock",
    ];

    fn inside(case: &str) {
        let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
        let mut command = Command::new("sleep");
        command.arg("60").stdout(Stdio::null());
        if geteuid().is_root() && case != "none" {
            // Like the capture program, which gives root up too.
            std::os::unix::process::CommandExt::uid(&mut command, Identity::nobody().uid);
        }
        let mut child = command.spawn().unwrap();
        let mut permissions = Permissions {
            level: Level::Strict,
            write_below: vec![folder.clone()],
            child: Some(child.id()),
            ..Permissions::default()
        };
        match case {
            "none" => act(&folder, &child),
            "strict" => with(&permissions, || act(&folder, &child)),
            "off" => {
                permissions.level = Level::Off;
                with(&permissions, || act(&folder, &child));
            }
            "root" => {
                permissions.user = Some(Identity::named("root").unwrap());
                with(&permissions, || {});
            }
            "threads" => {
                std::thread::spawn(|| std::thread::sleep(std::time::Duration::from_secs(60)));
                with(&permissions, || {});
            }
            "unwritable" => {
                permissions.write_below = vec![PathBuf::from("/")];
                with(&permissions, || {});
            }
            "absent" => {
                permissions.write_below = vec![PathBuf::from("/absent/folder")];
                with(&permissions, || {});
            }
            "old-kernel" | "old-kernel-strict" => {
                old_kernel();
                if case == "old-kernel" {
                    permissions.level = Level::Auto;
                }
                with(&permissions, || {});
            }
            "wait" => {
                enter(&permissions).unwrap();
                println!("ready");
                std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
            }
            "listener" => serve(&mut permissions),
            other => panic!("{other}"),
        }
        // It may be traced and stopped: only this signal ends it then.
        let _ = kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGKILL);
        let _ = child.wait();
    }

    /// From here on the kernel answers as one does that has neither Landlock nor seccomp.
    fn old_kernel() {
        use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};
        let calls = [libc::SYS_landlock_create_ruleset, libc::SYS_seccomp];
        let filter = SeccompFilter::new(
            calls.map(|call| (call, Vec::new())).into(),
            SeccompAction::Allow,
            SeccompAction::Errno(libc::ENOSYS.unsigned_abs()),
            std::env::consts::ARCH.try_into().unwrap(),
        );
        let program: BpfProgram = filter.unwrap().try_into().unwrap();
        apply_filter(&program).unwrap();
    }

    fn serve(permissions: &mut Permissions) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        permissions.listener = true;
        enter(permissions).unwrap();
        println!("ready {}", listener.local_addr().unwrap());
        let answer = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"metrics").unwrap();
        });
        answer.join().unwrap();
    }

    fn with(permissions: &Permissions, act: impl FnOnce()) {
        match enter(permissions) {
            Ok(applied) => {
                println!("sandbox {}", pieces(&applied));
                act();
            }
            Err(refused) => {
                let told = match &refused {
                    Refused::Missing(pieces) => format!("Missing({pieces:?})"),
                    other => format!("{other:?}"),
                };
                println!("sandbox refused {told}");
            }
        }
    }

    fn pieces(applied: &Applied) -> String {
        let piece = |piece: &Piece| match applied.state(*piece) {
            State::Failed(why) => format!("{piece:?} Failed({why})"),
            state => format!("{piece:?} {state:?}"),
        };
        Piece::ALL.iter().map(piece).collect::<Vec<_>>().join(", ")
    }

    fn tell<T>(act: &str, result: Result<T, impl std::fmt::Display>) {
        match result {
            Ok(_) => println!("{act} done"),
            Err(error) => println!("{act} refused: {error}"),
        }
    }

    /// Does everything, and tells how it went. Harmless where it succeeds.
    fn act(folder: &Path, child: &Child) {
        let elsewhere = std::env::temp_dir().join(format!("smtpcap-elsewhere-{}", std::process::id()));
        tell("write-elsewhere", std::fs::write(&elsewhere, "x"));
        let _ = std::fs::remove_file(&elsewhere);
        let link = folder.join("link");
        let linked = std::os::unix::fs::symlink("/dev/shm/smtpcap-linked", &link);
        tell("write-through-link", linked.and_then(|()| std::fs::write(&link, "x")));
        let _ = std::fs::remove_file("/dev/shm/smtpcap-linked");
        let _ = std::fs::remove_file(&link);
        tell("read-elsewhere", std::fs::read("/etc/passwd"));
        tell("exec", Command::new("/bin/true").status());
        tell(
            "exec-in-folder",
            Command::new(folder.join("probe")).env(CASE, "none").spawn(),
        );
        tell(
            "tcp",
            TcpListener::bind("127.0.0.1:0").and_then(|server| TcpStream::connect(server.local_addr()?)),
        );
        tell("listen", TcpListener::bind("127.0.0.1:0"));
        tell("udp", UdpSocket::bind("127.0.0.1:0"));
        tell("unix-socket", UnixStream::pair());
        tell(
            "mount",
            nix::mount::mount(
                None::<&str>,
                "/mnt",
                Some("tmpfs"),
                nix::mount::MsFlags::empty(),
                None::<&str>,
            ),
        );
        let _ = nix::mount::umount("/mnt");
        tell("chroot", std::os::unix::fs::chroot("/"));
        tell("signal-parent", kill(getppid(), None));
        tell("become-root", setuid(Uid::from_raw(0)));
        tell("write", std::fs::write(folder.join("a"), "x"));
        tell("rename", std::fs::rename(folder.join("a"), folder.join("b")));
        tell("remove", std::fs::remove_file(folder.join("b")));
        let thread = std::thread::Builder::new().name("worker".to_owned()).spawn(|| 7);
        tell("thread", thread.map(|thread| thread.join().unwrap()));
        tell("time-zone", std::fs::read("/usr/share/zoneinfo/Asia/Tokyo"));
        tell("clock", {
            std::thread::sleep(std::time::Duration::from_millis(1));
            Ok::<_, std::fmt::Error>(())
        });
        let pid = Pid::from_raw(child.id().try_into().unwrap());
        tell("ptrace", nix::sys::ptrace::attach(pid));
        tell("signal-child", kill(pid, Signal::SIGTERM));
        tell("namespace", nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUSER));
        // Without a new process, too; where it succeeds nothing below this line is reached.
        if std::env::var(CASE).is_ok_and(|case| case == "strict") {
            tell(
                "execve",
                Err::<(), _>(std::os::unix::process::CommandExt::exec(&mut Command::new("/bin/true"))),
            );
        }
    }
}
