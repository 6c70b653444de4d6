//! What was used lately, within a bound.

use std::collections::HashMap;
use std::hash::Hash;

/// Keeps what was used lately, in two halves. When the first is full it becomes the second, and what was in that is forgotten: so
/// what has not been used for longest goes, without anybody looking for it.
pub struct Recent<K, V> {
    /// What one half may weigh.
    half: usize,
    /// What the first half weighs.
    weight: usize,
    recent: HashMap<K, Kept<V>>,
    older: HashMap<K, Kept<V>>,
}

struct Kept<V> {
    value: V,
    weight: usize,
}

impl<K, V> std::fmt::Debug for Recent<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recent").field("half", &self.half).field("weight", &self.weight).finish_non_exhaustive()
    }
}

impl<K: Eq + Hash, V> Recent<K, V> {
    /// Room for as much as weighs `most` together: in what unit, says whoever adds.
    pub fn new(most: usize) -> Recent<K, V> {
        Recent { half: most.div_ceil(2), weight: 0, recent: HashMap::new(), older: HashMap::new() }
    }

    /// Keeps `value` instead of what was kept under `key`; what weighs more than half of the room is not kept.
    pub fn add(&mut self, key: K, value: V, weight: usize) {
        self.older.remove(&key);
        self.weight -= self.recent.remove(&key).map_or(0, |before| before.weight);
        if weight > self.half {
            return;
        }
        if self.weight + weight > self.half {
            self.older = std::mem::take(&mut self.recent);
            self.weight = 0;
        }
        self.recent.insert(key, Kept { value, weight });
        self.weight += weight;
    }

    /// What is kept under `key`, which is used by that.
    pub fn find(&mut self, key: &K) -> Option<&V> {
        if let Some((key, Kept { value, weight })) = self.older.remove_entry(key) {
            self.add(key, value, weight);
        }
        self.recent.get(key).map(|kept| &kept.value)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Recent { half: self.half, weight: 0, recent: HashMap::new(), older: HashMap::new() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let mut recent = Recent::new(4);
        for key in ["a", "b", "c"] {
            recent.add(key, (), 1);
        }
        assert!(recent.find(&"a").is_some(), "used, and with that recent again");
        recent.add("d", (), 1);
        recent.add("e", (), 1);
        let found = ["a", "b", "c", "d", "e"].map(|key| recent.find(&key).is_some());
        assert_eq!(found, [true, false, false, true, true]);
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let mut recent = Recent::new(10);
        recent.add(0, "too heavy", 6);
        assert!(recent.find(&0).is_none());
        for key in 1..100 {
            recent.add(key, "", 3);
            assert!(recent.recent.values().chain(recent.older.values()).map(|kept| kept.weight).sum::<usize>() <= 10);
        }
        recent.add(99, "again", 3);
        assert_eq!(recent.find(&99), Some(&"again"), "what was kept before does not come back");
        recent.clear();
        assert!(recent.find(&99).is_none());
        let mut none = Recent::new(0);
        none.add(1, "", 1);
        assert!(none.find(&1).is_none());
    }
}
