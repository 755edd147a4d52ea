//! Modules in files.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use super::error::{Error, Result};
use super::script::Script;

/// Endings of the names of modules, in the order in which they are tried for a specifier without one.
const ENDINGS: [&str; 6] = [".js", ".mjs", ".ts", ".mts", ".jsx", ".tsx"];
/// Most bytes that the modules of a folder may take.
const SIZE_MAX: u64 = 64 << 20;
/// How deep folders may be nested.
const DEPTH_MAX: usize = 64;

/// The modules in a folder and in those below it, as they were when they were read: a module loader that reads no file while guests
/// run, so that guest code can reach nothing but these, by whatever specifiers.
///
/// `FOLDER/text/format.js` is imported as `NAMESPACE:text/format.js`, whatever the path of the folder. The ending can be left out,
/// and `NAMESPACE:text` is `text/index.js` if there is no `text.js`. However a module is imported, it is the same one. To a handler
/// whose name is in the namespace, the folder is where it stands: `./text` means the same to `NAMESPACE:main`.
///
/// ```
/// use hyperlight_js::{ModuleFolder, SandboxBuilder, Script};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// std::fs::create_dir(folder.join("text"))?;
/// std::fs::write(folder.join("text/index.js"), "export { shout } from './shout';")?;
/// std::fs::write(folder.join("text/shout.ts"), "export const shout = (text: string): string => text.toUpperCase();")?;
///
/// let modules = ModuleFolder::read("lib", folder)?;
/// let mut proto = SandboxBuilder::new().build()?;
/// proto.set_module_loader(move |specifier, _importer| modules.get(specifier));
/// let mut sandbox = proto.load_runtime()?;
/// sandbox.add_handler("lib:main", Script::from("
///     import { shout } from './text'; // or 'lib:text', or 'lib:text/index.js'
///     export const handler = (text) => shout(text);
/// "))?;
/// assert_eq!(sandbox.get_loaded_sandbox()?.handle_event("lib:main", "\"hello\"".to_string(), None)?, "\"HELLO\"");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ModuleFolder {
    namespace: String,
    /// By their paths in the folder, with slashes.
    modules: BTreeMap<String, Script>,
}

impl ModuleFolder {
    /// Reads all files whose names end in `.js`, `.mjs`, `.ts`, `.mts`, `.jsx` or `.tsx`, which say the language. Links are not
    /// followed. The files may take 64 MiB together.
    ///
    /// # Errors
    /// [`Error::Script`] with the path of what cannot be read, is not UTF-8, is nested deeper than 64 folders, or is too large.
    pub fn read(namespace: impl Into<String>, folder: impl AsRef<Path>) -> Result<Self> {
        let mut modules = BTreeMap::new();
        Reader { modules: &mut modules, room: SIZE_MAX }.read_folder(folder.as_ref(), "", 0)?;
        Ok(Self { namespace: namespace.into(), modules })
    }

    /// The module that guest code means by a specifier, if there is one.
    pub fn get(&self, specifier: &str) -> Option<Script> {
        let path = specifier.strip_prefix(&self.namespace)?.strip_prefix(':')?;
        let candidates = |path: &str| ENDINGS.map(|ending| format!("{path}{ending}"));
        let index = if path.is_empty() { "index".to_string() } else { format!("{path}/index") };
        let mut names = [path.to_string()].into_iter().chain(candidates(path)).chain(candidates(&index));
        names.find_map(|name| {
            let module = self.modules.get(&name)?;
            Some(module.clone().with_specifier(format!("{}:{name}", self.namespace)))
        })
    }

    /// The specifiers of all modules, in full.
    pub fn specifiers(&self) -> impl ExactSizeIterator<Item = String> {
        self.modules.keys().map(|path| format!("{}:{path}", self.namespace))
    }
}

struct Reader<'a> {
    modules: &'a mut BTreeMap<String, Script>,
    /// How many bytes more there may be.
    room: u64,
}

impl Reader<'_> {
    fn read_folder(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<()> {
        let failed = |source| Error::Script { path: folder.to_path_buf(), source };
        if depth > DEPTH_MAX {
            return Err(failed(io::Error::other(format!("folders are nested deeper than {DEPTH_MAX}"))));
        }
        for entry in fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            let name = entry.file_name();
            // What cannot be written in a specifier cannot be imported.
            let Some(name) = name.to_str() else { continue };
            let path = format!("{prefix}{name}");
            if kind.is_dir() {
                self.read_folder(&entry.path(), &format!("{path}/"), depth + 1)?;
            } else if kind.is_file() && ENDINGS.iter().any(|ending| name.ends_with(ending)) {
                let source = self.read_file(&entry.path());
                let source = source.map_err(|source| Error::Script { path: entry.path(), source })?;
                self.modules.insert(path, Script::from_content(source));
            }
        }
        Ok(())
    }

    fn read_file(&mut self, path: &Path) -> io::Result<String> {
        let mut source = String::new();
        File::open(path)?.take(self.room + 1).read_to_string(&mut source)?;
        let size = source.len() as u64;
        if size > self.room {
            return Err(io::Error::other(format!("the modules of the folder take more than {SIZE_MAX} bytes")));
        }
        self.room -= size;
        Ok(source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, source) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, source).expect("a file");
        }
        folder
    }

    #[test]
    fn a_specifier_means_a_file_or_one_with_an_ending_or_the_index_of_a_folder() {
        let folder = folder(&[
            ("a.js", "a.js"),
            ("a.ts", "a.ts"),
            ("a/index.js", "a/index.js"),
            ("b/index.mts", "b/index.mts"),
            ("b/c.mjs", "b/c.mjs"),
            ("index.js", "index.js"),
            ("notes.txt", "no module"),
        ]);
        let modules = ModuleFolder::read("lib", folder.path()).expect("it can be read");
        for (specifier, path) in [
            ("lib:a", "a.js"),
            ("lib:a.ts", "a.ts"),
            ("lib:a/index", "a/index.js"),
            ("lib:b", "b/index.mts"),
            ("lib:b/c", "b/c.mjs"),
            ("lib:", "index.js"),
        ] {
            let module = modules.get(specifier).expect(specifier);
            assert_eq!((module.content(), module.specifier()), (path, Some(format!("lib:{path}").as_str())));
        }
        for none in [
            "a",
            "other:a",
            "lib",
            "lib:notes.txt",
            "lib:notes",
            "lib:/a",
            "lib:./a",
            "lib:b/../a",
            "lib:b/",
            "lib:a.js/",
        ] {
            assert_eq!(modules.get(none), None, "{none}");
        }
        assert_eq!(modules.specifiers().len(), 6);
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_nowhere_and_what_cannot_be_read_is_named() {
        let folder = folder(&[("a.js", "a"), ("in/b.js", "b")]);
        std::os::unix::fs::symlink("/etc/hostname", folder.path().join("link.js")).expect("a link");
        std::os::unix::fs::symlink(folder.path(), folder.path().join("in/loop")).expect("a link");
        let modules = ModuleFolder::read("lib", folder.path()).expect("it can be read");
        assert_eq!(modules.specifiers().collect::<Vec<_>>(), ["lib:a.js", "lib:in/b.js"]);

        fs::write(folder.path().join("binary.js"), [0xff]).expect("a file");
        let error = ModuleFolder::read("lib", folder.path()).expect_err("it is not UTF-8");
        assert!(matches!(error, Error::Script { path, .. } if path.ends_with("binary.js")));
        assert!(matches!(ModuleFolder::read("lib", folder.path().join("none")), Err(Error::Script { .. })));
    }

    #[test]
    fn files_that_are_too_large_together_are_refused() {
        let folder = folder(&[("a.js", "12345"), ("b.js", "12345")]);
        for (room, fits) in [(10, true), (9, false), (4, false)] {
            let mut modules = BTreeMap::new();
            assert_eq!(
                Reader { modules: &mut modules, room }.read_folder(folder.path(), "", 0).is_ok(),
                fits,
                "{room}"
            );
        }
    }
}
