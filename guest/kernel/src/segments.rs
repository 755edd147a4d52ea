//! What the host says of the runtime image, checked.

use core::ops::Range;

use guest_abi::boot::{BootHeader, Segment as Entry};
use guest_abi::memory::{IMAGE_END, IMAGE_START, PAGE_SIZE};

use crate::page_table::Access;

/// A part of the image that is loaded into memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The pages whose content is in the image, by their addresses.
    pub from_image: Range<u64>,
    /// The pages after these, which are zero.
    pub zeroed: Range<u64>,
    /// What code at CPL 3 may do with it.
    pub access: Access,
}

/// Segments that passed all checks: they lie within the window that [`guest_abi::memory`] gives to the image, one after the other,
/// and the image has the content of them all.
#[derive(Clone, Copy, Debug)]
pub struct Segments<'a>(&'a [Entry]);

impl<'a> Segments<'a> {
    /// Checks the segments of an image of this many bytes.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check(header: &'a BootHeader, image_size: u64) -> Result<Self, &'static str> {
        let entries = header.segments.get(..header.segment_count as usize).ok_or("there are too many segments")?;
        let mut end = IMAGE_START;
        let mut content = 0;
        let mut entry_found = false;
        for entry in entries {
            if !entry.address.is_multiple_of(PAGE_SIZE) || entry.address < end || entry.address > IMAGE_END {
                return Err("a segment lies outside the window for the image or is out of order");
            }
            let segment = segment(entry).ok_or("a segment has no known rights")?;
            end = segment.zeroed.end;
            if end > IMAGE_END {
                return Err("a segment lies outside the window for the image");
            }
            content += u64::from(entry.image_pages) * PAGE_SIZE;
            entry_found |= segment.access == Access::Execute && segment.from_image.contains(&header.entry);
        }
        if content > image_size {
            return Err("the image is truncated");
        }
        if entry_found { Ok(Self(entries)) } else { Err("the entry point is in no executable segment") }
    }

    /// The segments, by ascending address. The image has their pages in the same order, without gaps.
    pub fn iter(&self) -> impl Iterator<Item = Segment> + '_ {
        self.0.iter().filter_map(segment)
    }
}

/// A segment of whatever size; `None` if its rights are unknown. No sum overflows: the address is at most that of a page, and the
/// sizes have 32 bits.
fn segment(entry: &Entry) -> Option<Segment> {
    let access = match entry.access {
        Entry::READ => Access::Read,
        Entry::READ_WRITE => Access::ReadWrite,
        Entry::EXECUTE => Access::Execute,
        _ => return None,
    };
    let end_of_image = entry.address + u64::from(entry.image_pages) * PAGE_SIZE;
    let end = end_of_image + u64::from(entry.zeroed_pages) * PAGE_SIZE;
    Some(Segment { from_image: entry.address..end_of_image, zeroed: end_of_image..end, access })
}

#[cfg(test)]
mod tests {
    use super::*;
    use guest_abi::boot::Settings;
    extern crate std;
    use std::vec::Vec;

    const CODE: Entry =
        Entry { address: IMAGE_START + 0x1000, image_pages: 2, zeroed_pages: 0, access: Entry::EXECUTE, reserved: 0 };
    const DATA: Entry = Entry {
        address: IMAGE_START + 0x4000,
        image_pages: 1,
        zeroed_pages: 3,
        access: Entry::READ_WRITE,
        reserved: 0,
    };

    fn header(segments: &[Entry], entry: u64) -> BootHeader {
        let settings = Settings { heap_size: 0, javascript_limit: 0, stack_size: 0, output_limit: 0 };
        BootHeader::new(entry, segments, settings).expect("few segments")
    }

    fn refused(segments: &[Entry]) -> &'static str {
        Segments::check(&header(segments, CODE.address), 0x3000).expect_err("bad segments")
    }

    #[test]
    fn good_segments_are_ranges_of_pages() {
        let header = header(&[CODE, DATA], CODE.address + 4);
        let segments: Vec<_> = Segments::check(&header, 0x3000).expect("good segments").iter().collect();
        assert_eq!(segments.len(), 2);
        assert_eq!(segments[0].from_image, IMAGE_START + 0x1000..IMAGE_START + 0x3000);
        assert!(segments[0].zeroed.is_empty() && segments[0].access == Access::Execute);
        assert_eq!(segments[1].from_image, IMAGE_START + 0x4000..IMAGE_START + 0x5000);
        assert_eq!(segments[1].zeroed, IMAGE_START + 0x5000..IMAGE_START + 0x8000);
    }

    #[test]
    fn a_segment_lies_within_the_window() {
        let in_window = ((IMAGE_END - CODE.address) / PAGE_SIZE) as u32;
        let largest = Entry { image_pages: 2, zeroed_pages: in_window - 2, ..CODE };
        assert!(Segments::check(&header(&[largest], CODE.address), 0x3000).is_ok());
        for bad in [
            Entry { zeroed_pages: largest.zeroed_pages + 1, ..largest },
            Entry { image_pages: u32::MAX, zeroed_pages: u32::MAX, ..CODE },
            Entry { address: IMAGE_START - 0x1000, ..CODE },
            Entry { address: IMAGE_END, ..CODE },
            Entry { address: u64::MAX - 0xfff, ..CODE },
            Entry { address: CODE.address + 1, ..CODE },
        ] {
            assert!(refused(&[bad]).contains("outside the window"), "{bad:?}");
        }
    }

    #[test]
    fn segments_share_no_page_and_are_in_order() {
        assert!(refused(&[CODE, CODE]).contains("out of order"));
        assert!(refused(&[DATA, CODE]).contains("out of order"));
        assert!(refused(&[CODE, Entry { address: CODE.address + 0x1000, ..DATA }]).contains("out of order"));
    }

    #[test]
    fn the_image_has_the_content_of_all() {
        let header = header(&[CODE, DATA], CODE.address);
        assert!(Segments::check(&header, 0x3000).is_ok());
        assert_eq!(Segments::check(&header, 0x2fff).expect_err("a short image"), "the image is truncated");
    }

    #[test]
    fn there_are_only_three_kinds_of_rights() {
        assert!(refused(&[Entry { access: 3, ..CODE }]).contains("rights"));
    }

    #[test]
    fn a_count_beyond_the_table_is_refused() {
        let mut header = header(&[CODE], CODE.address);
        header.segment_count = BootHeader::SEGMENTS_MAX as u32 + 1;
        assert_eq!(Segments::check(&header, 0x3000).expect_err("too many"), "there are too many segments");
    }

    #[test]
    fn the_entry_is_code() {
        let no_entry = "the entry point is in no executable segment";
        assert_eq!(refused(&[]), no_entry);
        assert_eq!(refused(&[Entry { access: Entry::READ, ..CODE }]), no_entry);
        let header = header(&[CODE, DATA], CODE.address + 0x2000);
        assert_eq!(Segments::check(&header, 0x3000).expect_err("past the code"), no_entry);
    }
}
