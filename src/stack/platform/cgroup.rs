//! The memory limit of the control group: past it the kernel kills the process, so more stacks are refused before.
//!
//! Both hierarchies are known (`memory.max`, and `memory.limit_in_bytes` of the older one), and every group above ours counts. Page cache that the kernel would drop
//! first is not counted as used, as container tools do it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// One group that has a limit.
#[derive(Debug)]
struct Group {
    /// The file with its limit in bytes.
    limit: PathBuf,

    /// The file with what it uses.
    usage: PathBuf,

    /// The file with what of that is what.
    kinds: PathBuf,
}

/// Refuses when `bytes` more would pass a limit.
pub(super) fn check(bytes: usize) -> io::Result<()> {
    static GROUPS: OnceLock<Vec<Group>> = OnceLock::new();
    let groups = GROUPS.get_or_init(|| {
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        limited_groups(Path::new("/sys/fs/cgroup"), &own)
    });
    check_in(groups, bytes)
}

fn check_in(groups: &[Group], bytes: usize) -> io::Result<()> {
    let hit = groups.iter().find_map(|group| group.hit(bytes));
    hit.map_or(Ok(()), |text| {
        Err(io::Error::new(io::ErrorKind::OutOfMemory, text))
    })
}

/// The groups from ours up that have a limit. `own` is what `/proc/self/cgroup` says.
fn limited_groups(root: &Path, own: &str) -> Vec<Group> {
    let lines = own.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        Some((parts.next()?, parts.next()?))
    });
    lines
        .flat_map(|(controllers, path)| groups_of(root, controllers, path))
        .filter(|group| number(&group.limit).is_some_and(|limit| limit < usize::MAX / 4))
        .collect()
}

fn groups_of(root: &Path, controllers: &str, path: &str) -> Vec<Group> {
    let (root, limit, usage) = match controllers {
        "" => (root.to_owned(), "memory.max", "memory.current"),
        "memory" => {
            let files = ("memory.limit_in_bytes", "memory.usage_in_bytes");
            (root.join("memory"), files.0, files.1)
        }
        _ => return Vec::new(),
    };
    let own = root.join(path.trim_start_matches('/'));
    let folders = own
        .ancestors()
        .take_while(|folder| folder.starts_with(&root));
    let group = |folder: &Path| Group {
        limit: folder.join(limit),
        usage: folder.join(usage),
        kinds: folder.join("memory.stat"),
    };
    folders.map(group).collect()
}

impl Group {
    /// What is wrong with `bytes` more, if anything.
    fn hit(&self, bytes: usize) -> Option<String> {
        let limit = number(&self.limit)?;
        let used = number(&self.usage)?.saturating_sub(self.droppable());
        (used.saturating_add(bytes) > limit).then(|| {
            format!(
                "cannot use {bytes} bytes for stacks: the control group's limit ({}) is {limit} bytes, {used} of them in use",
                self.limit.display()
            )
        })
    }

    /// Bytes of page cache that the kernel takes away before it kills.
    fn droppable(&self) -> usize {
        let text = fs::read_to_string(&self.kinds).unwrap_or_default();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("inactive_file "));
        line.and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
    }
}

fn number(file: &Path) -> Option<usize> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hierarchy as the kernel shows it, in a folder that is removed at the end.
    struct Hierarchy(PathBuf);

    impl Hierarchy {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let root =
                std::env::temp_dir().join(format!("greenthread-{name}-{}", std::process::id()));
            for (file, text) in files {
                let file = root.join(file);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, text).unwrap();
            }
            Hierarchy(root)
        }
    }

    impl Drop for Hierarchy {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn l3_the_limit_of_a_control_group_refuses_what_would_pass_it() {
        let files = [
            ("a/b/memory.max", "max\n"),
            ("a/memory.max", "1000000\n"),
            ("a/memory.current", "900000\n"),
            ("a/memory.stat", "anon 5\ninactive_file 100000\n"),
        ];
        let tree = Hierarchy::new("groups", &files);
        let groups = limited_groups(&tree.0, "0::/a/b\n");
        assert_eq!(groups.len(), 1);
        check_in(&groups, 200_000).unwrap();
        let text = check_in(&groups, 200_001).unwrap_err().to_string();
        assert!(
            text.contains("a/memory.max) is 1000000 bytes, 800000 of them in use"),
            "{text}"
        );
    }

    #[test]
    fn l3_the_older_hierarchy_is_known_too() {
        let files = [
            ("memory/x/memory.limit_in_bytes", "5000\n"),
            ("memory/x/memory.usage_in_bytes", "4000\n"),
            ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ];
        let tree = Hierarchy::new("older", &files);
        let groups = limited_groups(&tree.0, "7:cpu:/\n4:memory:/x\n0::/\n");
        assert_eq!(groups.len(), 1);
        check_in(&groups, 1000).unwrap();
        assert!(check_in(&groups, 1001).is_err());
    }
}
