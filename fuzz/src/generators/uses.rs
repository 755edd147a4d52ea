//! Programs that use what is built into the guest, with values that it does not expect and with little memory left.

use arbitrary::{Arbitrary, Result, Unstructured};

use super::expressions::{MARKS, OPTIONS, TEXTS, USES, VALUES};

/// A program: statements, each of which goes on where one before has thrown.
#[derive(Debug)]
pub struct Uses {
    pub program: String,
    /// What `text()`, `wide()` and `bytes()` are as large as, in 64ths of the heap.
    pub size: u8,
}

/// More statements show nothing new.
const STATEMENTS_MAX: usize = 6;
const DEPTH_MAX: usize = 3;

/// A program with each of the uses once, and nothing unusual in it: none lasts for ever.
pub fn each_once() -> Uses {
    let lasts = |template: &str| template.starts_with("fill(") || template.starts_with("setInterval(");
    let plain = USES.iter().filter(|template| !lasts(template)).map(|template| {
        let text = template.replace('$', "(1)").replace('@', "({})").replace('#', "('de')").replace('%', "v0");
        format!("try {{ v0 = await Promise.race([{text}, new Promise((done) => setTimeout(done, 1))]); }} catch {{}}\n")
    });
    let end = "delete Error.prepareStackTrace;\n".to_string();
    Uses { program: plain.chain([end]).collect(), size: 0 }
}

impl<'a> Arbitrary<'a> for Uses {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        // Often there is room for all.
        let size = if u.ratio(1, 2)? { u.int_in_range(0..=1)? } else { u.int_in_range(0..=60)? };
        let mut program = String::new();
        let mut writer = Writer { u, made: 0, depth: 0 };
        while !writer.u.is_empty() && writer.made < STATEMENTS_MAX {
            let template = *writer.u.choose(USES)?;
            let text = writer.filled(template)?;
            let made = writer.made;
            let is_starved = writer.u.ratio(1, 3)?;
            let text = if is_starved { format!("starved(async () => ({text}))") } else { text };
            program.push_str(&format!("try {{ v{made} = await ({text}); }} catch (e) {{ v{made} = e; }}\n"));
            writer.made += 1;
        }
        Ok(Self { program, size })
    }
}

struct Writer<'u, 'a> {
    u: &'u mut Unstructured<'a>,
    /// How many statements there are.
    made: usize,
    depth: usize,
}

impl Writer<'_, '_> {
    fn filled(&mut self, template: &str) -> Result<String> {
        self.depth += 1;
        let mut text = String::new();
        for part in template.split_inclusive(MARKS) {
            let (plain, mark) = part.split_at(part.trim_end_matches(MARKS).len());
            text.push_str(plain);
            match mark {
                "$" => text.push_str(&self.value()?),
                "@" => text.push_str(&self.options()?),
                "#" => text.push_str(&self.text()?),
                "%" => text.push_str(&self.made_before()?),
                _ => {}
            }
        }
        self.depth -= 1;
        Ok(text)
    }

    fn value(&mut self) -> Result<String> {
        if self.depth > DEPTH_MAX || self.u.is_empty() {
            return Ok("undefined".to_string());
        }
        match self.u.int_in_range(0..=5)? {
            0 => self.text(),
            1 => self.options(),
            _ => {
                let template = *self.u.choose(VALUES)?;
                let text = self.filled(template)?;
                // An object where there could be a block, a function that is called.
                Ok(format!("({text})"))
            }
        }
    }

    fn text(&mut self) -> Result<String> {
        if self.depth <= DEPTH_MAX && self.u.ratio(1, 12)? {
            let value = self.value()?;
            return Ok(format!("String({value})"));
        }
        Ok(format!("({})", self.u.choose(TEXTS)?))
    }

    fn options(&mut self) -> Result<String> {
        let mut text = "({ ".to_string();
        for _ in 0..self.u.int_in_range(0..=5)? {
            let (name, values) = *self.u.choose(OPTIONS)?;
            let value = if self.u.ratio(1, 6)? { self.value()? } else { (*self.u.choose(values)?).to_string() };
            text.push_str(&format!("{name}: {value}, "));
        }
        text.push_str("})");
        Ok(text)
    }

    fn made_before(&mut self) -> Result<String> {
        match self.made {
            0 => Ok("undefined".to_string()),
            made => Ok(format!("v{}", self.u.int_in_range(0..=made - 1)?)),
        }
    }
}
