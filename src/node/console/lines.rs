//! Lines that guest code has written to its console and nobody has taken yet.

use std::collections::VecDeque;

use crate::ConsoleLevel;

/// Most bytes that the waiting lines of a sandbox may take.
const WAITING_SIZE_MAX: usize = 16 << 20;
/// What a line takes beside its text, at least.
const LINE_OVERHEAD: usize = 256;

/// The lines of one sandbox, in their order. What they take is limited, so that a guest that writes faster than its lines are
/// taken cannot use up the host's memory: those for which there is no room are counted, and a line says how many they were.
#[derive(Default)]
pub struct Lines {
    lines: VecDeque<(ConsoleLevel, String)>,
    /// What the lines take.
    size: usize,
    /// Lines for which there was no room since the last that is in the list.
    lost: u64,
}

impl Lines {
    /// Adds a line, if there is room.
    pub fn add(&mut self, level: ConsoleLevel, text: String) {
        let size = text.len() + LINE_OVERHEAD;
        if self.size + size > WAITING_SIZE_MAX {
            self.lost += 1;
            return;
        }
        if self.lost > 0 {
            let notice = lost_notice(std::mem::take(&mut self.lost));
            self.size += notice.len() + LINE_OVERHEAD;
            self.lines.push_back((ConsoleLevel::Warn, notice));
        }
        self.size += size;
        self.lines.push_back((level, text));
    }

    /// The level of what [`take`](Self::take) gives.
    pub fn next_level(&self) -> Option<ConsoleLevel> {
        let lost = (self.lost > 0).then_some(ConsoleLevel::Warn);
        self.lines.front().map(|(level, _)| *level).or(lost)
    }

    /// Takes the line that was added first.
    pub fn take(&mut self) -> Option<(ConsoleLevel, String)> {
        let Some((level, text)) = self.lines.pop_front() else {
            // Those that were lost last have no line after them to be noticed with.
            let lost = std::mem::take(&mut self.lost);
            return (lost > 0).then(|| (ConsoleLevel::Warn, lost_notice(lost)));
        };
        self.size -= text.len() + LINE_OVERHEAD;
        Some((level, text))
    }
}

fn lost_notice(lost: u64) -> String {
    format!("(lines lost here: {lost}; the guest wrote them faster than they were taken)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_without_room_are_counted_and_noticed_where_they_are_missing() {
        let mut lines = Lines::default();
        let text = "x".repeat(WAITING_SIZE_MAX - LINE_OVERHEAD);
        lines.add(ConsoleLevel::Info, text.clone());
        lines.add(ConsoleLevel::Info, "lost".to_string());
        lines.add(ConsoleLevel::Error, "lost".to_string());
        assert_eq!(lines.take(), Some((ConsoleLevel::Info, text)));
        lines.add(ConsoleLevel::Info, "taken".to_string());
        let (level, notice) = lines.take().expect("the notice");
        assert!(level == ConsoleLevel::Warn && notice.contains("lost here: 2;"), "{notice}");
        assert_eq!(lines.take(), Some((ConsoleLevel::Info, "taken".to_string())));
        assert_eq!(lines.take(), None);
        assert_eq!(lines.size, 0);
    }

    #[test]
    fn lines_lost_at_the_end_are_noticed_after_the_others() {
        let mut lines = Lines::default();
        lines.add(ConsoleLevel::Info, "x".repeat(WAITING_SIZE_MAX - LINE_OVERHEAD));
        lines.add(ConsoleLevel::Info, "lost".to_string());
        assert!(lines.take().is_some());
        assert!(lines.take().is_some_and(|(_, notice)| notice.contains("lost here: 1;")));
        assert_eq!(lines.take(), None);
    }
}
