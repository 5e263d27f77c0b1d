//! The notes on the switch: every line of a listing stands under a block that is explained. Whether listings match the binary is held by `.ci/run listings`, which builds it.

use std::collections::BTreeSet;
use std::fs;

/// A page of the folder.
fn page(name: &str) -> String {
    let path = format!("{}/asm-notes/{name}", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(path).unwrap()
}

/// What stands between a page's markers of this kind, with the words of the first marker.
fn marked<'a>(text: &'a str, kind: &str) -> Vec<(&'a str, &'a str)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(&format!("<!-- {kind} ")) {
        let (head, after) = after.split_once(" -->\n").unwrap();
        let (inside, after) = after.split_once("<!-- end -->").unwrap();
        found.push((head, inside));
        rest = after;
    }
    found
}

/// The instructions of a listing, each with the block that it stands under.
fn instructions(listing: &str) -> Vec<(Option<&str>, &str)> {
    let mut block = None;
    let mut found = Vec::new();
    for line in listing.lines().filter(|line| !line.starts_with("```")) {
        match line.strip_prefix("    ") {
            Some(instruction) => found.push((block, instruction)),
            None => block = line.split("  ").next(),
        }
    }
    found
}

/// The blocks that a page's table explains.
fn explained(page: &str) -> BTreeSet<&str> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.filter_map(|row| row.split_once("` | "));
    cells
        .filter(|(_, text)| text.len() > 20)
        .map(|(block, _)| block)
        .collect()
}

#[test]
fn every_instruction_of_a_listing_is_explained() {
    let page = page("x86_64.md");
    let explained = explained(&page);
    let listings = marked(&page, "listing");
    assert_eq!(listings.len(), 3);
    for (head, listing) in listings {
        for (block, instruction) in instructions(listing) {
            let block = block.unwrap_or_else(|| panic!("{head}: no block over {instruction}"));
            assert!(
                explained.contains(block),
                "{head}: {block} has no row in the table of blocks: {instruction}"
            );
        }
    }
}

#[test]
fn the_table_of_blocks_explains_nothing_that_is_not_there() {
    let page = page("x86_64.md");
    let listings = marked(&page, "listing");
    let blocks: BTreeSet<_> = listings
        .iter()
        .flat_map(|(_, listing)| instructions(listing))
        .filter_map(|(block, _)| block)
        .collect();
    let table = page.split_once("\n## Blocks\n").unwrap().1;
    let stale: Vec<_> = explained(table).difference(&blocks).copied().collect();
    assert_eq!(stale, Vec::<&str>::new());
}

#[test]
fn a_listing_says_how_many_instructions_it_has() {
    for (head, listing) in marked(&page("x86_64.md"), "listing") {
        let count = instructions(listing).len();
        assert!(
            head.ends_with(&format!("; {count} instructions")),
            "{head}, not {count}"
        );
    }
}

#[test]
fn the_split_of_a_switch_adds_up_to_its_listing() {
    let (pages, ways) = (page("cost-of-a-switch.md"), page("x86_64.md"));
    let rows = pages.lines().filter(|line| line.starts_with("| ")).skip(1);
    let cells = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    let (whole, parts): (Vec<_>, Vec<_>) = cells
        .take_while(|cells| cells[1] != "now and then")
        .partition(|cells| cells[1] == "the whole way");
    for (place, name) in [(2, "yield_now"), (3, "generator_send")] {
        let sum: usize = parts
            .iter()
            .map(|cells| cells[place].parse::<usize>().unwrap())
            .sum();
        assert_eq!(sum.to_string(), whole[0][place]);
        let (head, _) = marked(&ways, "listing")
            .into_iter()
            .find(|(head, _)| head.starts_with(name))
            .unwrap();
        assert!(
            head.ends_with(&format!("; {sum} instructions")),
            "{head}, not {sum}"
        );
    }
}
