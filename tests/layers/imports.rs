//! Which file of the crate names which other: `use` declarations and paths in code, followed through re-exports to where they lead.

use std::collections::{BTreeMap, BTreeSet};

use crate::lexer::{self, Kind, Token};

/// The words after which an item's name stands.
const ITEMS: [&str; 10] = [
    "fn",
    "struct",
    "enum",
    "union",
    "trait",
    "type",
    "const",
    "static",
    "mod",
    "macro_rules",
];

/// A path of modules from the crate root; the root itself is empty.
pub(crate) type ModulePath = Vec<String>;

/// One file of the crate.
#[derive(Debug)]
pub(crate) struct Module {
    /// Its path under the source folder, with `/` between.
    pub(crate) file: String,

    /// Its place in the crate.
    pub(crate) path: ModulePath,

    /// Its code, without what only tests see.
    tokens: Vec<Token>,

    /// The modules that it declares, whether as files or in place.
    children: BTreeSet<String>,

    /// The files that it declares under another name, by that name.
    renamed: BTreeMap<String, Vec<String>>,

    /// Everything that it names.
    names: Vec<Named>,
}

/// A path that a file names.
#[derive(Debug, Clone)]
struct Named {
    /// From the crate root.
    path: ModulePath,

    /// The name under which the file knows it; `None` for a path in code.
    alias: Option<String>,

    /// Whether it is a glob.
    glob: bool,

    /// Whether it only passes the name on: a `pub use` of something that the file itself does not mention.
    passed_on: bool,

    /// Where it stands, from 1.
    line: usize,
}

/// One file names something in another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Import {
    /// The index of the file that names.
    pub(crate) from: usize,

    /// The index of the file that is named.
    pub(crate) to: usize,

    /// Where, in `from`.
    pub(crate) line: usize,

    /// Whether `from` only passes the name on to others.
    pub(crate) passed_on: bool,
}

/// The crate as files that name each other.
#[derive(Debug)]
pub(crate) struct Tree {
    /// The files in order.
    pub(crate) modules: Vec<Module>,
}

impl Tree {
    /// Reads `(file, text)` pairs, the file relative to the source folder. Files that only tests see are left out.
    pub(crate) fn new(files: &[(String, String)]) -> Self {
        let mut of_tests = BTreeSet::new();
        for (file, text) in files {
            of_tests.extend(test_files(file, text));
        }
        let kept = files.iter().filter(|(file, _)| !of_tests.contains(file));
        let modules = kept.map(|(file, text)| Module::new(file, text)).collect();
        Tree { modules }
    }

    /// Every import of one file by another, in order of file and line.
    pub(crate) fn imports(&self) -> Vec<Import> {
        let mut out = BTreeSet::new();
        for (from, module) in self.modules.iter().enumerate() {
            for named in &module.names {
                for to in self.resolve(&named.path, &mut BTreeSet::new()) {
                    out.insert(Import {
                        from,
                        to,
                        line: named.line,
                        passed_on: named.passed_on,
                    });
                }
            }
        }
        out.retain(|import| import.from != import.to);
        out.into_iter().collect()
    }

    /// The files in which `path` ends, through re-exports.
    fn resolve(&self, path: &[String], seen: &mut BTreeSet<ModulePath>) -> BTreeSet<usize> {
        if !seen.insert(path.to_vec()) {
            return BTreeSet::new();
        }
        for length in (0..=path.len()).rev() {
            let found = self.files_of(&path[..length]);
            if !found.is_empty() {
                return self.follow(&found, &path[length..], seen);
            }
        }
        BTreeSet::new()
    }

    /// The files that make up the module at `path`: one, or several where a declaration chooses by `cfg`.
    fn files_of(&self, path: &[String]) -> Vec<usize> {
        let direct = self.modules.iter().position(|module| module.path == path);
        if let Some(index) = direct {
            return vec![index];
        }
        let Some((name, parent)) = path.split_last() else {
            return Vec::new();
        };
        let renamed = self
            .files_of(parent)
            .into_iter()
            .filter_map(|index| self.modules[index].renamed.get(name))
            .flatten();
        self.indices_of(renamed)
    }

    fn indices_of<'a>(&self, files: impl Iterator<Item = &'a String>) -> Vec<usize> {
        let find = |file: &String| self.modules.iter().position(|module| module.file == *file);
        files.filter_map(find).collect()
    }

    /// Where `rest` leads from these files: through a re-export if one has its name, else no further.
    fn follow(
        &self,
        files: &[usize],
        rest: &[String],
        seen: &mut BTreeSet<ModulePath>,
    ) -> BTreeSet<usize> {
        let Some((name, after)) = rest.split_first() else {
            return files.iter().copied().collect();
        };
        let mut out = BTreeSet::new();
        for &index in files {
            let module = &self.modules[index];
            let found = match module.defines(name) {
                true => None,
                false => self.through(module, name, after, seen),
            };
            out.extend(found.unwrap_or_else(|| BTreeSet::from([index])));
        }
        out
    }

    /// Where `module`'s imports take `name`, if it has one for it.
    fn through(
        &self,
        module: &Module,
        name: &str,
        after: &[String],
        seen: &mut BTreeSet<ModulePath>,
    ) -> Option<BTreeSet<usize>> {
        let by_name = |named: &&Named| !named.glob && named.alias.as_deref() == Some(name);
        let mut targets: Vec<ModulePath> = Vec::new();
        for named in module.names.iter().filter(by_name) {
            targets.push(named.path.iter().chain(after).cloned().collect());
        }
        if targets.is_empty() {
            let globs = module.names.iter().filter(|named| named.glob);
            targets.extend(globs.map(|glob| glob.path.clone()));
        }
        let mut out = BTreeSet::new();
        for target in targets {
            out.extend(self.resolve(&target, seen));
        }
        (!out.is_empty()).then_some(out)
    }

    /// The circles of imports, each as the imports that close it; names that are only passed on do not count, nor does the root.
    ///
    /// Not every circle there is, but none only when there is none: one for each import that leads back to where the search comes from.
    pub(crate) fn circles(&self) -> Vec<Vec<Import>> {
        let mut imports = self.imports();
        imports.retain(|import| !import.passed_on && !self.modules[import.from].path.is_empty());
        let mut search = Search {
            imports,
            way: Vec::new(),
            done: BTreeSet::new(),
            found: Vec::new(),
        };
        (0..self.modules.len()).for_each(|start| search.visit(start));
        search.found
    }
}

/// A depth-first search for circles.
struct Search {
    /// Where it may go.
    imports: Vec<Import>,

    /// How it came to where it is.
    way: Vec<Import>,

    /// The files from which all has been seen.
    done: BTreeSet<usize>,

    /// The circles so far.
    found: Vec<Vec<Import>>,
}

impl Search {
    fn visit(&mut self, at: usize) {
        if let Some(begin) = self.way.iter().position(|import| import.from == at) {
            self.found.push(self.way[begin..].to_vec());
            return;
        }
        if self.done.contains(&at) {
            return;
        }
        let onward = self.imports.iter().filter(|import| import.from == at);
        for import in onward.cloned().collect::<Vec<_>>() {
            self.way.push(import.clone());
            self.visit(import.to);
            self.way.pop();
        }
        self.done.insert(at);
    }
}

impl Module {
    fn new(file: &str, text: &str) -> Self {
        let mut module = Module {
            file: file.to_owned(),
            path: module_path(file),
            tokens: lexer::without_tests(lexer::tokens(text)),
            children: BTreeSet::new(),
            renamed: BTreeMap::new(),
            names: Vec::new(),
        };
        module.find_children(text);
        module.find_names();
        module
    }

    /// Notes `mod name;`, `mod name { .. }` and a `#[path = ".."]` before it.
    fn find_children(&mut self, text: &str) {
        for pair in self.tokens.windows(2) {
            if let (true, Some(name)) = (pair[0].is_word("mod"), pair[1].word()) {
                self.children.insert(name.to_owned());
            }
        }
        for (name, target) in path_attributes(text) {
            let file = sibling(&self.file, &target);
            self.renamed.entry(name).or_default().push(file);
        }
    }

    /// Whether an item of this file has that name.
    fn defines(&self, name: &str) -> bool {
        self.tokens.windows(3).any(|three| {
            let item = three[0].word().is_some_and(|word| ITEMS.contains(&word));
            item && (three[1].is_word(name) || (three[1].is_mark('!') && three[2].is_word(name)))
        })
    }

    /// Notes every path of the crate, in `use` declarations and in code.
    fn find_names(&mut self) {
        let mut walk = Walk {
            module: self,
            inside: Vec::new(),
            depth: 0,
            found: Vec::new(),
            words: BTreeSet::new(),
        };
        walk.all();
        let Walk { found, words, .. } = walk;
        self.names = found;
        for named in &mut self.names {
            let mentioned = |alias: &String| words.contains(alias);
            named.passed_on &= !named.alias.as_ref().is_some_and(mentioned);
        }
    }
}

/// A walk over a file's tokens that knows in which module in place it is.
struct Walk<'a> {
    /// The file.
    module: &'a Module,

    /// The modules in place around here, each with the depth of its brace.
    inside: Vec<(String, usize)>,

    /// How many braces are open.
    depth: usize,

    /// What was found.
    found: Vec<Named>,

    /// Every word outside `use` declarations.
    words: BTreeSet<String>,
}

impl Walk<'_> {
    fn all(&mut self) {
        let tokens = &self.module.tokens;
        let mut at = 0;
        while at < tokens.len() {
            at += self.step(at);
        }
    }

    /// Looks at the token at `at`; says how many were used up.
    fn step(&mut self, at: usize) -> usize {
        let tokens = &self.module.tokens;
        let rest = &tokens[at..];
        match &rest[0].kind {
            Kind::Mark('{') => self.depth += 1,
            Kind::Mark('}') => self.close_brace(),
            Kind::Word(word) if word == "use" && !is_capture(rest) => {
                return self.declaration(at);
            }
            Kind::Word(word) if word == "mod" => self.open_module(rest),
            Kind::Word(word) => {
                self.words.insert(word.clone());
                if begins_a_path(&tokens[..at]) {
                    return self.path_in_code(rest);
                }
            }
            _ => {}
        }
        1
    }

    fn close_brace(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.inside.retain(|(_, depth)| *depth <= self.depth);
    }

    /// At `mod name {`: from the brace on, `self` and `super` mean something else.
    fn open_module(&mut self, rest: &[Token]) {
        let name = rest.get(1).and_then(Token::word);
        let in_place = rest.get(2).is_some_and(|token| token.is_mark('{'));
        if let (Some(name), true) = (name, in_place) {
            self.inside.push((name.to_owned(), self.depth + 1));
        }
    }

    /// A whole `use` declaration.
    fn declaration(&mut self, at: usize) -> usize {
        let rest = &self.module.tokens[at..];
        let length = rest
            .iter()
            .position(|token| token.is_mark(';'))
            .unwrap_or(rest.len());
        let before = at.checked_sub(1).map(|index| &self.module.tokens[index]);
        let public = before.is_some_and(|token| token.is_word("pub") || token.is_mark(')'));
        let mut leaves = Vec::new();
        use_tree(&rest[1..length], &[], &mut leaves);
        for mut leaf in leaves {
            if let Some(path) = self.absolute(&leaf.path) {
                leaf.path = path;
                leaf.passed_on = public;
                self.found.push(leaf);
            }
        }
        length + 1
    }

    /// A path that begins at the head of `rest`, if it is one of the crate's.
    fn path_in_code(&mut self, rest: &[Token]) -> usize {
        let (segments, length) = leading_path(rest);
        let is_macro = rest.get(length).is_some_and(|token| token.is_mark('!'));
        if segments.len() < 2 || (is_macro && segments.len() == 2 && segments[0] == "crate") {
            return 1;
        }
        if let Some(path) = self.absolute(&segments) {
            self.found.push(Named {
                path,
                alias: None,
                glob: false,
                passed_on: false,
                line: rest[0].line,
            });
        }
        length
    }

    /// `path` as the crate root sees it; `None` when it leads out of the crate, or to a name in scope.
    fn absolute(&self, path: &[String]) -> Option<ModulePath> {
        let mut base = self.module.path.clone();
        base.extend(self.inside.iter().map(|(name, _)| name.clone()));
        let mut rest = path;
        let first = path.first()?;
        if first == "crate" {
            return Some(path[1..].to_vec());
        }
        if first != "self" && first != "super" {
            let ours = self.inside.is_empty() && self.module.children.contains(first);
            return ours.then(|| base.into_iter().chain(path.iter().cloned()).collect());
        }
        while let Some((head, tail)) = rest.split_first() {
            match head.as_str() {
                "self" => {}
                "super" => drop(base.pop()),
                _ => break,
            }
            rest = tail;
        }
        Some(base.into_iter().chain(rest.iter().cloned()).collect())
    }
}

/// Whether a path may begin after `before`: not in the middle of one, not after a dot, not in `pub(in ..)`.
fn begins_a_path(before: &[Token]) -> bool {
    match before {
        [.., last] if last.is_mark(':') && is_path_join(before) => false,
        [.., last] if last.is_mark('.') => {
            before.len() > 1 && before[before.len() - 2].is_mark('.')
        }
        [.., open, last] if open.is_mark('(') && last.is_word("in") => false,
        _ => true,
    }
}

/// Whether `before` ends in `::` and not in the `:` of a type.
fn is_path_join(before: &[Token]) -> bool {
    matches!(before, [.., first, _] if first.is_mark(':'))
}

/// Whether this `use` opens a precise capture, `use<'a, T>`, and no declaration.
fn is_capture(rest: &[Token]) -> bool {
    rest.get(1).is_some_and(|token| token.is_mark('<'))
}

/// The names joined by `::` at the head of `tokens`, and how many tokens they take.
fn leading_path(tokens: &[Token]) -> (Vec<String>, usize) {
    let mut segments = Vec::new();
    let mut at = 0;
    while let Some(word) = tokens.get(at).and_then(Token::word) {
        segments.push(word.to_owned());
        at += 1;
        let joined =
            tokens[at..].len() > 2 && tokens[at].is_mark(':') && tokens[at + 1].is_mark(':');
        if !joined || tokens[at + 2].word().is_none() {
            break;
        }
        at += 2;
    }
    (segments, at.max(1))
}

/// The leaves of the use tree that `tokens` spell, each with `prefix` before it.
fn use_tree(tokens: &[Token], prefix: &[String], leaves: &mut Vec<Named>) {
    let colons = tokens.iter().take_while(|token| token.is_mark(':')).count();
    let tokens = &tokens[colons..];
    let Some(first) = tokens.first() else { return };
    let (segments, used) = match first.word() {
        Some(_) => leading_path(tokens),
        None => (Vec::new(), 0),
    };
    let path: ModulePath = prefix.iter().cloned().chain(segments).collect();
    let rest = &tokens[used..];
    let skip = rest.iter().take_while(|token| token.is_mark(':')).count();
    match rest.get(skip).map(|token| &token.kind) {
        Some(Kind::Mark('{')) => branches(&rest[skip..], &path, leaves),
        Some(Kind::Mark('*')) => leaves.push(leaf(path, None, true, first.line)),
        _ => {
            let renamed = rest.iter().find_map(Token::word_after_as);
            leaves.push(leaf(path, renamed, false, first.line));
        }
    }
}

impl Token {
    /// The word, unless it is the `as` before it.
    fn word_after_as(&self) -> Option<&str> {
        self.word().filter(|word| *word != "as")
    }
}

/// Each branch of the `{ .. }` at the head of `tokens`.
fn branches(tokens: &[Token], path: &[String], leaves: &mut Vec<Named>) {
    let inside = &tokens[1..lexer::group_length(tokens) - 1];
    let mut begin = 0;
    let mut at = 0;
    while at < inside.len() {
        if inside[at].is_mark(',') {
            use_tree(&inside[begin..at], path, leaves);
            begin = at + 1;
        }
        let opens = inside[at].is_mark('{');
        at += if opens {
            lexer::group_length(&inside[at..])
        } else {
            1
        };
    }
    use_tree(&inside[begin..], path, leaves);
}

fn leaf(mut path: ModulePath, renamed: Option<&str>, glob: bool, line: usize) -> Named {
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    let alias = renamed.map(str::to_owned).or_else(|| path.last().cloned());
    Named {
        path,
        alias,
        glob,
        passed_on: false,
        line,
    }
}

/// The module that `file` is.
fn module_path(file: &str) -> ModulePath {
    let stem = file.strip_suffix(".rs").unwrap_or(file);
    let mut path: ModulePath = stem.split('/').map(str::to_owned).collect();
    if matches!(path.last().map(String::as_str), Some("mod" | "lib")) {
        path.pop();
    }
    path
}

/// The files that `file` declares behind a `#[cfg(test)]`.
pub(crate) fn test_files(file: &str, text: &str) -> Vec<String> {
    let renamed: BTreeMap<String, String> = path_attributes(text).into_iter().collect();
    let folder = match module_path(file) {
        path if path.is_empty() => String::new(),
        path => format!("{}/", path.join("/")),
    };
    let mut out = Vec::new();
    for name in lexer::test_modules(&lexer::tokens(text)) {
        match renamed.get(&name) {
            Some(target) => out.push(sibling(file, target)),
            None => out.extend([
                format!("{folder}{name}.rs"),
                format!("{folder}{name}/mod.rs"),
            ]),
        }
    }
    out
}

/// `(module, file)` of each `mod` declaration in `text` that has a `#[path = ".."]`, `cfg_attr` or not.
fn path_attributes(text: &str) -> Vec<(String, String)> {
    let mut waiting: Vec<String> = Vec::new();
    let mut out = Vec::new();
    for line in text.lines().map(str::trim) {
        if !line.starts_with("//") && line.contains("path = \"") {
            waiting.extend(quoted_path(line));
        } else if let Some(name) = declared_module(line) {
            out.extend(waiting.drain(..).map(|file| (name.clone(), file)));
        }
    }
    out
}

/// The file in an attribute's `path = "file"`.
fn quoted_path(attribute: &str) -> Option<String> {
    let (_, after) = attribute.split_once("path = \"")?;
    after.split_once('"').map(|(file, _)| file.to_owned())
}

/// The name in `mod name;`, whatever its visibility.
fn declared_module(line: &str) -> Option<String> {
    let (_, after) = line.strip_suffix(';')?.rsplit_once("mod ")?;
    Some(after.trim().to_owned())
}

/// `target` as seen from the folder of `file`.
fn sibling(file: &str, target: &str) -> String {
    match file.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{target}"),
        None => target.to_owned(),
    }
}
