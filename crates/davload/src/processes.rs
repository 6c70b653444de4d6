//! What the server's processes cost, from /proc: processor seconds and memory, children included. proc(5).

use std::collections::BTreeMap;
use std::path::Path;

/// The kernel counts processor time of processes in ticks of this length, on every Linux in use.
const TICKS_PER_SECOND: f64 = 100.0;

/// Processes under watch: those named and all their descendants at the moment of asking.
#[derive(Clone, Debug, Default)]
pub(crate) struct Processes {
    roots: Vec<u32>,
}

impl Processes {
    /// These processes and whatever they start.
    pub(crate) fn new(roots: &[u32]) -> Processes {
        Processes { roots: roots.to_vec() }
    }

    /// This program itself.
    pub(crate) fn own() -> Processes {
        Processes { roots: vec![std::process::id()] }
    }

    /// Whether there is anything to watch.
    pub(crate) fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    /// Processor seconds spent so far. Children that ended are in what their parent waited for.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        let ticks: u64 = self.all().iter().filter_map(|pid| stat(*pid)).map(|stat| stat.ticks).sum();
        ticks as f64 / TICKS_PER_SECOND
    }

    /// Memory in use, bytes. Pages that several processes share are counted once where the kernel tells.
    pub(crate) fn memory_bytes(&self) -> u64 {
        let one = |pid: &u32| {
            field(&format!("/proc/{pid}/smaps_rollup"), "Pss:").or_else(|| field(&status_of(*pid), "VmRSS:"))
        };
        self.all().iter().filter_map(one).sum()
    }

    /// The highest memory of each process since `forget_peak`, bytes, summed.
    pub(crate) fn peak_bytes(&self) -> u64 {
        self.all().iter().filter_map(|pid| field(&status_of(*pid), "VmHWM:")).sum()
    }

    /// Lets the peak begin anew; processes of other users keep theirs.
    pub(crate) fn forget_peak(&self) {
        for pid in self.all() {
            let _ = std::fs::write(format!("/proc/{pid}/clear_refs"), "5");
        }
    }

    fn all(&self) -> Vec<u32> {
        let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        let folders = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        for pid in folders.filter_map(|folder| folder.file_name().to_str()?.parse().ok()) {
            if let Some(stat) = stat(pid) {
                children.entry(stat.parent).or_default().push(pid);
            }
        }
        let mut found: Vec<u32> = self.roots.iter().copied().filter(|pid| exists(*pid)).collect();
        let mut next = 0;
        while next < found.len() {
            for child in children.remove(&found[next]).unwrap_or_default() {
                if !found.contains(&child) {
                    found.push(child);
                }
            }
            next += 1;
        }
        found
    }
}

struct Stat {
    parent: u32,
    ticks: u64,
}

fn exists(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

fn status_of(pid: u32) -> String {
    format!("/proc/{pid}/status")
}

fn stat(pid: u32) -> Option<Stat> {
    parsed_stat(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The name of a program may contain anything, brackets too; what follows the last one is fixed.
fn parsed_stat(text: &str) -> Option<Stat> {
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let ticks = (11..15).filter_map(|place| fields.get(place)?.parse::<u64>().ok()).sum();
    Some(Stat { parent: fields.get(1)?.parse().ok()?, ticks })
}

/// A size "NAME:  123 kB" of a file below /proc, in bytes.
fn field(path: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_ascii_whitespace().next()?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_with_brackets_in_its_name_is_read() {
        let stat = parsed_stat("7 (a) b (c)) S 3 7 7 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1").unwrap();
        assert_eq!((stat.parent, stat.ticks), (3, 100));
        assert!(parsed_stat("nonsense").is_none());
    }

    #[test]
    fn children_belong_to_their_parent() {
        let mut child = std::process::Command::new("sleep").arg("30").spawn().unwrap();
        let own = Processes::own();
        assert!(own.all().contains(&child.id()));
        assert!(own.memory_bytes() > 0 && own.peak_bytes() > 0);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!own.all().contains(&child.id()));
        assert!(Processes::new(&[]).is_empty() && Processes::new(&[]).cpu_seconds() == 0.0);
    }
}
