//! The rules, one function each: what it finds, as `file:line: what is wrong`.

use std::collections::BTreeSet;

use crate::imports::{self, Import, Module, Tree};
use crate::lexer::{self, Token};

/// Source files as `(path under src, text)`.
type Files = [(String, String)];

/// Folders by layer.
type Layers<'a> = [(usize, &'a [&'a str])];

/// Imports of a higher layer, or of the crate root.
pub(crate) fn upward(tree: &Tree, layers: &Layers) -> Vec<String> {
    let finding = |import: &Import| {
        let [from, to] = ends(tree, import);
        let (own, named) = (layer(from, layers)?, layer(to, layers));
        match named {
            _ if to.path.is_empty() => Some("what only the crate root has".to_owned()),
            Some(named) if named > own => Some(format!("{} of layer {named}", to.file)),
            _ => None,
        }
        .map(|what| at(from, import, &format!("layer {own} names {what}")))
    };
    tree.imports().iter().filter_map(finding).collect()
}

/// Files whose folder is in no layer.
pub(crate) fn without_layer(tree: &Tree, layers: &Layers) -> Vec<String> {
    let outside = |module: &&Module| !module.path.is_empty() && layer(module, layers).is_none();
    let modules = tree.modules.iter().filter(outside);
    modules
        .map(|module| format!("src/{}:1: no layer has its folder", module.file))
        .collect()
}

/// Circles of imports, one line for each import.
pub(crate) fn circles(tree: &Tree) -> Vec<String> {
    let line = |import: &Import| {
        let [from, to] = ends(tree, import);
        at(from, import, &format!("names {}, in a circle", to.file))
    };
    let mut lines: Vec<String> = tree.circles().concat().iter().map(line).collect();
    lines.sort();
    lines.dedup();
    lines
}

/// What layer 3 names of layer 2 besides `wait_side`.
pub(crate) fn past_the_wait_side(tree: &Tree, layers: &Layers, wait_side: &[&str]) -> Vec<String> {
    let finding = |import: &Import| {
        let [from, to] = ends(tree, import);
        let crosses = layer(from, layers) == Some(3) && layer(to, layers) == Some(2);
        let allowed = to
            .path
            .get(1)
            .is_some_and(|name| wait_side.contains(&name.as_str()));
        let what = || {
            at(
                from,
                import,
                &format!("layer 3 names {}, which is not of the wait side", to.file),
            )
        };
        (crosses && !allowed).then(what)
    };
    tree.imports().iter().filter_map(finding).collect()
}

fn ends<'a>(tree: &'a Tree, import: &Import) -> [&'a Module; 2] {
    [&tree.modules[import.from], &tree.modules[import.to]]
}

fn at(from: &Module, import: &Import, what: &str) -> String {
    format!("src/{}:{}: {what}", from.file, import.line)
}

/// The layer of `module`'s folder; the crate root has none.
fn layer(module: &Module, layers: &Layers) -> Option<usize> {
    let folder = module.path.first()?;
    let listed = |entry: &&(usize, &[&str])| entry.1.contains(&folder.as_str());
    layers.iter().find(listed).map(|(number, _)| *number)
}

/// The keyword `unsafe` outside the files in `list`.
pub(crate) fn unlisted_unsafe(files: &Files, list: &[&str]) -> Vec<String> {
    let mut out = Vec::new();
    for (file, text) in files {
        if !list.contains(&file.as_str()) {
            let lines = lines_with(text, "unsafe");
            out.extend(
                lines.map(|line| {
                    format!("src/{file}:{line}: `unsafe` in a file that is not listed")
                }),
            );
        }
    }
    out
}

/// Files that use `unsafe` and do not expect it in so many words at their head. A file of tests may rely on the file it tests.
pub(crate) fn unexplained_unsafe(files: &Files) -> Vec<String> {
    let explained = files.iter().filter(|(_, text)| expects_unsafe(text));
    let tests: Vec<String> = explained
        .flat_map(|(file, text)| imports::test_files(file, text))
        .collect();
    let mut out = Vec::new();
    for (file, text) in files.iter().filter(|(file, _)| !tests.contains(file)) {
        if let (Some(line), false) = (lines_with(text, "unsafe").next(), expects_unsafe(text)) {
            out.push(format!(
                "src/{file}:{line}: `unsafe` without `#![expect(unsafe_code, reason = \"..\")]` at the head of the file"
            ));
        }
    }
    out
}

/// Whether an inner attribute expects `unsafe_code` and gives a reason.
fn expects_unsafe(text: &str) -> bool {
    let tokens = lexer::tokens(text);
    let opens =
        |rest: &[Token]| rest[0].is_mark('#') && rest[1].is_mark('!') && rest[2].is_mark('[');
    let mut attributes =
        (0..tokens.len().saturating_sub(2)).filter(|&begin| opens(&tokens[begin..]));
    attributes.any(|begin| {
        let attribute = &tokens[begin + 2..];
        let attribute = &attribute[..lexer::group_length(attribute)];
        let has = |word: &str| attribute.iter().any(|token| token.is_word(word));
        has("expect") && has("unsafe_code") && has("reason")
    })
}

/// Entries of `list` that name no file, or one without `unsafe`.
pub(crate) fn stale_list(files: &Files, list: &[&str]) -> Vec<String> {
    let uses = |name: &str| {
        let mut named = files.iter().filter(|(file, _)| file == name);
        named.any(|(_, text)| lines_with(text, "unsafe").next().is_some())
    };
    let stale = list.iter().filter(|name| !uses(name));
    stale
        .map(|name| format!("src/{name}:1: listed for `unsafe`, but has none"))
        .collect()
}

/// The word `name` in the code of any file but `home`.
pub(crate) fn named_outside(files: &Files, name: &str, home: &str) -> Vec<String> {
    let mut out = Vec::new();
    for (file, text) in files.iter().filter(|(file, _)| file != home) {
        let lines = lines_with(text, name);
        out.extend(
            lines.map(|line| format!("src/{file}:{line}: only src/{home} may name `{name}`")),
        );
    }
    out
}

/// Files with more than `most` lines of code.
pub(crate) fn too_long(files: &Files, most: usize) -> Vec<String> {
    let mut out = Vec::new();
    for (file, text) in files {
        let lines = code_lines(text);
        if lines.len() > most {
            let line = lines.iter().nth(most).expect("there are more than `most`");
            out.push(format!(
                "src/{file}:{line}: {} lines of code, at most {most} are allowed",
                lines.len()
            ));
        }
    }
    out
}

/// Files and folders with one of `names`.
pub(crate) fn empty_names(files: &Files, names: &[&str]) -> Vec<String> {
    let is_empty = |part: &str| names.contains(&part.trim_end_matches(".rs"));
    let found = files
        .iter()
        .filter(|(file, _)| file.split('/').any(is_empty));
    found
        .map(|(file, _)| format!("src/{file}:1: a name that says nothing"))
        .collect()
}

/// The lines on which the code has `word`.
fn lines_with(text: &str, word: &str) -> impl Iterator<Item = usize> {
    let tokens = lexer::tokens(text).into_iter();
    let found = tokens.filter(move |token| token.is_word(word));
    found
        .map(|token| token.line)
        .collect::<BTreeSet<_>>()
        .into_iter()
}

/// The lines that hold code.
pub(crate) fn code_lines(text: &str) -> BTreeSet<usize> {
    let tokens = lexer::tokens(text);
    tokens
        .iter()
        .flat_map(|token| token.line..=token.last_line)
        .collect()
}
